// Types of functions whose result depends on what they are given, and the values of those that are known here already.
#include <fmt/format.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <netinet/in.h>

#include "ast/passes/infer.h"

namespace kawk {

Flow Inference::ProbeTypeFlow(const Expr& e) {
  const bool own = (Row(unit_->kind).flags & kOnce) != 0;
  return ConstantString(e, own ? "special" : std::string(Row(unit_->kind).name));
}

// What a string or an array can hold; of a pointer, what str() would read.
Flow Inference::StrcapFlow(const Call& e) {
  for (const Expr* arg : e.args) Visit(arg);
  const Type* type = e.args.empty() ? nullptr : typed_.TypeOf(e.args[0]);
  if (type == nullptr) return {};
  if (type->is(TypeKind::String) || type->is(TypeKind::Array)) return Constant(e, type->length);
  return Constant(e, typed_.config.max_strlen);
}

// A capacity from the size when it is given, else from the configuration.
Flow Inference::PathFlow(const Call& e) {
  for (const Expr* arg : e.args) Visit(arg);
  const std::optional<Known> size = e.args.size() > 1 ? KnownValue(e.args[1]) : std::nullopt;
  const auto most = static_cast<Known>(typed_.config.max_strlen);
  return Flow::Of(types().String(static_cast<uint64_t>(size && *size > 0 && *size < most ? *size : most)));
}

// The name of a number, a constant where the number is one.
Flow Inference::NumberNameFlow(const Call& e, const NameTable& table, bool either_sign) {
  for (const Expr* arg : e.args) Visit(arg);
  const std::optional<Known> number = e.args.empty() ? std::nullopt : KnownValue(e.args[0]);
  if (!number) return Flow::Of(types().String(kNameCapacity));
  const Known index = either_sign && *number < 0 ? -*number : *number;
  return ConstantString(e, index >= 0 && index <= UINT32_MAX ? table.Of(static_cast<uint64_t>(index)) : table.otherwise);
}

// An unsigned integer of the same size.
Flow Inference::BswapFlow(const Call& e) {
  const Flow flow = e.args.empty() ? Flow{} : AsNumber(Visit(e.args[0]));
  for (size_t i = 1; i < e.args.size(); ++i) Visit(e.args[i]);
  const Type* type = Resolved(flow);
  if (type == nullptr) return {};
  return Flow::Of(types().Int(type->is(TypeKind::Bool) || !type->IsInteger() ? 8 : type->bits, false));
}

// A pointer to the same in another address space; an integer becomes a pointer to nobody knows what.
Flow Inference::SpaceFlow(const Call& e, AddressSpace space) {
  const Flow flow = e.args.empty() ? Flow{} : Visit(e.args[0]);
  for (size_t i = 1; i < e.args.size(); ++i) Visit(e.args[i]);
  const Type* type = Resolved(flow);
  if (type == nullptr) return {};
  const bool pointer = type->is(TypeKind::Pointer) || type->is(TypeKind::Array);
  return Flow::Of(types().Pointer(pointer ? type->element : types().Int(8, false), space));
}

// An address of this boot of this kernel, so a constant.
Flow Inference::KaddrFlow(const Call& e) {
  for (const Expr* arg : e.args) Visit(arg);
  const Flow type = Flow::Of(types().Int(64, false));
  const auto& name = e.args.empty() ? std::nullopt : typed_.Info(e.args[0]).string;
  if (!name) return type;
  const Result<uint64_t> address = source_.host().KernelAddress(*name);
  if (!address) {
    ReportWithHint(Diag::NoSymbol, e.args[0]->location, address.error().hint, address.error().message);
    return type;
  }
  return Constant(e, *address);
}

Flow Inference::PercpuKaddrFlow(const Call& e) {
  for (const Expr* arg : e.args) Visit(arg);
  const auto& name = e.args.empty() ? std::nullopt : typed_.Info(e.args[0]).string;
  if (name && source_.KindOfVariable(*name) == 0) {
    Report(Diag::NoSymbol, e.args[0]->location, fmt::format("the kernel's BTF has no variable `{}`", *name));
  } else if (name && !source_.host().KernelAddress(*name)) {
    ReportWithHint(Diag::NoSymbol, e.args[0]->location, "/proc/kallsyms has them if the kernel is built with KALLSYMS_ALL",
                   fmt::format("the kernel does not tell where its variable `{}` is", *name));
  }
  return Flow::Of(types().Pointer(types().Int(64, false), AddressSpace::Kernel));
}

// Known as the distance from where the probe stands, which the program adds to where it finds itself: so it does not matter
// where the binary is loaded.
Flow Inference::UaddrFlow(const Call& e) {
  for (const Expr* arg : e.args) Visit(arg);
  uint32_t bits = 64;
  std::vector<int64_t>& distances = typed_.user_objects[&e];
  distances.clear();
  const auto& name = e.args.empty() ? std::nullopt : typed_.Info(e.args[0]).string;
  if ((Row(unit_->kind).flags & kUserSpace) == 0) {
    Report(Diag::UaddrNotInProbe, e.location, Row(unit_->kind).name);
  } else if (name) {
    for (const AttachTarget& target : unit_->targets) {
      const Result<ElfObject> object = source_.host().FindObject(target.path, *name, target.offset);
      if (!object) {
        ReportWithHint(Diag::NoSymbol, e.args[0]->location, object.error().hint, object.error().message);
        break;
      }
      distances.push_back(object->distance);
      if (object->size == 1 || object->size == 2 || object->size == 4) bits = static_cast<uint32_t>(object->size * 8);
    }
  }
  return Flow::Of(types().Pointer(types().Int(bits, false), AddressSpace::User));
}

// An array of bytes; the checker says so when the text is no address.
Flow Inference::PtonFlow(const Call& e) {
  for (const Expr* arg : e.args) Visit(arg);
  const bool v6 = !e.args.empty() && typed_.Info(e.args[0]).string.value_or("").find(':') != std::string::npos;
  return Flow::Of(types().Array(types().Int(8, false), v6 ? sizeof(in6_addr) : sizeof(in_addr)));
}

Flow Inference::CgroupIdFlow(const Call& e) {
  for (const Expr* arg : e.args) Visit(arg);
  const Flow flow = Flow::Of(types().Int(64, false));
  const std::optional<std::string> path = e.args.empty() ? std::nullopt : typed_.Info(e.args[0]).string;
  if (!path) return flow;
  const Result<uint64_t> id = source_.host().CgroupId(*path);
  if (!id) {
    Report(Diag::NoCgroup, e.args[0]->location, e.name, id.error().message);
    return flow;
  }
  Done(e, flow);
  typed_.Info(&e).integer = *id;
  return flow;
}

// The filter is part of the type, so that it is known wherever the value is printed.
Flow Inference::CgroupPathFlow(const Call& e) {
  for (const Expr* arg : e.args) Visit(arg);
  return Flow::Of(types().CgroupPath(e.args.size() > 1 ? typed_.Info(e.args[1]).string.value_or("") : ""));
}

// What a string, or the text that an array or a pointer leads to, may need, NUL included.
uint64_t Inference::TextCapacity(const Expr& e) const {
  const Type* type = typed_.TypeOf(&e);
  if (type != nullptr && type->is(TypeKind::String)) return type->length;
  return (type != nullptr && type->is(TypeKind::Array) ? type->length : typed_.config.max_strlen) + 1;
}

Flow Inference::StrConcatFlow(const Call& e) {
  for (const Expr* arg : e.args) Visit(arg);
  if (e.args.size() != 2) return {};
  const std::optional<std::string>& first = typed_.Info(e.args[0]).string;
  const std::optional<std::string>& second = typed_.Info(e.args[1]).string;
  if (first && second) return ConstantString(e, *first + *second);
  return Flow::Of(types().String(TextCapacity(*e.args[0]) + TextCapacity(*e.args[1]) - 1));
}

// What is asked of an expression, a type or the kernel, and answered now.
Flow Inference::QuestionFlow(const Call& e, FunctionId id) {
  for (const Expr* arg : e.args) Visit(arg);
  if (e.args.size() != 1 || typed_.TypeOf(e.args[0]) == nullptr) return Flow::Of(types().Bool());
  return ConstantBool(e, Answer(id, *e.args[0]));
}

namespace {

uint32_t ProgramTypeOf(ProbeKind kind) {
  switch (kind) {
    case ProbeKind::Kprobe:
    case ProbeKind::Kretprobe:
    case ProbeKind::Uprobe:
    case ProbeKind::Uretprobe: return BPF_PROG_TYPE_KPROBE;
    case ProbeKind::Tracepoint: return BPF_PROG_TYPE_TRACEPOINT;
    case ProbeKind::Interval:
    case ProbeKind::Profile:
    case ProbeKind::Software: return BPF_PROG_TYPE_PERF_EVENT;
    default: return BPF_PROG_TYPE_RAW_TRACEPOINT;
  }
}

}  // namespace

bool Inference::Answer(FunctionId id, const Expr& about) {
  const ExprInfo& info = typed_.Info(&about);
  Host& host = source_.host();
  switch (id) {
    case FunctionId::IsLiteral: return info.integer || info.string;
    case FunctionId::IsStr: return info.type->is(TypeKind::String);
    case FunctionId::IsPtr: return info.type->is(TypeKind::Pointer);
    case FunctionId::IsArray: return info.type->is(TypeKind::Array);
    case FunctionId::IsInteger: return info.type->is(TypeKind::Int) || info.type->is(TypeKind::Enum);
    case FunctionId::IsUnsignedInteger: return info.type->is(TypeKind::Int) && !info.type->is_signed;
    case FunctionId::KfuncExist: return info.string && host.FindBtfType(*info.string, BTF_KIND_FUNC) != 0;
    case FunctionId::KfuncAllowed: {
      const uint32_t function = info.string ? host.FindBtfType(*info.string, BTF_KIND_FUNC) : 0;
      return function != 0 && host.AllowsKfunc(function, ProgramTypeOf(unit_->kind));
    }
    default: break;
  }
  UNREACHABLE("not a question");
}

// The variable of find() takes the map's values, aggregates as the integers that they stand for.
void Inference::FindInto(const Expr& result, const Type* value) {
  const int variable = typed_.Info(&result).variable;
  if (As<ScratchVar>(&result) == nullptr || variable < 0) return;
  AssignToVariable(variable, result, AsNumber(Flow::Of(value)));
  Visit(&result);
}

}  // namespace kawk
