// Tells the programs of dw_ustack how to unwind the processes that there are: for each file that is mapped for execution its
// rules (see cfi.h), for each process where its files are. Files stay known when their processes are gone, so what is run again
// is known from its first instruction on; what is kept is bounded.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "runtime/cfi.h"
#include "runtime/perf.h"
#include "runtime/process_maps.h"

namespace kawk {

// What the programs see a table by.
struct LoadedTable {
  uint32_t id = 0;
  uint32_t rows = 0;  // 0: the file has no rules
  uint64_t base = 0;  // an address as the file has it
  std::vector<CfiSegment> segments;
};

class UnwindTables {
 public:
  // Maps of the kernel: see image/unwind.h. They outlive this.
  UnwindTables(int process_map, int table_map) : process_map_(process_map), table_map_(table_map) {}

  // What the process has mapped now, the newest last; nothing: it has ended.
  void Update(uint32_t pid, const std::vector<Mapping>& mappings);

 private:
  const LoadedTable& TableOf(uint32_t pid, const Mapping& mapping);
  LoadedTable Load(std::span<const uint8_t> elf);

  const int process_map_;
  const int table_map_;
  std::map<std::string, LoadedTable> tables_;  // by device, inode and path
  std::vector<Fd> fds_;                        // of the tables
  uint64_t rows_ = 0;                          // of all
};

// For libbpf, which must see one before it makes the map of maps.
Fd MakeUnwindTable(uint32_t rows);

}  // namespace kawk
