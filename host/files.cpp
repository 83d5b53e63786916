#include "host/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace kawk {
namespace {

// A folder that reports more than this is not one of ours to list.
constexpr size_t kMaxFolderEntries = 1'000'000;

bool Stat(const std::string& path, struct stat& status) { return ::stat(path.c_str(), &status) == 0; }

// Folder entries mostly say what they are; only links and odd file systems need a stat.
bool IsFolderEntry(const std::string& folder, const dirent& entry) {
  if (entry.d_type == DT_DIR) return true;
  if (entry.d_type != DT_UNKNOWN && entry.d_type != DT_LNK) return false;
  return IsFolder(folder + "/" + entry.d_name);
}

}  // namespace

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Error FileError(const std::string& path, int error_number) {
  std::string hint;
  if ((error_number == EACCES || error_number == EPERM) && ::geteuid() != 0)
    hint = "run as root, or with the capabilities for it";
  return Error{fmt::format("`{}`: {}", path, std::strerror(error_number)), hint, error_number};
}

Result<FileDescriptor> OpenRegular(const std::string& path) {
  // The stat comes first: opening a device can already do something.
  struct stat status;
  if (!Stat(path, status)) return FileError(path, errno);
  if (S_ISDIR(status.st_mode)) return FileError(path, EISDIR);
  if (!S_ISREG(status.st_mode)) return Error{fmt::format("`{}` is not a regular file", path), "", EINVAL};
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (fd.get() < 0) return FileError(path, errno);
  if (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return Error{fmt::format("`{}` is not a regular file", path), "", EINVAL};  // exchanged in between
  }
  return fd;
}

Result<std::string> ReadFile(const std::string& path, size_t limit) {
  Result<FileDescriptor> fd = OpenRegular(path);
  if (!fd) return fd.error();
  // Files of tracefs and proc say nothing useful about their size, so it only sets the first buffer's.
  struct stat status;
  size_t chunk = 16 * 1024;
  if (::fstat(fd->get(), &status) == 0 && status.st_size > 0) {
    chunk = std::max(chunk, std::min(limit, static_cast<size_t>(status.st_size)) + 1);
  }
  std::string text;
  while (true) {
    const size_t old_size = text.size();
    text.resize(old_size + chunk);
    const ssize_t count = ::read(fd->get(), text.data() + old_size, chunk);
    if (count < 0 && errno == EINTR) {
      text.resize(old_size);
      continue;
    }
    if (count < 0) return FileError(path, errno);
    text.resize(old_size + static_cast<size_t>(count));
    if (count == 0) return text;
    if (text.size() > limit) return Error{fmt::format("`{}` is larger than {} bytes", path, limit), "", EFBIG};
    chunk = std::max<size_t>(16 * 1024, std::min(text.size(), limit));
  }
}

Status ReadAt(int fd, uint64_t offset, void* data, size_t size) {
  char* out = static_cast<char*>(data);
  while (size > 0) {
    if (offset > static_cast<uint64_t>(INT64_MAX)) return Error{"offset behind the end of the file", "", EINVAL};
    const ssize_t count = ::pread(fd, out, size, static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Error{std::strerror(errno), "", errno};
    if (count == 0) return Error{"the file is truncated", "", EINVAL};
    out += count;
    offset += static_cast<uint64_t>(count);
    size -= static_cast<size_t>(count);
  }
  return Ok{};
}

Result<std::vector<std::string>> ListFolder(const std::string& path, Entries which) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), ::closedir);
  if (folder == nullptr) return FileError(path, errno);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (IsFolderEntry(path, *entry) != (which == Entries::Folders)) continue;
    if (names.size() == kMaxFolderEntries) return Error{fmt::format("`{}` has too many entries", path), "", EFBIG};
    names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool IsFolder(const std::string& path) {
  struct stat status;
  return Stat(path, status) && S_ISDIR(status.st_mode);
}

bool IsProgram(const std::string& path) {
  struct stat status;
  return Stat(path, status) && S_ISREG(status.st_mode) && (status.st_mode & 0111) != 0;
}

bool IsRegular(const std::string& path) {
  struct stat status;
  return Stat(path, status) && S_ISREG(status.st_mode);
}

}  // namespace kawk
