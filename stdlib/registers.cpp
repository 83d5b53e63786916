#include "stdlib/registers.h"

#include <array>

namespace kawk {
namespace {

struct RegisterRow {
  std::string_view name;
  uint32_t offset;
};

// x86-64: the order of struct pt_regs in <asm/ptrace.h>.
constexpr std::array kRegisters = {
    RegisterRow{"r15", 0},  RegisterRow{"r14", 8},  RegisterRow{"r13", 16},    RegisterRow{"r12", 24},
    RegisterRow{"bp", 32},  RegisterRow{"bx", 40},  RegisterRow{"r11", 48},    RegisterRow{"r10", 56},
    RegisterRow{"r9", 64},  RegisterRow{"r8", 72},  RegisterRow{"ax", 80},     RegisterRow{"cx", 88},
    RegisterRow{"dx", 96},  RegisterRow{"si", 104}, RegisterRow{"di", 112},    RegisterRow{"orig_ax", 120},
    RegisterRow{"ip", 128}, RegisterRow{"cs", 136}, RegisterRow{"flags", 144}, RegisterRow{"sp", 152},
    RegisterRow{"ss", 160},
};

}  // namespace

std::optional<uint32_t> RegisterOffset(std::string_view name) {
  for (const RegisterRow& row : kRegisters) {
    if (row.name == name) return row.offset;
  }
  return std::nullopt;
}

std::vector<std::string> RegisterNames() {
  std::vector<std::string> names;
  for (const RegisterRow& row : kRegisters) names.emplace_back(row.name);
  return names;
}

}  // namespace kawk
