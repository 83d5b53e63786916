#include "runtime/clock.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <utility>

#include "runtime/text.h"

namespace kawk {

namespace {

constexpr int64_t kSecond = 1000000000;
constexpr int64_t kWorthKeeping = 20000;  // ns: above what reading the clocks is wrong by
constexpr size_t kMostDistances = 4096;   // a day of hard slewing; then the older half is forgotten

int64_t Now(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

// `format` with every %f replaced. "%%f" stays what it is.
std::string ReplaceMicroseconds(const std::string& format, int64_t microseconds) {
  std::string replaced;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      replaced += format[i];
    } else if (format[++i] == 'f') {
      const std::string digits = std::to_string(microseconds);
      replaced.append(6 - digits.size(), '0').append(digits);
    } else {
      replaced.append({'%', format[i]});
    }
  }
  return replaced;
}

}  // namespace

ClockPair ReadClocks() {
  // The clocks cannot be read at one instant: the shortest of a few tries has the smallest error.
  int64_t best_gap = INT64_MAX;
  ClockPair best{};
  for (int i = 0; i < 5; ++i) {
    const int64_t before = Now(CLOCK_BOOTTIME);
    const int64_t wall = Now(CLOCK_REALTIME);
    const int64_t after = Now(CLOCK_BOOTTIME);
    if (after - before < best_gap) {
      best_gap = after - before;
      best = {before + (after - before) / 2, wall};
    }
  }
  return best;
}

WallClock::WallClock(std::function<ClockPair()> read) : read_(std::move(read)) { Look(); }

void WallClock::Look() {
  const std::lock_guard lock(mutex_);
  LookLocked();
}

void WallClock::LookLocked() {
  const ClockPair now = read_();
  const int64_t distance = now.wall - now.boot;
  last_look_ = now.boot;
  if (distances_.empty() || std::abs(distance - distances_.back().wall_minus_boot) >= kWorthKeeping) {
    // Time stamps before the first look have nothing better than it.
    distances_.push_back({distances_.empty() ? INT64_MIN : now.boot, distance});
  }
  if (distances_.size() > kMostDistances) distances_.erase(distances_.begin() + 1, distances_.begin() + kMostDistances / 2);
}

int64_t WallClock::At(int64_t boot_ns) {
  const std::lock_guard lock(mutex_);
  if (boot_ns > last_look_) LookLocked();
  const auto after = std::ranges::upper_bound(distances_, boot_ns, {}, &Distance::since);
  return static_cast<int64_t>(static_cast<uint64_t>(boot_ns) + static_cast<uint64_t>(std::prev(after)->wall_minus_boot));
}

void AppendTime(std::string& out, const std::string& format, int64_t wall_ns) {
  int64_t seconds = wall_ns / kSecond;
  int64_t rest = wall_ns % kSecond;
  if (rest < 0) {
    rest += kSecond;
    --seconds;
  }
  const time_t time = seconds;
  tm local{};
  if (localtime_r(&time, &local) == nullptr) return;
  // A character in front tells an empty result from one that does not fit, and the peer's fixed buffer is not ours.
  const std::string expanded = "x" + ReplaceMicroseconds(format, rest / 1000);
  std::string text(256, '\0');
  size_t length = 0;
  while ((length = strftime(text.data(), text.size(), expanded.c_str(), &local)) == 0 && text.size() < 65536) {
    text.resize(text.size() * 4);
  }
  if (length > 0) out.append(text, 1, length - 1);
}

}  // namespace kawk
