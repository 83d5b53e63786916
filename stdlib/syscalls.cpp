#include "stdlib/syscalls.h"

#include <algorithm>
#include <array>

namespace kawk {
namespace {

struct SyscallRow {
  uint32_t number;
  std::string_view name;
  std::string_view tracepoint;
};

constexpr std::array kSyscalls = {
#define SYSCALL(number, name, tracepoint) SyscallRow{number, name, tracepoint},
#include "stdlib/syscalls_x86_64.def"
};
static_assert(std::is_sorted(kSyscalls.begin(), kSyscalls.end(),
                             [](const auto& a, const auto& b) { return a.number < b.number; }));
static_assert(kSyscalls.back().number < kSyscallLimit);

}  // namespace

std::optional<uint32_t> SyscallOfTracepoint(std::string_view tracepoint) {
  const auto row =
      std::find_if(kSyscalls.begin(), kSyscalls.end(), [&](const SyscallRow& r) { return r.tracepoint == tracepoint; });
  if (row == kSyscalls.end()) return std::nullopt;
  return row->number;
}

std::string_view SyscallName(uint32_t number) {
  const auto row =
      std::lower_bound(kSyscalls.begin(), kSyscalls.end(), number, [](const SyscallRow& r, uint32_t n) { return r.number < n; });
  return row != kSyscalls.end() && row->number == number ? row->name : std::string_view{};
}

}  // namespace kawk
