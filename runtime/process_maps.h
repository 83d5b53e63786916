// Which file a process has mapped where, also when the process has ended, however short it lived: the kernel tells of every
// executable mapping, exec, fork and exit through its perf side band (what `perf record` uses), into rings that are read when
// they fill or when somebody asks. What was mapped before we came is read from /proc.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace kawk {

struct Mapping {
  uint64_t start, end, file_offset;
  uint64_t device, inode;  // 0: no file
  std::string path;        // "/usr/bin/ls", "[vdso]"; empty: none
};

// When the process with this id started (clock ticks since boot), which tells two with the same id apart; 0: gone.
uint64_t ProcessStart(uint32_t pid);
// The executable mappings of a process as /proc has them; empty when it is gone.
std::vector<Mapping> ReadMappings(uint32_t pid);

class SideBand;

// Safe to use from several threads.
class ProcessMaps {
 public:
  ProcessMaps();
  ~ProcessMaps();
  ProcessMaps(const ProcessMaps&) = delete;
  ProcessMaps& operator=(const ProcessMaps&) = delete;

  // Begins to listen, and reads in the background what is mapped already: by process `pid`, or by all (0). With `tell` it is
  // told, without delay and in the background, what a process has mapped when that has changed (the newest last; nothing:
  // it has ended); what is mapped already before Watch returns.
  using Tell = std::function<void(uint32_t pid, const std::vector<Mapping>& mappings)>;
  void Watch(uint32_t pid, Tell tell = nullptr);
  // Reads what the process has mapped now.
  void Note(uint32_t pid);
  std::optional<Mapping> Find(uint32_t pid, uint64_t address);
  // Tells two processes with one id apart, and what a process was before and after an exec.
  uint64_t Generation(uint32_t pid);

 private:
  struct Process {
    std::shared_ptr<std::vector<Mapping>> now = std::make_shared<std::vector<Mapping>>();  // the newest last; shared by forks
    std::shared_ptr<std::vector<Mapping>> before;                                          // of an exec
    uint32_t parent = 0;
    uint64_t generation = 0;
    uint64_t started = 0;   // of what was read from /proc
    bool complete = false;  // nothing is missing that was mapped before we listened
    bool ended = false;
    int64_t read_ns = 0;
  };
  friend class SideBand;
  void Drain();
  void Listen();
  void ReadExisting(uint32_t pid);
  void Changed(uint32_t pid);
  void TellChanges();
  bool Read(uint32_t pid, Process& process);
  const Mapping* FindIn(const std::vector<Mapping>& mappings, uint64_t address) const;
  const Mapping* FindLocked(uint32_t pid, uint64_t address, int depth);
  std::vector<Mapping>& Own(Process& process);
  // What the side band tells; called with the lock held.
  void Mapped(uint32_t pid, Mapping mapping);
  void Executed(uint32_t pid);
  void Forked(uint32_t pid, uint32_t parent);
  void Ended(uint32_t pid);
  void Missed();

  std::mutex mutex_;
  std::unordered_map<uint32_t, Process> processes_;
  std::list<uint32_t> ended_;  // the first to end first
  uint64_t generations_ = 0;
  std::unique_ptr<SideBand> side_band_;
  Tell tell_;
  std::set<uint32_t> changed_;  // and not told yet
  std::thread listener_;
  std::atomic<bool> stop_ = false;
  int wake_ = -1;  // eventfd
};

}  // namespace kawk
