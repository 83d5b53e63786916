#include "runtime/attach_points.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <fmt/format.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <string>

#include "base/check.h"
#include "runtime/kernel_functions.h"
#include "runtime/machine.h"

namespace kawk {
namespace {

using image::AttachKind;
using image::AttachSpec;

// Links the program to an open event, or says why it could not be opened.
Status Finish(const AttachPoint& point, Fd event, std::string hint = "") {
  if (!event) return CannotAttach(point.spec, errno, std::move(hint));
  Fd link = LinkPerf(std::move(event), point.program, point.spec.cookie);
  if (!link) return CannotAttach(point.spec, errno, errno == EINVAL ? "the kernel may be too old: Linux 5.15 is needed" : "");
  point.links.push_back(std::move(link));
  return Ok{};
}

Result<uint64_t> ReadNumber(const AttachSpec& spec, const std::string& path, const std::string& hint) {
  const std::string text = ReadSmallFile(path);
  uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc()) return CannotAttach(spec, "cannot read " + path, hint, ENOENT);
  return value;
}

std::vector<pid_t> Threads(int pid) {
  std::vector<pid_t> threads;
  if (DIR* dir = opendir(fmt::format("/proc/{}/task", pid).c_str())) {
    while (const dirent* entry = readdir(dir)) {
      const std::string_view name = entry->d_name;
      pid_t thread = 0;
      if (std::from_chars(name.data(), name.data() + name.size(), thread).ec == std::errc()) threads.push_back(thread);
    }
    closedir(dir);
  }
  return threads;
}

// On every CPU; with -p or -c on each thread of the process, handed on to threads and processes it starts.
Status AttachCounted(const AttachPoint& point, perf_event_attr attr, const std::string& hint) {
  if (point.pid == 0) {
    for (int cpu : OnlineCpus()) {
      Status status = Finish(point, OpenPerf(attr, -1, cpu), hint);
      if (!status) return status;
    }
    return Ok{};
  }
  attr.inherit = 1;
  bool attached = false;
  int code = ESRCH;
  for (pid_t thread : Threads(point.pid)) {
    Fd event = OpenPerf(attr, thread, -1);
    if (!event && errno == ESRCH) continue;  // a thread that ended meanwhile
    if (!event) code = errno;
    Status status = Finish(point, std::move(event), hint);
    if (!status) return status;
    attached = true;
  }
  if (!attached) return CannotAttach(point.spec, code, "");
  return Ok{};
}

perf_event_attr ClockAttr(const AttachSpec& spec) {
  perf_event_attr attr = PerfAttr(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK);
  if (spec.frequency != 0) {
    attr.freq = 1;
    attr.sample_freq = spec.frequency;
  } else {
    attr.sample_period = spec.period;
  }
  return attr;
}

constexpr const char* kRateHint = "a frequency above /proc/sys/kernel/perf_event_max_sample_rate is refused";

Status AttachInterval(const AttachPoint& point) {
  return Finish(point, OpenPerf(ClockAttr(point.spec), -1, OnlineCpus().front()), kRateHint);
}

Status AttachProfile(const AttachPoint& point) { return AttachCounted(point, ClockAttr(point.spec), kRateHint); }

Status AttachSoftware(const AttachPoint& point) {
  perf_event_attr attr = PerfAttr(PERF_TYPE_SOFTWARE, point.spec.config);
  attr.sample_period = point.spec.period;
  return AttachCounted(point, attr, "");
}

Status AttachHardware(const AttachPoint& point) {
  perf_event_attr attr = PerfAttr(PERF_TYPE_HARDWARE, point.spec.config);
  attr.sample_period = point.spec.period;
  return AttachCounted(point, attr, "this machine may have no such counter; virtual machines often have none");
}

Status AttachWatchpoint(const AttachPoint& point) {
  perf_event_attr attr = PerfAttr(PERF_TYPE_BREAKPOINT, 0);
  attr.bp_addr = point.spec.offset;
  attr.bp_len = point.spec.period;
  attr.bp_type = static_cast<uint32_t>(point.spec.config);
  attr.sample_period = 1;
  if (attr.bp_type == HW_BREAKPOINT_X) attr.bp_len = sizeof(long);  // the only length that the kernel takes
  if (point.pid != 0) attr.exclude_kernel = 1;  // the address is of the process; copies to user memory are not seen
  return AttachCounted(point, attr, "the CPU has four registers for this, and debuggers use them too");
}

Status AttachTracepoint(const AttachPoint& point) {
  const AttachSpec& spec = point.spec;
  Result<std::string> tracefs = FindTracefs();
  if (!tracefs) return CannotAttach(spec, tracefs.error().message, tracefs.error().hint, tracefs.error().code);
  const std::string path = fmt::format("{}/events/{}/{}/id", *tracefs, spec.group, spec.target);
  Result<uint64_t> id =
      ReadNumber(spec, path, fmt::format("this kernel may have no such tracepoint; -l 'tracepoint:{}:*' lists them", spec.group));
  if (!id) return id.error();
  // Such an event belongs to no CPU in particular: opened for one, it fires on all.
  perf_event_attr attr = PerfAttr(PERF_TYPE_TRACEPOINT, *id);
  attr.sample_period = 1;
  return Finish(point, OpenPerf(attr, -1, OnlineCpus().front()));
}

Status AttachRawTracepoint(const AttachPoint& point) {
  const AttachSpec& spec = point.spec;
  // A program of typed arguments was loaded for its tracepoint.
  const char* name = spec.kind == AttachKind::BtfTracepoint ? nullptr : spec.target.c_str();
  Fd link = LinkRawTracepoint(name, point.program, spec.cookie);
  // Before Linux 6.10 there are no cookies here, and no program that asks for one could have been loaded.
  if (!link && errno == EINVAL && spec.cookie != 0) link = LinkRawTracepoint(name, point.program, 0);
  if (!link && errno == ENOENT)
    return CannotAttach(spec, "this kernel has no such raw tracepoint", "-l 'rawtracepoint:*' lists them", ENOENT);
  if (!link) return CannotAttach(spec, errno);
  point.links.push_back(std::move(link));
  return Ok{};
}

// kprobe and uprobe are devices of perf: a type number and the bit that asks for the return.
Result<perf_event_attr> ProbeAttr(const AttachSpec& spec, const char* device, bool is_return, const char* option) {
  const std::string path = fmt::format("/sys/bus/event_source/devices/{}", device);
  Result<uint64_t> type =
      ReadNumber(spec, path + "/type", fmt::format("this kernel has no {}s: it was built without {}", device, option));
  if (!type) return type.error();
  perf_event_attr attr = PerfAttr(static_cast<uint32_t>(*type), 0);
  if (is_return) {
    uint64_t bit = 0;
    const std::string format = ReadSmallFile(path + "/format/retprobe");  // "config:0"
    const size_t colon = format.find(':');
    if (colon == std::string::npos) return CannotAttach(spec, "cannot read " + path + "/format/retprobe", "", ENOENT);
    std::from_chars(format.data() + colon + 1, format.data() + format.size(), bit);
    attr.config |= uint64_t{1} << (bit & 63);
  }
  return attr;
}

Status AttachKernelFunction(const AttachPoint& point, bool is_return) {
  const AttachSpec& spec = point.spec;
  Result<perf_event_attr> attr = ProbeAttr(spec, "kprobe", is_return, "CONFIG_KPROBE_EVENTS");
  if (!attr) return attr.error();
  const std::string function = spec.group.empty() ? spec.target : spec.group + ":" + spec.target;
  if (!function.empty()) attr->kprobe_func = reinterpret_cast<uint64_t>(function.c_str());
  attr->probe_offset = spec.offset;  // of a function; else kprobe_addr, the same field
  Fd event = OpenPerf(*attr, -1, OnlineCpus().front());
  if (!event) return CannotAttachKernelFunction(spec, errno);
  return Finish(point, std::move(event));
}

Status AttachUserFunction(const AttachPoint& point, bool is_return) {
  const AttachSpec& spec = point.spec;
  Result<perf_event_attr> attr = ProbeAttr(spec, "uprobe", is_return, "CONFIG_UPROBE_EVENTS");
  if (!attr) return attr.error();
  constexpr unsigned kRefCtrShift = 32;  // format/ref_ctr_offset: config:32-63
  attr->config |= spec.ref_ctr_offset << kRefCtrShift;
  attr->uprobe_path = reinterpret_cast<uint64_t>(spec.path.c_str());
  attr->probe_offset = spec.offset;
  if (point.pid != 0) return Finish(point, OpenPerf(*attr, point.pid, -1));
  return Finish(point, OpenPerf(*attr, -1, OnlineCpus().front()));
}

Status AttachTraced(const AttachPoint& point) {
  const AttachSpec& spec = point.spec;
  bpf_link_create_opts options = {};
  options.sz = sizeof options;
  options.tracing.cookie = spec.cookie;
  const bpf_attach_type type = spec.kind == AttachKind::Fentry ? BPF_TRACE_FENTRY : BPF_TRACE_FEXIT;
  Fd link(bpf_link_create(point.program, 0, type, &options));
  if (!link)
    return CannotAttach(spec, errno,
                        errno == EBUSY ? "another tracer holds this function" : "kprobe may work where this does not");
  point.links.push_back(std::move(link));
  return Ok{};
}

Status AttachIterator(const AttachPoint& point) {
  Fd link(bpf_link_create(point.program, 0, BPF_TRACE_ITER, nullptr));
  if (!link) return CannotAttach(point.spec, errno);
  if (!point.spec.path.empty() && bpf_obj_pin(link.get(), point.spec.path.c_str()) != 0) {
    const int code = errno;
    return CannotAttach(
        point.spec, fmt::format("cannot pin it to {}: {}", point.spec.path, strerror(code)),
        code == EEXIST ? "remove what is there" : "pins live in a file system of type bpf: mount -t bpf bpf /sys/fs/bpf", code);
  }
  point.links.push_back(std::move(link));
  return Ok{};
}

Status AttachKprobe(const AttachPoint& point) { return AttachKernelFunction(point, false); }
Status AttachKretprobe(const AttachPoint& point) { return AttachKernelFunction(point, true); }
Status AttachUprobe(const AttachPoint& point) { return AttachUserFunction(point, false); }
Status AttachUretprobe(const AttachPoint& point) { return AttachUserFunction(point, true); }

}  // namespace

