// Kernel time stamps → wall clock text.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace kawk {

// Both clocks at one instant, in nanoseconds.
struct ClockPair {
  int64_t boot;  // CLOCK_BOOTTIME, what `nsecs` counts
  int64_t wall;  // CLOCK_REALTIME
};
ClockPair ReadClocks();

// What time of day it was at a time since boot. The wall clock may be set or slewed while we run: its distance from the boot
// clock is looked at again and again and kept with the time from which on it was true, so that old time stamps keep the time
// of day that they had. Safe to use from several threads.
class WallClock {
 public:
  explicit WallClock(std::function<ClockPair()> read = ReadClocks);
  // Looks at the clocks. To be called every second or so: a step of the wall clock is placed where it was first seen.
  void Look();
  // Nanoseconds since the epoch.
  int64_t At(int64_t boot_ns);

 private:
  struct Distance {
    int64_t since;  // boot clock
    int64_t wall_minus_boot;
  };
  void LookLocked();

  const std::function<ClockPair()> read_;
  std::mutex mutex_;
  std::vector<Distance> distances_;  // by `since`, never empty
  int64_t last_look_ = 0;            // boot clock
};

// strftime of the local time `wall_ns` (since the epoch). %f is the microseconds of the second, six digits.
void AppendTime(std::string& out, const std::string& format, int64_t wall_ns);

}  // namespace kawk
