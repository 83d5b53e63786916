// System call numbers and names of the architecture.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace kawk {

// The number of the system call whose tracepoints are sys_enter_<tracepoint> and sys_exit_<tracepoint>.
std::optional<uint32_t> SyscallOfTracepoint(std::string_view tracepoint);
// Its name, as strace shows it; empty when there is none of this number.
std::string_view SyscallName(uint32_t number);

// One more than the largest number that a table indexed by number must hold.
inline constexpr uint32_t kSyscallLimit = 512;

}  // namespace kawk
