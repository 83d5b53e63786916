#include "codegen/lower.h"

#include "ast/walk.h"
#include "stdlib/syscalls.h"

namespace kawk {
namespace {

constexpr std::string_view kEnter = "sys_enter_";
constexpr std::string_view kExit = "sys_exit_";

// Fields of another shape than a register (strings that newer kernels add) exist only in the perf record.
bool ReadsOnlyRegisters(const ProbeUnit& unit, const Typed& typed) {
  bool fine = true;
  Walker walker;
  walker.on_expr = [&](const Expr& expr) {
    const ExprInfo& info = typed.Info(&expr);
    if (info.field != nullptr && info.space == AddressSpace::Context && !(info.type->IsScalar() && SizeOfType(info.type) == 8)) {
      if (info.field->name != "__syscall_nr") fine = false;
    }
  };
  walker.Walk(*unit.probe);
  return fine;
}

LoweredUnit LowerUnit(const ProbeUnit& unit, const Typed& typed) {
  LoweredUnit lowered;
  if (unit.kind != ProbeKind::Tracepoint) return lowered;
  if (!typed.config.lower_tracepoints) return lowered.why_not = "config lower_tracepoints is off", lowered;
#ifndef __x86_64__
  return lowered.why_not = "not built for this architecture yet", lowered;
#endif
  bool enter = true, exit = true;
  for (const AttachTarget& target : unit.targets) {
    enter = enter && target.group == "syscalls" && target.target.starts_with(kEnter);
    exit = exit && target.group == "syscalls" && target.target.starts_with(kExit);
  }
  if (enter == exit) return lowered.why_not = "not the entries, or the exits, of system calls only", lowered;
  if (!ReadsOnlyRegisters(unit, typed)) return lowered.why_not = "reads a field that only the perf record has", lowered;
  for (const AttachTarget& target : unit.targets) {
    const auto number = SyscallOfTracepoint(std::string_view(target.target).substr((enter ? kEnter : kExit).size()));
    if (!number) return lowered.why_not = target.name + " is of a system call that is not in the table", lowered;
    lowered.syscalls.push_back(*number);
  }
  lowered.context = enter ? ContextKind::SyscallEnter : ContextKind::SyscallExit;
  return lowered;
}

}  // namespace

std::vector<LoweredUnit> LowerUnits(const Typed& typed) {
  std::vector<LoweredUnit> units;
  for (const ProbeUnit& unit : typed.units) units.push_back(LowerUnit(unit, typed));
  return units;
}

}  // namespace kawk
