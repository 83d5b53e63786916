#include "cache/witness.h"

#include <sys/stat.h>

#include "host/files.h"

namespace kawk {
namespace {

constexpr size_t kLargestFile = 64u << 20;

Digest Unreadable(Sha256& sum, const Error& error) {
  sum.AddText("none");
  sum.AddNumber(static_cast<uint64_t>(error.code));
  return sum.Finish();
}

}  // namespace

void Witness::Add(FactKind kind, std::vector<std::string> arguments, const Digest& answer) {
  if (known_.emplace(kind, arguments).second) facts_.push_back({kind, std::move(arguments), answer});
}

void Witness::AddFile(const std::string& path) { Add(FactKind::File, {path}, FileDigest(path)); }
void Witness::AddFolder(const std::string& path) { Add(FactKind::Folder, {path}, FolderDigest(path)); }

void Witness::Forbid(const std::string& reason) {
  if (forbidden_.empty()) forbidden_ = reason;
}

Digest FileDigest(const std::string& path) {
  Sha256 sum;
  const Result<std::string> text = ReadFile(path, kLargestFile);
  if (!text) return Unreadable(sum, text.error());
  sum.AddText(*text);
  return sum.Finish();
}

Digest FolderDigest(const std::string& path) {
  Sha256 sum;
  struct stat info = {};
  const Result<std::vector<std::string>> names = ListFolder(path, Entries::NotFolders);
  if (!names || stat(path.c_str(), &info) != 0) return Unreadable(sum, names ? FileError(path, errno) : names.error());
  for (const std::string& name : *names) sum.AddText(name);
  sum.AddNumber(info.st_mode & S_IWOTH);
  return sum.Finish();
}

Digest FileIdentity(const std::string& path) {
  Sha256 sum;
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0) return Unreadable(sum, FileError(path, errno));
  for (const auto number :
       {static_cast<uint64_t>(info.st_dev), static_cast<uint64_t>(info.st_ino), static_cast<uint64_t>(info.st_size),
        static_cast<uint64_t>(info.st_mtim.tv_sec), static_cast<uint64_t>(info.st_mtim.tv_nsec),
        static_cast<uint64_t>(info.st_ctim.tv_sec), static_cast<uint64_t>(info.st_ctim.tv_nsec)}) {
    sum.AddNumber(number);
  }
  return sum.Finish();
}

Digest ModulesDigest() {
  Sha256 sum;
  const Result<std::vector<std::string>> modules = ListFolder("/sys/module", Entries::Folders);
  if (!modules) return Unreadable(sum, modules.error());
  for (const std::string& module : *modules) {
    // What is built into the kernel has a folder here, too, but no state.
    const std::string folder = "/sys/module/" + module;
    if (!IsRegular(folder + "/initstate")) continue;
    sum.AddText(module);
    for (const char* file : {"/notes/.note.gnu.build-id", "/srcversion"}) {
      const Digest digest = FileDigest(folder + file);
      sum.Add(digest.data(), digest.size());
    }
  }
  return sum.Finish();
}

}  // namespace kawk
