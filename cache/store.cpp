#include "cache/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>

namespace kawk {
namespace {

constexpr const char* kUnfinished = "new-";
constexpr time_t kHour = 3600;

Error Refused(const std::string& path, const std::string& why) { return Error{fmt::format("`{}`: {}", path, why), ""}; }

// Whether others than root and this user can replace what lies in a folder.
std::optional<std::string> Distrust(const struct stat& info) {
  if (info.st_uid != 0 && info.st_uid != geteuid()) return fmt::format("belongs to user {}", info.st_uid);
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0 && (info.st_mode & S_ISVTX) == 0) return "others may write to it";
  return std::nullopt;
}

// Opens an absolute path without symbolic links, folder by folder; each must be trusted.
Result<FileDescriptor> OpenChain(const std::string& path) {
  FileDescriptor folder(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  std::string so_far;
  for (size_t from = 1; folder.get() >= 0;) {
    struct stat info;
    if (fstat(folder.get(), &info) != 0) return FileError(so_far, errno);
    if (auto why = Distrust(info)) return Refused(so_far.empty() ? "/" : so_far, *why);
    if (from >= path.size()) return folder;
    const size_t slash = std::min(path.find('/', from), path.size());
    const std::string name = path.substr(from, slash - from);
    so_far += "/" + name;
    from = slash + 1;
    folder = FileDescriptor(openat(folder.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  }
  return FileError(so_far, errno);
}

std::string Random() {
  uint64_t number = 0;
  if (getrandom(&number, sizeof number, 0) != sizeof number) number = static_cast<uint64_t>(getpid());
  return fmt::format("{:016x}", number);
}

bool WriteAll(int fd, const std::vector<uint8_t>& bytes) {
  for (size_t at = 0; at < bytes.size();) {
    const ssize_t written = write(fd, bytes.data() + at, bytes.size() - at);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    at += static_cast<size_t>(written);
  }
  return true;
}

bool IsOurs(const struct stat& info) {
  return S_ISREG(info.st_mode) && info.st_uid == geteuid() && info.st_nlink == 1 && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

struct Found {
  std::string name;
  time_t used;
  uint64_t bytes;
};

std::vector<Found> FilesOf(int folder) {
  std::vector<Found> files;
  const int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> list(copy < 0 ? nullptr : fdopendir(copy), closedir);
  while (const dirent* entry = list ? readdir(list.get()) : nullptr) {
    struct stat info;
    if (entry->d_name[0] == '.' || fstatat(folder, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (S_ISREG(info.st_mode)) files.push_back({entry->d_name, info.st_mtime, static_cast<uint64_t>(info.st_size)});
  }
  return files;
}

}  // namespace

Result<CacheStore> CacheStore::Open(const std::string& folder, StoreLimits limits) {
  const size_t slash = folder.rfind('/');
  if (!folder.starts_with('/') || slash + 1 == folder.size()) return Refused(folder, "is not the absolute path of a folder");
  const std::string above = slash == 0 ? "/" : folder.substr(0, slash);
  const std::string name = folder.substr(slash + 1);
  if (mkdir(above.c_str(), 0700) != 0 && errno != EEXIST) return FileError(above, errno);
  // Links above are the administrator's or the user's business, where they lead to is looked at.
  const std::unique_ptr<char, decltype(&std::free)> real(realpath(above.c_str(), nullptr), &std::free);
  if (!real) return FileError(above, errno);
  Result<FileDescriptor> parent = OpenChain(real.get());
  if (!parent) return parent.error();
  if (mkdirat(parent->get(), name.c_str(), 0700) != 0 && errno != EEXIST) return FileError(folder, errno);
  FileDescriptor own(openat(parent->get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat info;
  if (own.get() < 0 || fstat(own.get(), &info) != 0) return FileError(folder, errno);
  if (info.st_uid != geteuid()) return Refused(folder, fmt::format("belongs to user {}", info.st_uid));
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) return Refused(folder, "is open to others; its mode must be 0700");
  return CacheStore(std::move(own), limits);
}

std::optional<std::vector<uint8_t>> CacheStore::Get(const std::string& name) const {
  const FileDescriptor file(openat(folder_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat info;
  if (file.get() < 0 || fstat(file.get(), &info) != 0 || !IsOurs(info)) return std::nullopt;
  if (info.st_size <= 0 || static_cast<uint64_t>(info.st_size) > limits_.entry_bytes) return std::nullopt;
  std::vector<uint8_t> bytes(static_cast<size_t>(info.st_size));
  if (!ReadAt(file.get(), 0, bytes.data(), bytes.size())) return std::nullopt;
  if (time(nullptr) - info.st_mtime > kHour) futimens(file.get(), nullptr);  // used now: evicted late
  return bytes;
}

Status CacheStore::Put(const std::string& name, const std::vector<uint8_t>& bytes) const {
  if (bytes.size() > limits_.entry_bytes) return Error{"the compiled script is too large to be kept", "", EFBIG};
  const std::string unfinished = kUnfinished + Random();
  const FileDescriptor file(
      openat(folder_.get(), unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file.get() < 0) return FileError(unfinished, errno);
  if (!WriteAll(file.get(), bytes) || renameat(folder_.get(), unfinished.c_str(), folder_.get(), name.c_str()) != 0) {
    const Error error = FileError(unfinished, errno);
    unlinkat(folder_.get(), unfinished.c_str(), 0);
    return error;
  }
  Evict();
  return Ok{};
}

void CacheStore::Evict() const {
  std::vector<Found> files = FilesOf(folder_.get());
  const time_t now = time(nullptr);
  const auto is_left = [&](const Found& file) { return file.name.starts_with(kUnfinished); };
  for (const Found& file : files) {
    if (is_left(file) && now - file.used > kHour) unlinkat(folder_.get(), file.name.c_str(), 0);
  }
  std::erase_if(files, is_left);
  uint64_t bytes = 0;
  for (const Found& file : files) bytes += file.bytes;
  if (files.size() <= limits_.entries && bytes <= limits_.bytes) return;
  // Down to three quarters, so that not every write that follows has to look for the oldest again.
  std::sort(files.begin(), files.end(), [](const Found& a, const Found& b) { return a.used < b.used; });
  size_t left = files.size();
  for (const Found& file : files) {
    if (left <= limits_.entries / 4 * 3 && bytes <= limits_.bytes / 4 * 3) return;
    unlinkat(folder_.get(), file.name.c_str(), 0);
    bytes -= file.bytes;
    --left;
  }
}

Result<std::string> CacheFolder() {
  if (getauxval(AT_SECURE) != 0) return Error{"this kawk has more privileges than its user", ""};
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  if (std::string own = variable("KAWK_CACHE_DIR"); !own.empty()) return own;
  // sudo leaves HOME as it was: the folders there are not root's.
  if (geteuid() == 0) return std::string("/var/cache/kawk");
  if (std::string xdg = variable("XDG_CACHE_HOME"); xdg.starts_with('/')) return xdg + "/kawk";
  if (std::string home = variable("HOME"); home.starts_with('/')) return home + "/.cache/kawk";
  return Error{"no folder for it: neither XDG_CACHE_HOME nor HOME is set", ""};
}

}  // namespace kawk