Error CannotAttach(const AttachSpec& spec, const std::string& cause, std::string hint, int code) {
  return Error{fmt::format("cannot attach {}: {}", spec.name, cause), std::move(hint), code};
}

Error CannotAttach(const AttachSpec& spec, int code, std::string hint) {
  constexpr int kNotSupported = 524;  // ENOTSUPP of the kernel, which is not for users
  if (code == kNotSupported && !spec.path.empty())
    return CannotAttach(spec, "the kernel cannot put a probe on the instruction there", "", code);
  if (code == EMFILE) hint = "raise the limit of open files, for example with ulimit -n";
  if (code == EPERM || code == EACCES) hint = "run it as root, for example with sudo; a locked down kernel refuses even then";
  return CannotAttach(spec, strerror(code), std::move(hint), code);
}

// What the kernel's error numbers mean for a function.
Error CannotAttachKernelFunction(const AttachSpec& spec, int code) {
  KernelFunctions functions;
  const size_t count = functions.Count(spec.group, spec.target);
  if (!spec.target.empty() &&
      (code == ENOENT || code == ESRCH || code == EINVAL || code == EADDRNOTAVAIL || code == EOPNOTSUPP)) {
    if (count == 0) {
      return CannotAttach(spec, "the kernel has no such function",
                          "it may be inlined everywhere, or be called otherwise in this kernel; -l 'kprobe:*NAME*' searches",
                          code);
    }
    if (count > 1) {
      return CannotAttach(spec, fmt::format("{} functions of the kernel have this name", count),
                          "name the module, or attach by address: /proc/kallsyms has them all", code);
    }
  }
  if (code == EINVAL && spec.offset != 0)
    return CannotAttach(spec, "no instruction begins at this offset", "disassemble the function to find one", code);
  if (code == EILSEQ)
    return CannotAttach(spec, "no instruction begins at this offset", "disassemble the function to find one", code);
  if (code == EINVAL || code == EOPNOTSUPP)
    return CannotAttach(spec, "the kernel does not let this function be probed",
                        "it is marked so, because a probe there could stop the machine; try a caller of it", code);
  return CannotAttach(spec, code);
}

