// Chooses the cheapest attach point with the same meaning.
//
// A program on a perf tracepoint costs the traced thread about twice a raw one, and closing it waits for a grace period. The
// tracepoints syscalls:sys_enter_* and sys_exit_* are themselves made from two raw ones, raw_syscalls' sys_enter and sys_exit:
// all that their records hold are the call's number and its registers, or its result. So all such probes of a script become
// functions behind one program per direction, which dispatches on the number.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ast/typed.h"

namespace kawk {

enum class ContextKind : uint8_t {
  AsAttached,    // what the kernel hands to a program of the unit's kind
  SyscallEnter,  // raw tracepoint sys_enter: { struct pt_regs *, long number }
  SyscallExit,   // raw tracepoint sys_exit: { struct pt_regs *, long result }
};

struct LoweredUnit {
  ContextKind context = ContextKind::AsAttached;
  std::vector<uint32_t> syscalls;  // the number of each target, when lowered
  std::string why_not;             // for -v: why a tracepoint was not lowered; empty when it was, or need not be
};

// One per unit.
std::vector<LoweredUnit> LowerUnits(const Typed& typed);

}  // namespace kawk
