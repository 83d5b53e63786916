// Names of code that a process made itself, from the map that JIT compilers write: /tmp/perf-PID.map.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kawk {

class JitMap {
 public:
  explicit JitMap(uint32_t pid) : pid_(pid) {}

  struct Found {
    const std::string* name = nullptr;
    uint64_t offset = 0;
  };
  // Reads the file again when it has changed, at most once a second.
  Found Find(uint64_t address);
  // The file that was read, as the process names it.
  const std::string& path() const { return path_; }

 private:
  struct Symbol {
    uint64_t start, size;
    std::string name;
  };
  void Refresh();
  bool Read(const std::string& file);

  const uint32_t pid_;
  std::string path_;
  std::vector<Symbol> symbols_;  // by start; of code that took the place of other code the last
  int64_t looked_ns_ = 0;
  int64_t changed_ns_ = 0;  // the file's time of change
  int64_t length_ = -1;
};

}  // namespace kawk
