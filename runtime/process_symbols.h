// One process's addresses → names, by libbcc: its memory map, the symbol tables of what is mapped (separate debug
// files, too), JIT code by /tmp/perf-PID.map. Made while the process lives, it answers after its end as well.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace kawk {

struct UserName {
  std::string name;    // empty: unknown
  std::string module;  // path of the mapped file; empty: unknown
  uint64_t offset = 0;
};

// When the process with this id started (clock ticks since boot), which tells two with the same id apart; 0: gone.
uint64_t ProcessStart(uint32_t pid);

class ProcessSymbols {
 public:
  ProcessSymbols(uint32_t pid, bool demangle);
  ~ProcessSymbols();
  ProcessSymbols(const ProcessSymbols&) = delete;
  ProcessSymbols& operator=(const ProcessSymbols&) = delete;

  const UserName& Lookup(uint64_t address);
  // "466343c8… 0x1149": build id and offset in the file; empty when the address lies in no file with one.
  std::string BuildId(uint64_t address);
  // False when the id has gone over to another process. Asks the kernel at most once a second.
  bool StillSame();

 private:
  struct Mapping {
    uint64_t start, end, file_offset;
    std::string path;
  };
  UserName Resolve(uint64_t address);
  bool ResolveOnce(uint64_t address, UserName& name);
  void ReadMappings();

  const uint32_t pid_;
  const bool demangle_;
  const uint64_t started_;
  int64_t checked_ns_;
  int64_t refreshed_ns_;
  void* cache_;  // bcc_symcache
  std::unordered_map<uint64_t, UserName> names_;
  std::vector<Mapping> mappings_;
  std::unordered_map<std::string, std::string> build_ids_;  // by path
};

// The GNU build id of an ELF file in hex, or empty.
std::string ReadBuildId(const std::string& path);

}  // namespace kawk
