#include "codegen/lower.h"

#include <bpf/btf.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "ast/walk.h"
#include "stdlib/raw_fields.h"
#include "stdlib/syscalls.h"

namespace kawk {
namespace {

constexpr std::string_view kEnter = "sys_enter_";
constexpr std::string_view kExit = "sys_exit_";
constexpr std::string_view kNumber = "__syscall_nr";

// What a unit takes from the record of its tracepoint.
struct RecordUse {
  std::map<std::string, const StructField*> fields;  // of `args`
  bool whole = false;                                // `args` itself, `ctx`, or the address of a field
  bool stack = false;                                // kstack: the raw form's has frames of the tracer on top
  bool target = false;                               // which of several tracepoints it is
};

bool IsArgsField(const Typed& typed, const Expr* expr) {
  const auto* member = As<Member>(expr);
  return member != nullptr && typed.Info(member->base).builtin == BuiltinId::Args;
}

RecordUse FindUse(const ProbeUnit& unit, const Typed& typed) {
  RecordUse use;
  std::set<const Expr*> bases;  // `args` of `args.field`
  Walker walker;
  walker.on_expr = [&](const Expr& expr) {
    const ExprInfo& info = typed.Info(&expr);
    if (IsArgsField(typed, &expr)) {
      bases.insert(static_cast<const Member&>(expr).base);
      if (info.field != nullptr) use.fields[info.field->name] = info.field;
    }
    const auto* unary = As<Unary>(&expr);
    use.whole = use.whole || (unary != nullptr && unary->op == UnaryOp::AddressOf && IsArgsField(typed, unary->operand));
    if (!info.builtin) return;
    use.whole = use.whole || info.builtin == BuiltinId::Ctx || (info.builtin == BuiltinId::Args && !bases.contains(&expr));
    use.stack = use.stack || info.builtin == BuiltinId::KStack;
    use.target = use.target || info.builtin == BuiltinId::ProbeName || info.builtin == BuiltinId::Func;
  };
  walker.Walk(*unit.probe);
  return use;
}

// Fields of another shape than a register (strings that newer kernels add) exist only in the perf record.
bool OnlyRegisters(const RecordUse& use) {
  return std::ranges::all_of(use.fields, [](const auto& named) {
    return named.first == kNumber || (named.second->type->IsScalar() && SizeOfType(named.second->type) == 8);
  });
}

LoweredUnit LowerSyscalls(const ProbeUnit& unit, bool enter, const RecordUse& use) {
  LoweredUnit lowered;
  if (use.whole || !OnlyRegisters(use)) return lowered.why_not = "it reads a field that only the perf record has", lowered;
  // To walk over three frames more costs what a raw tracepoint saves; over many system calls one program saves far more.
  if (use.stack && unit.targets.size() == 1) return lowered.why_not = "it takes the kernel's stack", lowered;
  for (const AttachTarget& target : unit.targets) {
    const auto number = SyscallOfTracepoint(std::string_view(target.target).substr((enter ? kEnter : kExit).size()));
    if (!number) return lowered.why_not = target.name + " is of a system call that is not in the table", lowered;
    lowered.syscalls.push_back(*number);
  }
  lowered.context = enter ? ContextKind::SyscallEnter : ContextKind::SyscallExit;
  return lowered;
}

// Linux 6.10 and later: one program can be told which raw tracepoint it is called from.
bool RawTracepointsHaveCookies(TypeSource& source) {
  const Type* link = source.Find("struct bpf_raw_tp_link");
  return link != nullptr && link->info->Find("cookie") != nullptr;
}

// The fields of one target; empty `why`: all of them were found.
std::map<std::string, RawValue> FindFields(const AttachTarget& target, const RecordUse& use, TypeSource& source,
                                           std::string& why) {
  std::map<std::string, RawValue> fields;
  if (use.fields.empty()) return fields;
  const Type* args = source.RawTracepointArgs("", target.target);
  if (args == nullptr) return why = "the kernel's BTF does not have its raw arguments", fields;
  for (const auto& [name, field] : use.fields) {
    const std::string_view from = RawFieldFrom(target.group, target.target, name);
    if (from.empty()) return why = fmt::format("no raw argument is known to hold args.{}", name), fields;
    Result<RawValue> value = ResolveRawValue(from, args, source);
    if (!value) return why = fmt::format("args.{}: {}", name, value.error().message), fields;
    if (!Fits(*value, field->type)) return why = fmt::format("args.{} has another type in the raw arguments", name), fields;
    fields[name] = std::move(*value);
  }
  return fields;
}

LoweredUnit LowerToRaw(const ProbeUnit& unit, const Typed& typed, const RecordUse& use) {
  LoweredUnit lowered;
  TypeSource& source = *typed.source;
  if (use.whole) return lowered.why_not = "it takes the perf record as a whole", lowered;
  if (use.stack) return lowered.why_not = "it takes the kernel's stack", lowered;
  const bool many = unit.targets.size() > 1;
  if (many && use.target && !RawTracepointsHaveCookies(source))
    return lowered.why_not = "one program for many raw tracepoints needs Linux 6.10", lowered;
  for (const AttachTarget& target : unit.targets) {
    if (source.host().FindBtfType("btf_trace_" + target.target, BTF_KIND_TYPEDEF) == 0)
      return lowered.why_not = fmt::format("the kernel's BTF has no raw tracepoint {}", target.target), lowered;
    std::map<std::string, RawValue> fields = FindFields(target, use, source, lowered.why_not);
    if (!lowered.why_not.empty()) return lowered;
    const bool first = &target == &unit.targets[0];
    if (!first && fields != lowered.fields)
      return lowered.why_not = "its raw tracepoints hold the fields in different places", lowered;
    lowered.fields = std::move(fields);
  }
  const auto follows = [](const RawValue& value) {
    return std::ranges::any_of(value, [](const RawTerm& t) { return !t.offsets.empty() || t.root != RawRoot::Argument; });
  };
  lowered.typed = !many && std::ranges::any_of(lowered.fields, [&](const auto& named) { return follows(named.second); });
  lowered.context = ContextKind::RawArguments;
  return lowered;
}

LoweredUnit LowerUnit(const ProbeUnit& unit, const Typed& typed) {
  LoweredUnit lowered;
  if (unit.kind != ProbeKind::Tracepoint) return lowered;
  if (!typed.config.lower_tracepoints) return lowered.why_not = "config lower_tracepoints is off", lowered;
#ifndef __x86_64__
  return lowered.why_not = "not built for this architecture yet", lowered;
#endif
  const auto are = [&](std::string_view prefix) {
    return std::ranges::all_of(unit.targets,
                               [&](const AttachTarget& t) { return t.group == "syscalls" && t.target.starts_with(prefix); });
  };
  const RecordUse use = FindUse(unit, typed);
  if (are(kEnter)) return LowerSyscalls(unit, true, use);
  if (are(kExit)) return LowerSyscalls(unit, false, use);
  if (std::ranges::any_of(unit.targets, [](const AttachTarget& t) { return t.group == "syscalls"; }))
    return lowered.why_not = "entries and exits of system calls, or other tracepoints, in one probe", lowered;
  return LowerToRaw(unit, typed, use);
}

}  // namespace

std::vector<LoweredUnit> LowerUnits(const Typed& typed) {
  std::vector<LoweredUnit> units;
  for (const ProbeUnit& unit : typed.units) units.push_back(LowerUnit(unit, typed));
  return units;
}

std::vector<std::string> DescribeLowering(const Typed& typed, const std::vector<LoweredUnit>& lowered) {
  std::vector<std::string> lines;
  for (size_t i = 0; i < lowered.size(); ++i) {
    const ProbeUnit& unit = typed.units[i];
    if (unit.kind != ProbeKind::Tracepoint) continue;
    std::string name = unit.targets[0].name;
    if (unit.targets.size() > 1) name += fmt::format(" and {} more", unit.targets.size() - 1);
    if (!lowered[i].why_not.empty()) {
      lines.push_back(fmt::format("{}: a perf tracepoint, since {}", name, lowered[i].why_not));
    } else if (lowered[i].dispatched()) {
      lines.push_back(fmt::format("{}: by the raw tracepoint of all system calls", name));
    } else {
      lines.push_back(fmt::format("{}: by {} raw tracepoint{}", name, lowered[i].typed ? "a typed" : "a",
                                  unit.targets.size() > 1 ? " each" : ""));
    }
  }
  return lines;
}

}  // namespace kawk