const KindTraits& TraitsOf(AttachKind kind) {
  static constexpr KindTraits kByHand = {};
  static constexpr KindTraits kInterval = {.attach = AttachInterval};
  static constexpr KindTraits kProfile = {.attach = AttachProfile};
  static constexpr KindTraits kSoftware = {.attach = AttachSoftware, .follows_events = true};
  static constexpr KindTraits kHardware = {.attach = AttachHardware, .follows_events = true};
  static constexpr KindTraits kWatchpoint = {.attach = AttachWatchpoint, .follows_events = true};
  static constexpr KindTraits kTracepoint = {.attach = AttachTracepoint, .follows_events = true, .closes_slowly = true};
  static constexpr KindTraits kRawTracepoint = {.attach = AttachRawTracepoint, .follows_events = true};
  static constexpr KindTraits kKprobe = {
      .attach = AttachKprobe, .follows_events = true, .closes_slowly = true, .runs_last_first = true};
  static constexpr KindTraits kKretprobe = {
      .attach = AttachKretprobe, .follows_events = true, .closes_slowly = true, .runs_last_first = true};
  static constexpr KindTraits kUprobe = {
      .attach = AttachUprobe, .follows_events = true, .closes_slowly = true, .runs_last_first = true};
  static constexpr KindTraits kUretprobe = {
      .attach = AttachUretprobe, .follows_events = true, .closes_slowly = true, .runs_last_first = true};
  static constexpr KindTraits kTraced = {.attach = AttachTraced, .follows_events = true, .closes_slowly = true};
  static constexpr KindTraits kIterator = {.attach = AttachIterator, .follows_events = true};
  switch (kind) {
    case AttachKind::Fentry:
    case AttachKind::Fexit: return kTraced;
    case AttachKind::Iter: return kIterator;
    case AttachKind::Begin:
    case AttachKind::End:
    case AttachKind::Test:
    case AttachKind::Bench:
    case AttachKind::Signal: return kByHand;
    case AttachKind::Interval: return kInterval;
    case AttachKind::Profile: return kProfile;
    case AttachKind::Software: return kSoftware;
    case AttachKind::Hardware: return kHardware;
    case AttachKind::Watchpoint: return kWatchpoint;
    case AttachKind::Tracepoint: return kTracepoint;
    case AttachKind::RawTracepoint:
    case AttachKind::BtfTracepoint: return kRawTracepoint;
    case AttachKind::Kprobe: return kKprobe;
    case AttachKind::Kretprobe: return kKretprobe;
    case AttachKind::Uprobe: return kUprobe;
    case AttachKind::Uretprobe: return kUretprobe;
  }
  UNREACHABLE("attach kind");
}

}  // namespace kawk
