// Where functions may stand, and what those that ask the kernel about tasks and registers need.
#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>

#include "ast/passes/check.h"
#include "ast/passes/format.h"
#include "stdlib/names.h"
#include "stdlib/registers.h"

namespace kawk {

bool CallChecker::CheckPlace(const Call& call, const FunctionRow& row) {
  const ProbeRow& probe = Row(unit_->kind);
  std::string hint;
  if ((row.flags & kNeedsRegisters) != 0 && (probe.flags & kHasRegisters) == 0) {
    hint = fmt::format("it is in {}", ProbesWith(kHasRegisters));
  } else if ((row.flags & kNeedsTask) != 0 && ((probe.flags & kOnce) != 0 || unit_->kind == ProbeKind::Interval)) {
    hint = "the current process is none in particular here; use it where one does something";
  } else if ((row.flags & kOnlyKprobe) != 0 && unit_->kind != ProbeKind::Kprobe) {
    hint = "it is in kprobe";
  } else {
    return true;
  }
  diagnostics_.EmitWithHint(Diag::BuiltinNotInProbe, call.location, hint, row.name, probe.name);
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
  const Type* given = typed_.TypeOf(call.args[0]);
  const bool other = given != nullptr && given->is(TypeKind::Pointer) && given->element->is(TypeKind::Struct) &&
                     given->element->info->name != "struct task_struct";
  if (other) {
    diagnostics_.Emit(Diag::NotAnAddress, call.args[0]->location, call.name, "a `struct task_struct *`", ToString(given));
  }
  CheckStructs(call, {"struct task_struct", "struct pid", "struct upid", "struct ns_common"});
}

void CallChecker::CheckPath(const Call& call) {
  constexpr std::string_view kPath = "struct path";
  const Type* type = typed_.TypeOf(call.args[0]);
  const Type* of = type != nullptr && type->is(TypeKind::Pointer) ? type->element : type;
  if (of != nullptr && !of->is(TypeKind::None) && (!of->is(TypeKind::Struct) || of->info->name != kPath)) {
    diagnostics_.Emit(Diag::NotAnAddress, call.args[0]->location, call.name, "a `struct path` or a pointer to one",
                      ToString(type));
  }
  const std::optional<Known> size = KnownValue(call, 1);
  const auto most = static_cast<Known>(typed_.config.max_strlen);
  if (size && (*size < 1 || *size > most)) {
    diagnostics_.EmitWithHint(Diag::NotAnAddress, call.args[1]->location, "set `max_strlen` for more", call.name,
                              fmt::format("a size from 1 to {}", typed_.config.max_strlen), static_cast<int64_t>(*size));
  }
  CheckStructs(call,
               {"struct path", "struct dentry", "struct vfsmount", "struct mount", "struct qstr", "struct super_block",
                "struct file_system_type", "struct inode", "struct fs_struct", "struct task_struct", "struct dentry_operations"});
}

void CallChecker::CheckStructs(const Call& call, std::initializer_list<const char*> names) {
  for (const char* needed : names) {
    if (typed_.source->Find(needed) != nullptr) continue;
    diagnostics_.Emit(Diag::NeedsBtf, call.location, call.name, needed);
    return;
  }
}

void CallChecker::CheckPton(const Call& call) {
  const std::optional<std::string>& text = typed_.Info(call.args[0]).string;
  if (!text) return;
  in6_addr address{};
  const int family = text->find(':') != std::string::npos ? AF_INET6 : AF_INET;
  if (inet_pton(family, text->c_str(), &address) != 1) diagnostics_.Emit(Diag::BadAddress, call.args[0]->location, *text);
}

void CallChecker::CheckSignal(const Call& call) {
  const std::optional<std::string>& name = typed_.Info(call.args[0]).string;
  const std::optional<Known> number = KnownValue(call, 0);
  if (name && !SignalNumber(*name)) {
    diagnostics_.EmitWithHint(Diag::UnknownSignal, call.args[0]->location, "`kill -l` lists them", *name);
  } else if (number && (*number < 1 || *number > kLastSignal)) {
    diagnostics_.EmitWithHint(Diag::UnknownSignal, call.args[0]->location, fmt::format("they go from 1 to {}", kLastSignal),
                              static_cast<int64_t>(*number));
  }
}

// Operands of which `count` bytes are used: what is no pointer must have as many.
void CallChecker::CheckBytes(const Call& call, std::initializer_list<size_t> operands, size_t count) {
  CheckNotNegative(call, count, "count");
  const std::optional<Known> bytes = KnownValue(call, count);
  if (!bytes || *bytes < 0) return;
  const auto most = static_cast<Known>(typed_.config.max_strlen);
  if (*bytes > most) {
    diagnostics_.EmitWithHint(Diag::ReadTooLong, call.args[count]->location, "set `max_strlen`", call.name,
                              typed_.config.max_strlen);
  }
  for (const size_t operand : operands) {
    const Type* type = typed_.TypeOf(call.args[operand]);
    if (type == nullptr || type->is(TypeKind::Pointer) || type->is(TypeKind::None)) continue;
    const Known size = type->is(TypeKind::Buffer) ? type->length : SizeOfType(type);
    if (*bytes > size) {
      diagnostics_.Emit(Diag::TooFewBytes, call.args[operand]->location, ToString(type), static_cast<uint64_t>(*bytes));
    }
  }
}

void CallChecker::CheckStaticAssert(const Call& call) {
  if (dead_ > 0) return;
  const ExprInfo& condition = typed_.Info(call.args[0]);
  if (!condition.integer) {
    diagnostics_.Emit(Diag::NotConstant, call.args[0]->location, call.name);
  } else if (*condition.integer == 0) {
    diagnostics_.Emit(Diag::Failed, call.location, typed_.Info(call.args[1]).string.value_or(""));
  }
}

namespace {

// One constant as the conversion shows it.
std::string Show(const FormatSpec& spec, const ExprInfo& value) {
  std::string text;
  if (value.string) {
    text = *value.string;
  } else if (value.type->is(TypeKind::Bool)) {
    text = spec.conversion == "s" ? (*value.integer != 0 ? "true" : "false") : std::to_string(*value.integer);
  } else if (spec.conversion == "x" || spec.conversion == "p") {
    text = fmt::format("{}{:x}", spec.conversion == "p" ? "0x" : "", *value.integer);
  } else if (spec.conversion == "X") {
    text = fmt::format("{:X}", *value.integer);
  } else if (spec.conversion == "o") {
    text = fmt::format("{:o}", *value.integer);
  } else if (spec.conversion == "c") {
    text = static_cast<char>(*value.integer);
  } else {
    text = value.type->is_signed ? std::to_string(static_cast<int64_t>(*value.integer)) : std::to_string(*value.integer);
  }
  const auto width = static_cast<size_t>(std::max(spec.width, 0));
  if (text.size() >= width) return text;
  const std::string blanks(width - text.size(), ' ');
  return spec.flags.find('-') != std::string::npos ? text + blanks : blanks + text;
}

}  // namespace

void CallChecker::CheckFail(const Call& call) {
  CheckFormat(call);
  if (dead_ > 0 || !typed_.Info(call.args[0]).string) return;
  std::string message;
  for (const FormatSpec& spec : ParseFormat(*typed_.Info(call.args[0]).string).specs) {
    message += spec.literal;
    if (spec.conversion.empty() || spec.arg + 1 >= call.args.size()) continue;
    const Expr* arg = call.args[spec.arg + 1];
    const ExprInfo& value = typed_.Info(arg);
    if (value.type == nullptr) return;
    if (!value.integer && !value.string) {
      diagnostics_.Emit(Diag::NotConstant, arg->location, call.name);
      return;
    }
    FormatSpec shown = spec;
    if (spec.width_arg >= 0) {
      const std::optional<Known> width = KnownValue(call, 1 + static_cast<size_t>(spec.width_arg));
      shown.width = static_cast<int>(std::clamp<Known>(width.value_or(0), -kWidestFormat, kWidestFormat));
      if (shown.width < 0) shown.width = -shown.width, shown.flags += '-';
    }
    message += Show(shown, value);
  }
  diagnostics_.Emit(Diag::Failed, call.location, message);
}

// Arrays and pointers stand for the text that they hold or lead to: they must be of characters.
void CallChecker::CheckTexts(const Call& call, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const Type* type = typed_.TypeOf(call.args[i]);
    if (type == nullptr || type->element == nullptr || type->is(TypeKind::String)) continue;
    if (type->element->is(TypeKind::Int) && type->element->bits == 8) continue;
    diagnostics_.Emit(Diag::NotAnAddress, call.args[i]->location, call.name, "a string or an array of characters",
                      ToString(type));
  }
}

// The variable that find() fills, and a map that has keys.
void CallChecker::CheckFind(const Call& call) {
  CheckMapDefined(call);
  if (As<ScratchVar>(call.args[2]) == nullptr) {
    diagnostics_.Emit(Diag::ArgumentClass, call.args[2]->location, call.name, "a variable", "result",
                      ToString(typed_.TypeOf(call.args[2])));
  }
}

}  // namespace kawk
