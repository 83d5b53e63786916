// Kernel time stamps → wall clock text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kawk {

// Nanoseconds to add to CLOCK_BOOTTIME (what `nsecs` counts) to get nanoseconds since the epoch.
int64_t BootToWallClock();

// strftime of the local time `wall_ns` (since the epoch). %f is the microseconds of the second, six digits.
void AppendTime(std::string& out, const std::string& format, int64_t wall_ns);

}  // namespace kawk
