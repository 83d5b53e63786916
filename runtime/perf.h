// perf_event_open and what hangs a program on its events.
#pragma once

#include <linux/perf_event.h>
#include <sys/types.h>

#include <cstdint>

#include "base/result.h"

namespace kawk {

// A descriptor that closes itself.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.Release()) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd();
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int Release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }

 private:
  int fd_ = -1;
};

// An attribute block with size and type set.
perf_event_attr PerfAttr(uint32_t type, uint64_t config);
// perf_event_open with close-on-exec; errno is set when the result is empty. pid -1: every process; cpu -1: every CPU.
Fd OpenPerf(const perf_event_attr& attr, pid_t pid, int cpu);
// Hangs the program on the event and returns the link, which keeps the event alive. Kernels without links (before 5.15)
// get the older ioctl, without a cookie; the event itself is returned then.
Fd LinkPerf(Fd event, int program, uint64_t cookie);
// The link of a raw tracepoint. A cookie other than 0 needs Linux 6.10.
Fd LinkRawTracepoint(const char* name, int program, uint64_t cookie);

}  // namespace kawk
