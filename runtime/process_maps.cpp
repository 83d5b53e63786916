#include "runtime/process_maps.h"

#include <dirent.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>

#include "runtime/side_band.h"

namespace kawk {

namespace {

constexpr size_t kEndedBound = 4096;     // processes that ended and are still known
constexpr size_t kKnownBound = 65536;    // processes at all
constexpr size_t kMappingsBound = 8192;  // of a process; then the older half is forgotten
constexpr int64_t kSecond = 1000000000;
constexpr int kListenMs = 500;
constexpr int kSettleMs = 2;
constexpr int kHurriedNice = -10;
constexpr int kDeepest = 16;  // forks of forks whose maps are their ancestor's

int64_t MonotonicNow() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

}  // namespace

uint64_t ProcessStart(uint32_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string stat;
  std::getline(file, stat, '\0');
  // The command may hold blanks and parentheses; field 3 follows the last one.
  size_t at = stat.rfind(')');
  if (at == std::string::npos) return 0;
  for (int field = 2; field < 22 && at != std::string::npos; ++field) at = stat.find(' ', at + 1);
  return at == std::string::npos ? 0 : strtoull(stat.c_str() + at + 1, nullptr, 10);
}

std::vector<Mapping> ReadMappings(uint32_t pid) {
  std::vector<Mapping> mappings;
  FILE* maps = fopen(("/proc/" + std::to_string(pid) + "/maps").c_str(), "re");
  if (maps == nullptr) return mappings;
  char line[4096 + 128];
  while (fgets(line, sizeof line, maps) != nullptr) {
    Mapping mapping{};
    char protection[8] = "";
    uint32_t major = 0, minor = 0;
    int path = 0;
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %x:%x %" SCNu64 " %n", &mapping.start, &mapping.end, protection,
               &mapping.file_offset, &major, &minor, &mapping.inode, &path) < 7)
      continue;
    if (protection[2] != 'x') continue;
    mapping.device = uint64_t{major} << 32 | minor;
    if (path != 0) mapping.path.assign(line + path, strcspn(line + path, "\n"));
    mappings.push_back(std::move(mapping));
  }
  fclose(maps);
  return mappings;
}

ProcessMaps::ProcessMaps() = default;

ProcessMaps::~ProcessMaps() {
  stop_ = true;
  const uint64_t one = 1;
  if (wake_ >= 0) (void)!write(wake_, &one, sizeof one);
  if (listener_.joinable()) listener_.join();
  if (wake_ >= 0) close(wake_);
}

void ProcessMaps::Watch(uint32_t pid, Tell tell) {
  tell_ = std::move(tell);
  auto side_band = std::make_unique<SideBand>();
  const bool listens = side_band->Open(tell_ != nullptr);
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (listens) {
    const std::lock_guard lock(mutex_);
    side_band_ = std::move(side_band);
  }
  if (tell_) {
    ReadExisting(pid);
    TellChanges();
  }
  if (!listens) return;  // then /proc alone has to do
  listener_ = std::thread([this, pid] {
    if (!tell_) ReadExisting(pid);
    Listen();
  });
}

void ProcessMaps::Changed(uint32_t pid) {
  if (!tell_) return;
  const uint64_t one = 1;
  if (changed_.empty()) (void)!write(wake_, &one, sizeof one);  // whoever has read of it need not be the listener
  changed_.insert(pid);
}

void ProcessMaps::TellChanges() {
  if (!tell_) return;
  std::set<uint32_t> changed;
  {
    const std::lock_guard lock(mutex_);
    changed.swap(changed_);
  }
  for (const uint32_t pid : changed) {
    std::shared_ptr<const std::vector<Mapping>> mappings;
    {
      const std::lock_guard lock(mutex_);
      const auto found = processes_.find(pid);
      if (found != processes_.end() && !found->second.ended) {
        if (!found->second.complete) Read(pid, found->second);
        mappings = found->second.now;
      }
    }
    tell_(pid, mappings ? *mappings : std::vector<Mapping>());
  }
}

// Processes that live already, one at a time: nobody waits for it.
void ProcessMaps::ReadExisting(uint32_t pid) {
  if (pid != 0) return Note(pid);
  DIR* folder = opendir("/proc");
  if (folder == nullptr) return;
  while (const dirent* entry = readdir(folder)) {
    if (stop_) break;
    const auto number = static_cast<uint32_t>(strtoul(entry->d_name, nullptr, 10));
    if (number == 0 || number == static_cast<uint32_t>(getpid())) continue;
    bool known = false;
    {
      const std::lock_guard lock(mutex_);
      const auto found = processes_.find(number);
      known = found != processes_.end() && found->second.complete;
    }
    if (!known) Note(number);
  }
  closedir(folder);
}

void ProcessMaps::Listen() {
  // Who unwinds by what we tell cannot wait until a busy machine has time for us.
  if (tell_) setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kHurriedNice);
  std::vector<pollfd> polled{{wake_, POLLIN, 0}};
  for (const int fd : side_band_->fds()) polled.push_back({fd, POLLIN, 0});
  bool again = false;
  while (!stop_) {
    poll(polled.data(), polled.size(), again ? kSettleMs : kListenMs);
    uint64_t count = 0;
    if ((polled[0].revents & POLLIN) != 0) (void)!read(wake_, &count, sizeof count);
    {
      const std::lock_guard lock(mutex_);
      Drain();
      again = side_band_->waiting();
    }
    TellChanges();
  }
}

