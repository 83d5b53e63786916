// The kernel's side band of mappings, execs, forks and exits: a perf event that counts nothing, with a ring, on each CPU.
#pragma once

#include <cstdint>
#include <vector>

namespace kawk {

class ProcessMaps;

class SideBand {
 public:
  SideBand() = default;
  ~SideBand();
  SideBand(const SideBand&) = delete;
  SideBand& operator=(const SideBand&) = delete;

  // False without the privilege, or where the kernel has no perf events. `at_once`: its descriptors can be read as soon as
  // anything has come, not just when a ring fills.
  bool Open(bool at_once);
  // Hands over what has come since, in order of time. What is so new that something older may still be on its way waits.
  void Drain(ProcessMaps& maps);
  bool waiting() const { return !waiting_.empty(); }
  bool WaitsFor(uint32_t pid) const;
  const std::vector<int>& fds() const { return fds_; }

 private:
  struct Record {
    uint64_t time;
    std::vector<uint8_t> bytes;
  };
  void Collect(uint8_t* ring, std::vector<Record>& records);
  static void Apply(const std::vector<uint8_t>& bytes, ProcessMaps& maps);

  std::vector<Record> waiting_;
  std::vector<int> fds_;
  std::vector<uint8_t*> rings_;
};

}  // namespace kawk
