// Chooses the cheapest attach point with the same meaning.
//
// A program on a perf tracepoint costs the traced thread about twice a raw one, and closing it waits for a grace period. The
// tracepoints syscalls:sys_enter_* and sys_exit_* are themselves made from two raw ones, raw_syscalls' sys_enter and sys_exit:
// all that their records hold are the call's number and its registers, or its result. So all such probes of a script become
// functions behind one program per direction, which dispatches on the number. Any other tracepoint has a raw one of its own
// name, which will do where the script reads no fields, or only fields of stdlib/raw_fields.def.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ast/typed.h"
#include "codegen/raw_path.h"

namespace kawk {

enum class ContextKind : uint8_t {
  AsAttached,    // what the kernel hands to a program of the unit's kind
  SyscallEnter,  // raw tracepoint sys_enter: { struct pt_regs *, long number }
  SyscallExit,   // raw tracepoint sys_exit: { struct pt_regs *, long result }
  RawArguments,  // the raw tracepoint of the same name: its arguments, 8 bytes each
};

struct LoweredUnit {
  ContextKind context = ContextKind::AsAttached;
  std::vector<uint32_t> syscalls;          // the number of each target, of system calls
  std::map<std::string, RawValue> fields;  // of `args`, by name, with RawArguments
  bool typed = false;                      // with RawArguments: loaded for its one tracepoint, so that it can follow pointers
  std::string why_not;                     // for -v: why a tracepoint was not lowered; empty when it was, or need not be

  // Whether it is a function of a dispatcher (see dispatch.h).
  bool dispatched() const { return context == ContextKind::SyscallEnter || context == ContextKind::SyscallExit; }
};

// One per unit.
std::vector<LoweredUnit> LowerUnits(const Typed& typed);

// What -v tells of them: a line for each tracepoint unit.
std::vector<std::string> DescribeLowering(const Typed& typed, const std::vector<LoweredUnit>& lowered);

}  // namespace kawk