void ProcessMaps::Drain() {
  if (side_band_) side_band_->Drain(*this);
}

bool ProcessMaps::Read(uint32_t pid, Process& process) {
  const uint64_t started = ProcessStart(pid);
  process.read_ns = MonotonicNow();
  if (started == 0 || (process.ended && started == process.started)) return false;
  if (process.started != 0 && process.started != started) {  // the id has gone over to another
    process.before.reset();
    process.ended = false;
  }
  std::vector<Mapping> mappings = ReadMappings(pid);
  if (mappings.empty()) return false;
  process.started = started;
  process.complete = true;
  process.generation = ++generations_;
  process.now = std::make_shared<std::vector<Mapping>>(std::move(mappings));
  Changed(pid);
  return true;
}

void ProcessMaps::Note(uint32_t pid) {
  const std::lock_guard lock(mutex_);
  Drain();
  Process& process = processes_[pid];
  if (!process.complete) Read(pid, process);
}

const Mapping* ProcessMaps::FindIn(const std::vector<Mapping>& mappings, uint64_t address) const {
  for (auto mapping = mappings.rbegin(); mapping != mappings.rend(); ++mapping) {
    if (address >= mapping->start && address < mapping->end) return &*mapping;
  }
  return nullptr;
}

const Mapping* ProcessMaps::FindLocked(uint32_t pid, uint64_t address, int depth) {
  if (depth == 0 && processes_.size() > kKnownBound) processes_.clear();  // without a side band nobody tells us of ends
  Process& process = processes_[pid];
  // Without a side band what is mapped later is found by looking again, at most once a second.
  const bool may_read = process.read_ns == 0 || MonotonicNow() - process.read_ns >= kSecond;
  if (!process.complete && may_read) Read(pid, process);
  const Mapping* found = FindIn(*process.now, address);
  if (found == nullptr && may_read && !side_band_ && Read(pid, process)) found = FindIn(*process.now, address);
  if (found == nullptr && process.before) found = FindIn(*process.before, address);
  if (found == nullptr && process.parent != 0 && depth < kDeepest) return FindLocked(process.parent, address, depth + 1);
  return found;
}

std::optional<Mapping> ProcessMaps::Find(uint32_t pid, uint64_t address) {
  const std::lock_guard lock(mutex_);
  Drain();
  const Mapping* found = FindLocked(pid, address, 0);
  if (found == nullptr && side_band_ && side_band_->WaitsFor(pid)) {  // it has just been mapped
    usleep(kSettleMs * 1000);
    Drain();
    found = FindLocked(pid, address, 0);
  }
  return found != nullptr ? std::optional(*found) : std::nullopt;
}

uint64_t ProcessMaps::Generation(uint32_t pid) {
  const std::lock_guard lock(mutex_);
  const auto found = processes_.find(pid);
  return found == processes_.end() ? 0 : found->second.generation;
}

std::vector<Mapping>& ProcessMaps::Own(Process& process) {
  if (process.now.use_count() > 1) process.now = std::make_shared<std::vector<Mapping>>(*process.now);
  return *process.now;
}

void ProcessMaps::Mapped(uint32_t pid, Mapping mapping) {
  Process& process = processes_[pid];
  std::vector<Mapping>& mappings = Own(process);
  if (mappings.size() >= kMappingsBound) mappings.erase(mappings.begin(), mappings.begin() + kMappingsBound / 2);
  mappings.push_back(std::move(mapping));
  process.generation = ++generations_;
  Changed(pid);
}

void ProcessMaps::Executed(uint32_t pid) {
  Process& process = processes_[pid];
  if (!process.complete && process.parent != 0) {
    const auto parent = processes_.find(process.parent);
    if (parent != processes_.end()) process.before = parent->second.now;
  } else {
    process.before = process.now;
  }
  process.now = std::make_shared<std::vector<Mapping>>();
  process.complete = true;
  process.parent = 0;
  process.generation = ++generations_;
  Changed(pid);
}

void ProcessMaps::Forked(uint32_t pid, uint32_t parent) {
  Process process;
  process.parent = parent;
  process.generation = ++generations_;
  const auto known = processes_.find(parent);
  if (known != processes_.end() && known->second.complete) {
    process.now = known->second.now;
    process.complete = true;
    process.parent = 0;
  }
  processes_[pid] = std::move(process);
  Changed(pid);
}

void ProcessMaps::Ended(uint32_t pid) {
  const auto found = processes_.find(pid);
  if (found == processes_.end() || found->second.ended) return;
  found->second.ended = true;
  Changed(pid);
  ended_.push_back(pid);
  if (ended_.size() <= kEndedBound) return;
  const auto oldest = processes_.find(ended_.front());
  if (oldest != processes_.end() && oldest->second.ended) processes_.erase(oldest);
  ended_.pop_front();
}

void ProcessMaps::Missed() {
  for (auto& [pid, process] : processes_) {
    if (process.ended) continue;
    process.complete = false;
    Changed(pid);
  }
}

}  // namespace kawk
