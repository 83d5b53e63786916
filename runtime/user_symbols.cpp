#include "runtime/user_symbols.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cinttypes>
#include <vector>

namespace kawk {

namespace {

constexpr size_t kBytesBound = 256 << 20;  // of all files' symbols together
constexpr size_t kJitsBound = 64;

}  // namespace

// Where the mapped file may be found: by the process's own root, by the mapping itself (a deleted file), by our root when the
// process is gone. The first that is that very file, else the first there is.
std::string PathOf(uint32_t pid, const Mapping& mapping) {
  constexpr std::string_view kDeleted = " (deleted)";
  std::string path = mapping.path;
  if (path.ends_with(kDeleted)) path.resize(path.size() - kDeleted.size());
  const std::string proc = "/proc/" + std::to_string(pid);
  const std::string candidates[] = {path, proc + "/root" + path,
                                    fmt::format("{}/map_files/{:x}-{:x}", proc, mapping.start, mapping.end)};
  std::string any;
  for (const std::string& candidate : candidates) {
    struct stat info;
    if (stat(candidate.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    const uint64_t device = uint64_t{major(info.st_dev)} << 32 | minor(info.st_dev);
    if (info.st_ino == mapping.inode && device == mapping.device) return candidate;
    if (any.empty()) any = candidate;  // layered file systems give files two inodes
  }
  return any;
}

ElfSymbols* UserSymbols::FileOf(uint32_t pid, const Mapping& mapping) {
  const bool vdso = mapping.path == "[vdso]";
  if (!vdso && !mapping.path.starts_with('/')) return nullptr;
  const std::string key = fmt::format("{}:{}:{}", mapping.device, mapping.inode, mapping.path);
  const auto known = by_key_.find(key);
  if (known != by_key_.end()) {
    files_.splice(files_.begin(), files_, known->second);
    return &files_.front().symbols;
  }
  files_.push_front({key, ElfSymbols(vdso ? mapping.path : PathOf(pid, mapping))});
  by_key_[key] = files_.begin();
  bytes_ += files_.front().symbols.bytes();
  while (bytes_ > kBytesBound && files_.size() > 1) {
    bytes_ -= files_.back().symbols.bytes();
    by_key_.erase(files_.back().key);
    files_.pop_back();
  }
  return &files_.front().symbols;
}

JitMap& UserSymbols::JitOf(uint32_t pid) {
  if (jits_.size() >= kJitsBound && !jits_.contains(pid)) jits_.clear();
  return jits_.try_emplace(pid, pid).first->second;
}

UserName UserSymbols::Lookup(uint32_t pid, uint64_t address) {
  UserName name;
  const std::optional<Mapping> mapping = maps_.Find(pid, address);
  if (mapping) {
    name.module = mapping->path;
    if (ElfSymbols* file = FileOf(pid, *mapping)) {
      const FoundSymbol found = file->Find(address - mapping->start + mapping->file_offset, demangle_, rust_);
      name.name = found.name;
      name.offset = found.offset;
      return name;
    }
  }
  JitMap& jit = JitOf(pid);
  const JitMap::Found found = jit.Find(address);
  if (found.name == nullptr) return name;
  name.name = demangle_ ? Demangle(*found.name, rust_) : *found.name;
  name.offset = found.offset;
  name.module = jit.path();
  return name;
}

std::string UserSymbols::BuildId(uint32_t pid, uint64_t address) {
  const std::optional<Mapping> mapping = maps_.Find(pid, address);
  ElfSymbols* file = mapping ? FileOf(pid, *mapping) : nullptr;
  if (file == nullptr || file->build_id().empty()) return "";
  return fmt::format("{} 0x{:x}", file->build_id(), address - mapping->start + mapping->file_offset);
}

}  // namespace kawk
