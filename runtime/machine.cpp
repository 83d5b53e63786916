#include "runtime/machine.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>

namespace kawk {
namespace {

constexpr uint64_t kMiB = 1024 * 1024;
constexpr uint64_t kRingBytes = 16 * kMiB;
constexpr uint64_t kQuietRingBytes = 4 * kMiB;
constexpr uint64_t kSmallestRingBytes = kMiB / 4;
constexpr uint64_t kLargestRingBytes = 1024 * kMiB;
constexpr uint64_t kMemoryPerRingByte = 256;  // 16 MiB from 4 GiB of memory on
constexpr uint64_t kInitialPidNamespace = 0xEFFFFFFC;
constexpr long kTracefsMagic = 0x74726163;

// CAP_BPF and CAP_PERFMON are younger than some headers.
constexpr unsigned kCapSysAdmin = 21, kCapPerfmon = 38, kCapBpf = 39;

uint64_t EffectiveCapabilities() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (syscall(SYS_capget, &header, data) != 0) return 0;
  return data[0].effective | static_cast<uint64_t>(data[1].effective) << 32;
}

}  // namespace

Status CheckPrivileges() {
  const uint64_t capabilities = EffectiveCapabilities();
  auto has = [&](unsigned capability) { return (capabilities >> capability & 1) != 0; };
  if (has(kCapSysAdmin) || (has(kCapBpf) && has(kCapPerfmon))) return Ok{};
  std::string missing;
  if (!has(kCapBpf)) missing = "CAP_BPF";
  if (!has(kCapPerfmon)) missing += missing.empty() ? "CAP_PERFMON" : " and CAP_PERFMON";
  return Error{"no permission to trace: " + missing + " missing", "run it as root, for example with sudo", EPERM};
}

Result<std::string> FindTracefs() {
  int reason = ENOENT;
  for (const char* path : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
    struct statfs info;
    if (statfs(path, &info) != 0) {
      if (errno == EACCES) reason = EACCES;
      continue;
    }
    if (info.f_type == kTracefsMagic) return std::string(path);
  }
  if (reason == EACCES) return Error{"no permission to read tracefs", "run it as root, for example with sudo", reason};
  return Error{"tracefs is not mounted, so tracepoints cannot be found", "mount -t tracefs tracefs /sys/kernel/tracing", reason};
}

std::string ReadSmallFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return "";
  std::string text(4096, '\0');
  const ssize_t count = read(fd, text.data(), text.size());
  close(fd);
  text.resize(count > 0 ? static_cast<size_t>(count) : 0);
  return text;
}

std::vector<int> ParseCpuList(const std::string& text) {
  std::vector<int> cpus;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    int first = 0;
    auto parsed = std::from_chars(at, end, first);
    if (parsed.ec != std::errc()) break;
    int last = first;
    if (parsed.ptr != end && *parsed.ptr == '-') {
      parsed = std::from_chars(parsed.ptr + 1, end, last);
      if (parsed.ec != std::errc()) break;
    }
    constexpr int kMostCpus = 1 << 16;
    for (int cpu = first; cpu <= std::min(last, kMostCpus); ++cpu) cpus.push_back(cpu);
    at = parsed.ptr;
    if (at == end || *at != ',') break;
    ++at;
  }
  return cpus;
}

std::vector<int> OnlineCpus() {
  std::vector<int> cpus = ParseCpuList(ReadSmallFile("/sys/devices/system/cpu/online"));
  if (cpus.empty()) cpus.push_back(0);
  return cpus;
}

uint32_t PossibleCpus() {
  // Per-CPU values have one slot for every possible CPU, also for those which are away.
  const std::vector<int> cpus = ParseCpuList(ReadSmallFile("/sys/devices/system/cpu/possible"));
  return cpus.empty() ? static_cast<uint32_t>(sysconf(_SC_NPROCESSORS_CONF)) : static_cast<uint32_t>(cpus.back() + 1);
}

uint64_t PageSize() { return static_cast<uint64_t>(sysconf(_SC_PAGESIZE)); }

uint64_t MemoryBytes() {
  struct sysinfo info;
  if (sysinfo(&info) != 0) return 4096 * kMiB;
  return static_cast<uint64_t>(info.totalram) * info.mem_unit;
}

uint64_t RingBytes(uint64_t pages, uint64_t page_size, uint64_t memory, bool events) {
  if (pages > 0) return std::bit_ceil(std::min(pages, kLargestRingBytes / page_size) * page_size);
  const uint64_t fair = std::bit_floor(std::max<uint64_t>(memory / kMemoryPerRingByte, 1));
  return std::max(page_size, std::clamp(fair, kSmallestRingBytes, events ? kRingBytes : kQuietRingBytes));
}

void FindPidNamespace(image::ProgramState& state) {
  state.pid_ns_dev = state.pid_ns_ino = 0;
  struct stat info;
  if (stat("/proc/self/ns/pid", &info) != 0 || info.st_ino == kInitialPidNamespace) return;
  // The helper compares with the kernel's own device number, not with the one stat() encodes.
  state.pid_ns_dev = static_cast<uint64_t>(major(info.st_dev)) << 20 | minor(info.st_dev);
  state.pid_ns_ino = info.st_ino;
}

}  // namespace kawk
