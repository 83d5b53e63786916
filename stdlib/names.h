// Numbers of the kernel's interface and what they are called: errors, signals, system calls.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kawk {

// The name of a number is at its index; `otherwise` is that of all others.
struct NameTable {
  std::vector<std::string> names;
  std::string otherwise;

  const std::string& Of(uint64_t number) const { return number < names.size() ? names[number] : otherwise; }
};

// What the results of strerror(), signal_name() and syscall_name() can hold, NUL included.
inline constexpr uint64_t kNameCapacity = 64;

const NameTable& ErrorTexts();   // as the kernel's <errno.h> has them
const NameTable& SignalTexts();  // as strsignal(3) has them, in English
const NameTable& SyscallNames();

// The number of a signal by its name, with or without "SIG" in front.
std::optional<uint32_t> SignalNumber(std::string_view name);
inline constexpr uint32_t kLastSignal = 64;

}  // namespace kawk
