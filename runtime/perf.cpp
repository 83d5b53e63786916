#include "runtime/perf.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace kawk {
namespace {

// bpf_attr's raw_tracepoint as of Linux 6.10; older headers have no cookie.
struct RawTracepointOpen {
  uint64_t name;
  uint32_t program;
  uint32_t pad;
  uint64_t cookie;
};

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) close(fd_);
    fd_ = other.Release();
  }
  return *this;
}

Fd::~Fd() {
  if (fd_ >= 0) close(fd_);
}

perf_event_attr PerfAttr(uint32_t type, uint64_t config) {
  perf_event_attr attr = {};
  attr.size = sizeof attr;
  attr.type = type;
  attr.config = config;
  return attr;
}

Fd OpenPerf(const perf_event_attr& attr, pid_t pid, int cpu) {
  return Fd(static_cast<int>(syscall(SYS_perf_event_open, &attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC)));
}

Fd LinkPerf(Fd event, int program, uint64_t cookie) {
  bpf_link_create_opts opts = {};
  opts.sz = sizeof opts;
  opts.perf_event.bpf_cookie = cookie;
  const int link = bpf_link_create(program, event.get(), BPF_PERF_EVENT, &opts);
  if (link >= 0) return Fd(link);
  errno = -link;
  if (errno != EINVAL || cookie != 0) return Fd();
  if (ioctl(event.get(), PERF_EVENT_IOC_SET_BPF, program) != 0) return Fd();
  if (ioctl(event.get(), PERF_EVENT_IOC_ENABLE, 0) != 0) return Fd();
  return event;
}

Fd LinkRawTracepoint(const char* name, int program, uint64_t cookie) {
  RawTracepointOpen attr = {reinterpret_cast<uint64_t>(name), static_cast<uint32_t>(program), 0, cookie};
  // Older kernels refuse a longer block only when what they do not know is not zero; they still want the shorter one.
  const size_t size = cookie == 0 ? offsetof(RawTracepointOpen, pad) : sizeof attr;
  return Fd(static_cast<int>(syscall(SYS_bpf, BPF_RAW_TRACEPOINT_OPEN, &attr, size)));
}

}  // namespace kawk
