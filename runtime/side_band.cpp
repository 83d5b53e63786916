#include "runtime/side_band.h"

#include <linux/perf_event.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <ctime>
#include <iterator>
#include <utility>

#include "runtime/machine.h"
#include "runtime/process_maps.h"

namespace kawk {

namespace {

constexpr size_t kPages = 16;  // of a CPU: some 500 records
constexpr uint64_t kDeviceShift = 32;
// A process that changes its CPU leaves its records in two rings, and one may be read before what is older has come to the other.
constexpr uint64_t kOnItsWay = 1000000;

struct MmapRecord {
  perf_event_header header;
  uint32_t pid, tid;
  uint64_t address, length, page_offset;
  uint32_t major, minor;
  uint64_t inode, inode_generation;
  uint32_t protection, flags;
  // then the file's name, and behind it what every record ends with: u32 pid, tid, u64 time
};
struct TaskRecord {
  perf_event_header header;
  uint32_t pid, parent, tid, parent_tid;
};
struct CommRecord {
  perf_event_header header;
  uint32_t pid, tid;
};
constexpr size_t kTrailer = 16;

uint64_t Now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000 + static_cast<uint64_t>(now.tv_nsec);
}

int OpenOn(int cpu, bool at_once) {
  perf_event_attr attr{};
  attr.type = PERF_TYPE_SOFTWARE;
  attr.size = sizeof attr;
  attr.config = PERF_COUNT_SW_DUMMY;
  attr.mmap = attr.mmap2 = attr.comm = attr.comm_exec = attr.task = 1;
  attr.sample_id_all = 1;
  attr.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME;
  attr.use_clockid = 1;
  attr.clockid = CLOCK_MONOTONIC;
  attr.watermark = 1;
  attr.wakeup_watermark = at_once ? 1 : static_cast<uint32_t>(PageSize() * kPages / 4);
  return static_cast<int>(syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC));
}

template <class T>
bool As(const std::vector<uint8_t>& bytes, T& record) {
  if (bytes.size() < sizeof record) return false;
  std::memcpy(&record, bytes.data(), sizeof record);
  return true;
}

}  // namespace

SideBand::~SideBand() {
  for (uint8_t* ring : rings_) munmap(ring, PageSize() * (kPages + 1));
  for (const int fd : fds_) close(fd);
}

bool SideBand::Open(bool at_once) {
  const long cpus = sysconf(_SC_NPROCESSORS_CONF);
  for (int cpu = 0; cpu < cpus; ++cpu) {
    const int fd = OpenOn(cpu, at_once);
    if (fd < 0) continue;  // a CPU that is switched off
    void* ring = mmap(nullptr, PageSize() * (kPages + 1), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (ring == MAP_FAILED) {
      close(fd);
      return false;
    }
    fds_.push_back(fd);
    rings_.push_back(static_cast<uint8_t*>(ring));
  }
  return !fds_.empty();
}

void SideBand::Collect(uint8_t* ring, std::vector<Record>& records) {
  auto* page = reinterpret_cast<perf_event_mmap_page*>(ring);
  const uint8_t* data = ring + PageSize();
  const size_t size = PageSize() * kPages;
  const uint64_t head = std::atomic_ref<__u64>(page->data_head).load(std::memory_order_acquire);
  uint64_t tail = page->data_tail;
  const auto copy = [&](uint64_t from, void* to, size_t bytes) {
    const size_t at = from % size, first = std::min(bytes, size - at);
    std::memcpy(to, data + at, first);
    std::memcpy(static_cast<uint8_t*>(to) + first, data, bytes - first);
  };
  while (tail < head) {
    perf_event_header header;
    copy(tail, &header, sizeof header);
    if (header.size < sizeof header + kTrailer || header.size > head - tail) {
      tail = head;
      break;
    }
    Record record{0, std::vector<uint8_t>(header.size)};
    copy(tail, record.bytes.data(), header.size);
    std::memcpy(&record.time, &record.bytes[header.size - 8], 8);
    records.push_back(std::move(record));
    tail += header.size;
  }
  std::atomic_ref<__u64>(page->data_tail).store(tail, std::memory_order_release);
}

void SideBand::Drain(ProcessMaps& maps) {
  const uint64_t settled = Now() - kOnItsWay;
  std::vector<Record> records = std::exchange(waiting_, {});
  for (uint8_t* ring : rings_) Collect(ring, records);
  std::ranges::stable_sort(records, {}, &Record::time);
  const auto first_new = std::ranges::upper_bound(records, settled, {}, &Record::time);
  for (auto record = records.begin(); record != first_new; ++record) Apply(record->bytes, maps);
  waiting_.assign(std::make_move_iterator(first_new), std::make_move_iterator(records.end()));
}

// All records that we ask for name the process first.
bool SideBand::WaitsFor(uint32_t pid) const {
  return std::ranges::any_of(waiting_, [&](const Record& record) {
    TaskRecord task;
    return As(record.bytes, task) && task.pid == pid;
  });
}

void SideBand::Apply(const std::vector<uint8_t>& bytes, ProcessMaps& maps) {
  perf_event_header header;
  As(bytes, header);
  switch (header.type) {
    case PERF_RECORD_MMAP2: {
      MmapRecord record;
      if (!As(bytes, record)) return;
      const char* name = reinterpret_cast<const char*>(&bytes[sizeof record]);
      const uint64_t device = uint64_t{record.major} << kDeviceShift | record.minor;
      const std::string path(name, strnlen(name, bytes.size() - sizeof record - kTrailer));
      return maps.Mapped(record.pid, {record.address, record.address + record.length, record.page_offset, device, record.inode,
                                      path.starts_with("//anon") ? "" : path});
    }
    case PERF_RECORD_COMM: {
      CommRecord record;
      if (As(bytes, record) && (header.misc & PERF_RECORD_MISC_COMM_EXEC) != 0) maps.Executed(record.pid);
      return;
    }
    case PERF_RECORD_FORK: {
      TaskRecord record;
      if (As(bytes, record) && record.pid != record.parent) maps.Forked(record.pid, record.parent);
      return;
    }
    case PERF_RECORD_EXIT: {
      TaskRecord record;
      if (As(bytes, record) && record.pid == record.tid) maps.Ended(record.pid);
      return;
    }
    case PERF_RECORD_LOST: return maps.Missed();
    default: return;
  }
}

}  // namespace kawk
