// Types of builtin values and calls: from the row's result column, or, where that says "auto", from a hook here.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "ast/passes/infer.h"
#include "ast/passes/series.h"
#include "ast/passes/stack_mode.h"
#include "stdlib/names.h"

namespace kawk {

const Type* TypeFromText(std::string_view text, TypeTable& types) {
  if (const Type* type = types.Named(text)) return type;
  constexpr std::string_view kString = "string[";
  if (text.starts_with(kString)) {
    uint64_t capacity = 0;
    for (const char c : text.substr(kString.size(), text.size() - kString.size() - 1)) capacity = capacity * 10 + (c - '0');
    return types.String(capacity);
  }
  UNREACHABLE("type text of a registry row");
}

// The capacity that the longest of the unit's names needs.
const Type* Inference::NameString(bool function_name) {
  size_t longest = 0;
  for (const AttachTarget& target : unit_->targets) {
    longest = std::max(longest, function_name ? target.target.size() : target.name.size());
  }
  return types().String(longest + 1);
}

// Without BTF the task's address is still good as a key.
const Type* Inference::TaskStruct() {
  const Type* task = source_.Find("struct task_struct");
  return task != nullptr ? task : types().None();
}

// arg0 …: of USDT probes as the note says, of others a register.
Flow Inference::ArgumentFlow(const Expr& e, BuiltinId id) {
  const auto n = static_cast<size_t>(id) - static_cast<size_t>(BuiltinId::Arg0);
  if (unit_->kind != ProbeKind::Usdt) return Flow::Of(types().Int(64, false));
  const AttachTarget& target = unit_->targets[0];
  if (n >= target.arguments.size()) {
    Report(Diag::MissingUsdtArgument, e.location, target.name, n);
    return Flow::Of(types().Int(64, false));
  }
  const UsdtArgument& argument = target.arguments[n];
  if (argument.is_float) Report(Diag::UnreadableUsdtArgument, e.location, n, target.name, target.argument_text);
  return Flow::Of(types().Int(argument.size * 8, argument.is_signed));
}

// Of iterators the kernel's struct, of programs on functions the registers, elsewhere just an address.
Flow Inference::ContextFlow() {
  std::string name;
  if (unit_->kind == ProbeKind::Iter) {
    name = "struct bpf_iter__" + unit_->targets[0].target;
  } else if ((Row(unit_->kind).flags & kHasRegisters) != 0) {
    name = "struct pt_regs";
  }
  const Type* pointee = name.empty() ? nullptr : source_.Find(name);
  return Flow::Of(types().Pointer(pointee != nullptr ? pointee : types().None(), AddressSpace::Kernel));
}

Flow Inference::RetvalFlow(const Expr& e) {
  if (unit_->kind != ProbeKind::Fexit) return Flow::Of(types().Int(64, false));
  const Type* type = unit_->retval.type;
  if (type != nullptr && type->is(TypeKind::None)) Report(Diag::NoReturnValue, e.location, unit_->targets[0].target);
  if (type != nullptr) typed_.Info(&e).space = AddressSpace::Context;
  return type == nullptr || type->is(TypeKind::None) ? Flow{} : Flow::Of(type);
}

Flow Inference::BuiltinFlow(const Expr& e, BuiltinId id) {
  switch (id) {
    case BuiltinId::KStack: return StackFlow(e, false, {});
    case BuiltinId::UStack:
    case BuiltinId::DwUStack: return StackFlow(e, true, {});
    case BuiltinId::Args:
      typed_.Info(&e).space = unit_->kind == ProbeKind::Uprobe ? AddressSpace::User : AddressSpace::Context;
      return Flow::Of(unit_->args);
    case BuiltinId::Curtask: return Flow::Of(types().Pointer(TaskStruct(), AddressSpace::Kernel));
    case BuiltinId::Ctx: return ContextFlow();
    case BuiltinId::Retval: return RetvalFlow(e);
    case BuiltinId::ProbeName: return Flow::Of(NameString(false));
    case BuiltinId::Func:
      return Flow::Of(uses_ksym_ && unit_->kind != ProbeKind::Uprobe && unit_->kind != ProbeKind::Uretprobe
                          ? types().Plain(TypeKind::KernelSymbol)
                          : NameString(true));
    case BuiltinId::ProbeType: return ProbeTypeFlow(e);
    case BuiltinId::Arg0:
    case BuiltinId::Arg1:
    case BuiltinId::Arg2:
    case BuiltinId::Arg3:
    case BuiltinId::Arg4:
    case BuiltinId::Arg5:
    case BuiltinId::Arg6:
    case BuiltinId::Arg7:
    case BuiltinId::Arg8:
    case BuiltinId::Arg9: return ArgumentFlow(e, id);
    case BuiltinId::Pid:
    case BuiltinId::PidCurrNs:
    case BuiltinId::PidInit:
    case BuiltinId::Tid:
    case BuiltinId::TidCurrNs:
    case BuiltinId::TidInit:
    case BuiltinId::Cpid:
    case BuiltinId::HasCpid:
    case BuiltinId::UserMode:
    case BuiltinId::Username:
    case BuiltinId::Uid:
    case BuiltinId::Gid:
    case BuiltinId::Comm:
    case BuiltinId::Cpu:
    case BuiltinId::Ncpus:
    case BuiltinId::Numaid:
    case BuiltinId::Cgroup:
    case BuiltinId::Nsecs:
    case BuiltinId::NsecsBoot:
    case BuiltinId::NsecsMonotonic:
    case BuiltinId::NsecsTai:
    case BuiltinId::NsecsSwTai:
    case BuiltinId::Jiffies:
    case BuiltinId::Elapsed:
    case BuiltinId::Rand: return Flow::Of(TypeFromText(Row(id).type, types()));
  }
  UNREACHABLE("builtin");
}

// `kstack`, `kstack(3)`, `kstack(perf)`, `kstack(perf, 3)`, `kstack(3, perf)`.
Flow Inference::StackFlow(const Expr& e, bool user, const std::vector<Expr*>& args) {
  StackMode mode = FindStackMode(typed_.config.stack_mode).value_or(StackMode::Bpftrace);
  uint64_t limit = kDefaultStackLimit;
  if (args.size() > 2) {
    ReportWithHint(Diag::ArgumentCount, e.location, "write `kstack([mode], [frames])`", user ? "ustack" : "kstack",
                   "at most 2 arguments", args.size());
  }
  for (size_t i = 0; i < args.size(); ++i) {
    const Ident* word = As<Ident>(args[i]);
    const std::optional<StackMode> named = word != nullptr ? FindStackMode(word->name) : std::nullopt;
    if (named) {
      mode = *named;
      continue;
    }
    Visit(args[i]);
    const std::optional<Known> known = KnownValue(args[i]);
    if (word != nullptr && !known) {
      ReportWithHint(Diag::UnknownStackMode, word->location, fmt::format("its modes are {}", fmt::join(StackModeNames(), ", ")),
                     word->name);
    } else if (!known || *known < 1 || *known > kMostStackLimit) {
      Report(Diag::BadStackLimit, args[i]->location, kMostStackLimit);
    } else {
      limit = static_cast<uint64_t>(*known);
    }
  }
  if (mode == StackMode::BuildId && !user) {
    Report(Diag::BuildIdOfKernel, e.location);
    mode = StackMode::Bpftrace;
  }
  return Flow::Of(types().Stack(user, mode, static_cast<uint32_t>(limit)));
}

Flow Inference::operator()(const Call& e) {
  const ExprInfo& info = typed_.Info(&e);
  const std::optional<FunctionId> function = info.function;
  const std::optional<BuiltinId> builtin = info.builtin;
  if (function) {
    ExprInfo& found = typed_.Info(&e);
    found.integer.reset(), found.string.reset();
    const Flow flow = FunctionFlow(e, *function);
    return info.integer || info.string ? flow : Done(e, flow);  // FunctionFlow may have found a constant
  }
  if (builtin && (*builtin == BuiltinId::KStack || *builtin == BuiltinId::UStack || *builtin == BuiltinId::DwUStack)) {
    return Done(e, StackFlow(e, *builtin != BuiltinId::KStack, e.args));
  }
  if (builtin) return Done(e, BuiltinFlow(e, *builtin));  // of a mode: nsecs(tai)
  for (const Expr* arg : e.args) Visit(arg);
  const int c_function = typed_.Info(&e).c_function;
  if (c_function < 0) return Done(e, {});
  const CFunctionInfo& c = typed_.c_functions[static_cast<size_t>(c_function)];
  for (size_t i = 0; i < std::min(e.args.size(), c.params.size()); ++i) {
    Adapt(e.args[i], c.params[i]);
    WarnLossy(e.args[i], c.params[i]);
  }
  return Done(e, Flow::Of(c.result));
}

Flow Inference::FunctionFlow(const Call& e, FunctionId id) {
  switch (id) {
    case FunctionId::Clear:
    case FunctionId::Zero:
    case FunctionId::Print:
    case FunctionId::Delete:
    case FunctionId::Len:
    case FunctionId::Find:
    case FunctionId::HasKey: return MapFunction(e, id);
    case FunctionId::Str: return StrFlow(e);
    case FunctionId::Getopt: return OptionFlow(e);
    case FunctionId::Buf: return BufFlow(e);
    case FunctionId::Skboutput: return SkboutputFlow(e);
    case FunctionId::Strftime: return StrftimeFlow(e);
    case FunctionId::Strcap: return StrcapFlow(e);
    case FunctionId::Strerror: return NumberNameFlow(e, ErrorTexts(), true);
    case FunctionId::SyscallName: return NumberNameFlow(e, SyscallNames(), false);
    case FunctionId::SignalName: return NumberNameFlow(e, SignalTexts(), false);
    case FunctionId::Bswap: return BswapFlow(e);
    case FunctionId::Kaddr: return KaddrFlow(e);
    case FunctionId::PercpuKaddr: return PercpuKaddrFlow(e);
    case FunctionId::Uaddr: return UaddrFlow(e);
    case FunctionId::Pton: return PtonFlow(e);
    case FunctionId::CgroupId: return CgroupIdFlow(e);
    case FunctionId::CgroupPath: return CgroupPathFlow(e);
    case FunctionId::StrConcat: return StrConcatFlow(e);
    case FunctionId::Path: return PathFlow(e);
    case FunctionId::IsLiteral:
    case FunctionId::IsStr:
    case FunctionId::IsPtr:
    case FunctionId::IsArray:
    case FunctionId::IsInteger:
    case FunctionId::IsUnsignedInteger:
    case FunctionId::KfuncExist:
    case FunctionId::KfuncAllowed: return QuestionFlow(e, id);
    case FunctionId::Kptr: return SpaceFlow(e, AddressSpace::Kernel);
    case FunctionId::Uptr: return SpaceFlow(e, AddressSpace::User);
    case FunctionId::Count: return AggregateFlow(e, TypeKind::Count);
    case FunctionId::Sum: return AggregateFlow(e, TypeKind::Sum);
    case FunctionId::Min: return AggregateFlow(e, TypeKind::Min);
    case FunctionId::Max: return AggregateFlow(e, TypeKind::Max);
    case FunctionId::Avg: return AggregateFlow(e, TypeKind::Avg);
    case FunctionId::Stats: return AggregateFlow(e, TypeKind::Stats);
    case FunctionId::Hist: return AggregateFlow(e, TypeKind::Hist);
    case FunctionId::Lhist: return AggregateFlow(e, TypeKind::Lhist);
    case FunctionId::Tseries: return AggregateFlow(e, TypeKind::Tseries);
    case FunctionId::Printf:
    case FunctionId::Errorf:
    case FunctionId::Warnf:
    case FunctionId::Time:
    case FunctionId::Cat:
    case FunctionId::Join:
    case FunctionId::System:
    case FunctionId::Strlen:
    case FunctionId::Strncmp:
    case FunctionId::Strcontains:
    case FunctionId::Strstr:
    case FunctionId::Ksym:
    case FunctionId::Usym:
    case FunctionId::Ntop:
    case FunctionId::Macaddr:
    case FunctionId::CommOf:
    case FunctionId::Signal:
    case FunctionId::SignalThread:
    case FunctionId::Override:
    case FunctionId::WriteUser:
    case FunctionId::StaticAssert:
    case FunctionId::Fail:
    case FunctionId::Memcmp:
    case FunctionId::TidOf:
    case FunctionId::Reg:
    case FunctionId::Unwatch:
    case FunctionId::Exit: break;
  }
  for (const Expr* arg : e.args) Visit(arg);
  return Flow::Of(TypeFromText(ParseSignature(Row(id).signature).result, types()));
}

// What str() of this argument is at compile time: a string, a positional parameter as it was given, and, as in the peer, the
// digits of a number.
std::optional<std::string> Inference::LiteralText(const Expr& e) const {
  const Positional* positional = As<Positional>(&e);
  const IntLit* number = As<IntLit>(&e);
  if (number != nullptr) return fmt::format("{}", number->value);
  if (positional == nullptr) return typed_.Info(&e).string;
  if (positional->index == 0) return fmt::format("{}", input_.positional.size());
  return positional->index <= input_.positional.size() ? input_.positional[positional->index - 1] : "";
}

// str(address[, length]): a capacity from the length when it is known, else from the configuration. A literal (also
// `str($1)`) is just that, shortened to the length.
Flow Inference::StrFlow(const Call& e) {
  for (const Expr* arg : e.args) Visit(arg);
  typed_.Info(&e).string.reset();
  if (e.args.empty()) return {};
  // As a C string of that many bytes, the last of which is the NUL, but for literals; -1: none known.
  const Known given = e.args.size() > 1 ? KnownValue(e.args[1]).value_or(-1) : -1;
  const Known length = given > 0 ? given - 1 : given;
  const ExprInfo& from = typed_.Info(e.args[0]);
  std::optional<std::string> text = LiteralText(*e.args[0]);
  if (text && (e.args.size() == 1 || given >= 0)) {
    if (given >= 0 && given < static_cast<Known>(text->size())) text->resize(static_cast<size_t>(given));
    return ConstantString(e, *text);
  }
  if (from.type != nullptr && from.type->is(TypeKind::String) && e.args.size() == 1) return Flow::Of(from.type);
  const Known most = static_cast<Known>(typed_.config.max_strlen);
  if (length >= 0 && length < most) return Flow::Of(types().String(static_cast<uint64_t>(length) + 1));
  return Flow::Of(types().String(typed_.config.max_strlen + 1));
}

// getopt(name[, default[, description]]): what CollectOptions found.
Flow Inference::OptionFlow(const Call& e) {
  for (const Expr* arg : e.args) Visit(arg);
  const std::optional<std::string>& name = e.args.empty() ? std::nullopt : typed_.Info(e.args[0]).string;
  const auto option = std::find_if(typed_.options.begin(), typed_.options.end(),
                                   [&](const ScriptOption& row) { return name && row.name == *name; });
  if (option == typed_.options.end()) return ConstantBool(e, false);
  if (const bool* value = std::get_if<bool>(&option->value)) return ConstantBool(e, *value);
  if (const std::string* value = std::get_if<std::string>(&option->value)) return ConstantString(e, *value);
  const Known value = std::get<__int128>(option->value);
  const bool is_signed = value < 0 || std::get<__int128>(option->fallback) < 0;
  const Flow flow = Done(e, Flow::Of(types().Int(64, is_signed)));
  typed_.Info(&e).integer = BitsOf(value);
  return flow;
}

// buf(data[, length]): as many bytes as the length says, or the array has; else what the configuration allows.
Flow Inference::BufFlow(const Call& e) {
  for (const Expr* arg : e.args) Visit(arg);
  if (e.args.empty()) return {};
  const Type* data = typed_.TypeOf(e.args[0]);
  uint64_t capacity = typed_.config.max_strlen;
  if (e.args.size() == 1 && data != nullptr && data->is(TypeKind::Array)) capacity = SizeOfType(data);
  const std::optional<Known> length = e.args.size() > 1 ? KnownValue(e.args[1]) : std::nullopt;
  if (length && *length >= 0 && *length < static_cast<Known>(capacity)) capacity = static_cast<uint64_t>(*length);
  return Flow::Of(types().Buffer(capacity));
}

// The kernel copies a packet only for who has it from a probe with typed arguments.
Flow Inference::SkboutputFlow(const Call& e) {
  for (const Expr* arg : e.args) Visit(arg);
  if (unit_->kind != ProbeKind::RawTracepoint && unit_->kind != ProbeKind::Fentry && unit_->kind != ProbeKind::Fexit) {
    ReportWithHint(Diag::BuiltinNotInProbe, e.location, "a `rawtracepoint` such as `kfree_skb` or an `fentry` has packets",
                   e.name, Row(unit_->kind).name);
  }
  return Flow::Of(types().Int(64, true));
}

// The format is part of the type, so that it is known wherever the value is printed.
Flow Inference::StrftimeFlow(const Call& e) {
  for (const Expr* arg : e.args) Visit(arg);
  if (e.args.empty()) return {};
  return Flow::Of(types().Timestamp(typed_.Info(e.args[0]).string.value_or("")));
}

// Functions whose first argument is a map itself, not its value.
Flow Inference::MapFunction(const Call& e, FunctionId id) {
  const bool takes_key = id == FunctionId::Delete || id == FunctionId::HasKey || id == FunctionId::Find;
  const MapRef* ref = e.args.empty() ? nullptr : As<MapRef>(e.args[0]);
  const int map = ref != nullptr ? typed_.Info(ref).map : -1;
  for (size_t i = 0; i < e.args.size(); ++i) {
    if (i == 0 && ref != nullptr) continue;
    if (i == 1 && map >= 0 && takes_key) continue;
    if (i == 2 && id == FunctionId::Find && As<ScratchVar>(e.args[i]) != nullptr) continue;
    Visit(e.args[i]);
  }
  const Flow result = Flow::Of(TypeFromText(ParseSignature(Row(id).signature).result, types()));
  if (map < 0) return result;
  if (takes_key) UseMap(*ref, map, e.args.size() > 1 ? e.args[1] : nullptr);
  typed_.Info(ref).type = typed_.maps[map].value;
  if (id == FunctionId::Find && e.args.size() > 2) FindInto(*e.args[2], typed_.maps[map].value);
  return result;
}

// Aggregates stand only right of `@m =`. Their sign is that of what they are given; a literal leaves it open.
Flow Inference::AggregateFlow(const Call& e, TypeKind kind) {
  const bool allowed = &e == allowed_aggregate_;
  Flow argument;
  std::vector<std::optional<Known>> values;
  for (size_t i = 0; i < e.args.size(); ++i) {
    const Flow flow = AsNumber(Visit(e.args[i]));
    if (i == 0) argument = flow;
    values.push_back(KnownValue(e.args[i]));
  }
  if (!allowed) {
    ReportWithHint(Diag::AggregateNotAssigned, e.location, fmt::format("write `@ = {}(…);`", e.name), e.name);
    return {};
  }
  const bool open = argument.open && argument.type == nullptr;
  const bool is_signed = open ? argument.least < 0 : argument.type != nullptr && argument.type->is_signed;
  const auto value = [&](size_t i, int64_t otherwise) {
    return i < values.size() && values[i] ? static_cast<int64_t>(*values[i]) : otherwise;
  };
  if (kind == TypeKind::Hist) return Flow::Of(types().Hist(static_cast<uint32_t>(value(1, 0))));
  if (kind == TypeKind::Lhist) return Flow::Of(types().Lhist(value(1, 0), value(2, 0), value(3, 1)));
  if (kind == TypeKind::Tseries) {
    const auto named = e.args.size() > 3 ? FindSeriesKind(typed_.Info(e.args[3]).string.value_or("")) : std::nullopt;
    const auto length = static_cast<uint32_t>(std::clamp<int64_t>(value(2, 1), 1, kMostSeriesIntervals));
    const bool negative_too = is_signed || (open && argument.most <= INT64_MAX);  // literals are signed here, as in the peer
    return Flow::Of(types().Tseries(negative_too, static_cast<uint64_t>(std::max<int64_t>(value(1, 1), 1)), length,
                                    named.value_or(SeriesKind::Last)));
  }
  return Flow::Of(types().Aggregate(kind, is_signed));
}

}  // namespace kawk
