// User addresses → names: the process's mappings lead to a file and an offset in it, the file's symbols to a name. Files are
// known by their inode and shared by all processes; what is kept is bounded.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/demangle.h"
#include "runtime/elf_symbols.h"
#include "runtime/jit_map.h"
#include "runtime/process_maps.h"

namespace kawk {

struct UserName {
  std::string name;    // empty: unknown
  std::string module;  // path of the mapped file; empty: unknown
  uint64_t offset = 0;
};

// Where the mapped file may be found, for as long as the process lives or the file is there; empty: nowhere.
std::string PathOf(uint32_t pid, const Mapping& mapping);

// Not to be used from several threads at once, but for maps().
class UserSymbols {
 public:
  UserSymbols(bool demangle, RustDemangler rust) : demangle_(demangle), rust_(rust) {}

  UserName Lookup(uint32_t pid, uint64_t address);
  // "466343c8… 0x1149": build id and offset in the file; empty when the address lies in no file with one.
  std::string BuildId(uint32_t pid, uint64_t address);
  ProcessMaps& maps() { return maps_; }

 private:
  struct File {
    std::string key;
    ElfSymbols symbols;
  };
  ElfSymbols* FileOf(uint32_t pid, const Mapping& mapping);
  JitMap& JitOf(uint32_t pid);

  const bool demangle_;
  const RustDemangler rust_;
  ProcessMaps maps_;
  std::list<File> files_;  // the last used first
  std::unordered_map<std::string, std::list<File>::iterator> by_key_;
  size_t bytes_ = 0;
  std::unordered_map<uint32_t, JitMap> jits_;
};

}  // namespace kawk
