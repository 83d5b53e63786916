// Where functions may stand, and what those that ask the kernel about tasks and registers need.
#include <fmt/format.h>

#include "ast/passes/check.h"
#include "stdlib/registers.h"

namespace kawk {

bool CallChecker::CheckPlace(const Call& call, const FunctionRow& row) {
  const ProbeRow& probe = Row(unit_->kind);
  if ((row.flags & kNeedsRegisters) == 0 || (probe.flags & kHasRegisters) != 0) return true;
  diagnostics_.EmitWithHint(Diag::BuiltinNotInProbe, call.location, fmt::format("it is in {}", ProbesWith(kHasRegisters)),
                            row.name, probe.name);
  return false;
}

// Integers are no strings, and what a pointer to anything but characters leads to is none either.
void CallChecker::CheckStrcap(const Call& call) {
  const Type* type = typed_.TypeOf(call.args[0]);
  if (type == nullptr || type->is(TypeKind::String) || type->IsInteger()) return;
  const bool characters = type->element != nullptr && type->element->is(TypeKind::Int) && type->element->bits == 8;
  if (characters) return;
  diagnostics_.Emit(Diag::NotAnAddress, call.args[0]->location, call.name, "a string or an array of characters", ToString(type));
}

void CallChecker::CheckReg(const Call& call) {
  const std::optional<std::string>& name = typed_.Info(call.args[0]).string;
  if (!name || RegisterOffset(*name)) return;
  diagnostics_.EmitWithHint(Diag::UnknownRegister, call.args[0]->location, DidYouMean(*name, RegisterNames()), *name);
}

// The layout of tasks comes from BTF.
void CallChecker::CheckTask(const Call& call) {
  const Type* given = call.args.empty() ? nullptr : typed_.TypeOf(call.args[0]);
  const bool other = given != nullptr && given->is(TypeKind::Pointer) && given->element->is(TypeKind::Struct) &&
                     given->element->info->name != "struct task_struct";
  if (other) {
    diagnostics_.Emit(Diag::NotAnAddress, call.args[0]->location, call.name, "a `struct task_struct *`", ToString(given));
  }
  for (const char* needed : {"struct task_struct", "struct pid", "struct upid", "struct ns_common"}) {
    if (typed_.source->Find(needed) != nullptr) continue;
    diagnostics_.Emit(Diag::NeedsBtf, call.location, call.name, needed);
    return;
  }
}

}  // namespace kawk
