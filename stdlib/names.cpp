#include "stdlib/names.h"

#include <csignal>
#include <cstring>

#include "stdlib/syscalls.h"

namespace kawk {
namespace {

constexpr int kErrorLimit = 134;  // one more than the last error number of Linux
constexpr int kRealTime = 34;     // the first signal that the C library leaves to programs

struct ErrorRow {
  int error;
  const char* text;
};
// What the kernel's own <errno.h> says in other words than strerror(3), and scripts have always printed.
constexpr ErrorRow kKernelTexts[] = {
    ErrorRow{5, "I/O error"},
    ErrorRow{9, "Bad file number"},
    ErrorRow{11, "Try again (operation would block)"},
    ErrorRow{12, "Out of memory"},
    ErrorRow{18, "Cross-device link"},
    ErrorRow{23, "File table overflow"},
    ErrorRow{25, "Not a typewriter"},
    ErrorRow{33, "Math argument out of domain of func"},
    ErrorRow{34, "Math result not representable"},
    ErrorRow{35, "Resource deadlock would occur"},
    ErrorRow{37, "No record locks available"},
    ErrorRow{38, "Invalid system call number"},
    ErrorRow{40, "Too many symbolic links encountered"},
    ErrorRow{74, "Not a data message"},
    ErrorRow{84, "Illegal byte sequence"},
    ErrorRow{95, "Operation not supported on transport endpoint"},
    ErrorRow{102, "Network dropped connection because of reset"},
    ErrorRow{122, "Quota exceeded"},
    ErrorRow{125, "Operation Canceled"},
};

NameTable MakeErrors() {
  NameTable table{{}, "Unknown error"};
  for (int error = 0; error < kErrorLimit; ++error) {
    const char* text = strerrordesc_np(error);
    table.names.emplace_back(text != nullptr ? text : table.otherwise);
  }
  for (const ErrorRow& row : kKernelTexts) table.names[static_cast<size_t>(row.error)] = row.text;
  return table;
}

NameTable MakeSignals() {
  NameTable table{{}, "N/A"};
  for (int signal = 0; signal <= static_cast<int>(kLastSignal); ++signal) {
    const char* text = sigdescr_np(signal);
    if (text != nullptr) {
      table.names.emplace_back(text);
    } else {
      const bool real_time = signal >= kRealTime;
      table.names.push_back((real_time ? "Real-time signal " : "Unknown signal ") +
                            std::to_string(signal - (real_time ? kRealTime : 0)));
    }
  }
  return table;
}

NameTable MakeSyscalls() {
  NameTable table{{}, "Unknown syscall"};
  for (uint32_t number = 0; number < kSyscallLimit; ++number) {
    const std::string_view name = SyscallName(number);
    table.names.emplace_back(name.empty() ? table.otherwise : std::string(name));
  }
  return table;
}

}  // namespace

std::optional<uint32_t> SignalNumber(std::string_view name) {
  if (name.starts_with("SIG")) name.remove_prefix(3);
  for (uint32_t signal = 1; signal <= kLastSignal; ++signal) {
    const char* known = sigabbrev_np(static_cast<int>(signal));
    if (known != nullptr && name == known) return signal;
  }
  return std::nullopt;
}

const NameTable& ErrorTexts() {
  static const NameTable table = MakeErrors();
  return table;
}
const NameTable& SignalTexts() {
  static const NameTable table = MakeSignals();
  return table;
}
const NameTable& SyscallNames() {
  static const NameTable table = MakeSyscalls();
  return table;
}

}  // namespace kawk
