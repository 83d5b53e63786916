// Types as written: casts, typeof, sizeof, offsetof.
#include <fmt/format.h>

#include "ast/passes/infer.h"
#include "ast/passes/type_name.h"

namespace kawk {
namespace {

constexpr uint64_t kMostLength = 1 << 16;  // of what is declared as a string, buffer or array

bool IsIntArray(const Type* type) { return type->is(TypeKind::Array) && type->element->is(TypeKind::Int); }
bool IsWidth(uint64_t bytes) { return bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8; }

}  // namespace

const Type* NamedType(const Expr* operand, TypeSource& source) {
  if (const Index* index = As<Index>(operand)) {
    const IntLit* count = As<IntLit>(index->index);
    const Type* element = count != nullptr ? NamedType(index->base, source) : nullptr;
    return element != nullptr ? source.types().Array(element, count->value) : nullptr;
  }
  const Ident* name = As<Ident>(operand);
  return name == nullptr || FindBuiltin(name->name) != nullptr ? nullptr : source.Find(name->name);
}

Flow Inference::operator()(const Cast& e) {
  const Flow from = Visit(e.operand);
  const Type* source = Resolved(AsNumber(from));
  const Type* to = e.type != nullptr ? TypeOfSpec(e.type, source) : nullptr;
  if (to != nullptr && source != nullptr && to->is(TypeKind::Pointer) && source->is(TypeKind::Pointer)) {
    to = types().Pointer(to->element, source->space);  // the same place, seen as something else
  }
  if (to != nullptr && source != nullptr && to->is(TypeKind::Pointer) && HasPlace(e.operand, typed_)) {
    const AddressSpace space = typed_.Info(e.operand).space;
    const bool array = source->is(TypeKind::Array) || source->is(TypeKind::String);
    if (array) to = types().Pointer(to->element, space == AddressSpace::Context ? AddressSpace::Kernel : space);
  }
  if (to == nullptr || !from.known()) return Done(e, Flow::Of(to));
  return CastTo(e, to, from);
}

bool Inference::CanCast(const Type* to, const Type* from, const Expr& operand) {
  if (to == from || (to->IsScalar() && from->IsScalar())) return true;
  if (from->is(TypeKind::String) && !to->is(TypeKind::Pointer))
    return to->is(TypeKind::String) || (IsIntArray(to) && to->element->bits == 8);
  const bool same_size = SizeOfType(to) == SizeOfType(from);
  if (to->is(TypeKind::Pointer) && (from->is(TypeKind::String) || from->is(TypeKind::Array))) return HasPlace(&operand, typed_);
  if (IsIntArray(to)) {
    const bool holds = same_size || (IsWidth(SizeOfType(to)) && (SizeOfType(to) > SizeOfType(from) || IsOpen(&operand)));
    return (from->IsInteger() && holds) || (IsIntArray(from) && same_size);
  }
  return to->IsInteger() && IsIntArray(from) && same_size;
}

Flow Inference::CastTo(const Cast& e, const Type* to, const Flow& from) {
  const Type* type = Resolved(AsNumber(from));
  if (type == nullptr) return Done(e, Flow::Of(to));
  if (!CanCast(to, type, *e.operand)) {
    Report(Diag::BadCast, e.location, ToString(Resolved(from)), ToString(to));
    return Done(e, Flow::Of(to));
  }
  const std::optional<Known> known = KnownValue(e.operand);
  const Flow flow = Done(e, Flow::Of(to));
  if (known && to->IsInteger()) {
    const bool is_bool = to->is(TypeKind::Bool);
    typed_.Info(&e).integer = is_bool ? uint64_t{*known != 0} : WrapBits(BitsOf(*known), to->bits, to->is_signed);
  }
  return flow;
}

// `(uint8[])x`: as many elements as x has bytes for.
const Type* Inference::InferredArray(const TypeSpec& spec, const Type* element, const Type* from) {
  const uint32_t size = SizeOfType(element);
  if (from == nullptr || size == 0 || SizeOfType(from) % size != 0) {
    Report(Diag::UnknownLength, spec.location);
    return nullptr;
  }
  return types().Array(element, SizeOfType(from) / size);
}

// `from` is the type of what is cast, or null.
const Type* Inference::TypeOfSpec(const TypeSpec* spec, const Type* from) {
  const Type* type = nullptr;
  size_t at = 0;
  const auto sized = [&] {
    return !spec->postfixes.empty() && spec->postfixes[0].kind == TypeSpec::Postfix::Array && !spec->postfixes[0].inferred;
  };
  if (spec->of_expr != nullptr || spec->of_type != nullptr) {
    type = TypeOfOperand(spec->of_type, spec->of_expr);
    if (type == nullptr) return nullptr;
  } else if (const TypeKind kind = TypeTable::SizedKind(spec->name); kind != TypeKind::None) {
    if (!sized()) {
      Report(Diag::UnknownLength, spec->location);
      return nullptr;
    }
    const uint64_t length = spec->postfixes[at++].size;
    if (length > kMostLength) {
      Report(Diag::TypeTooLarge, spec->location, spec->name, kMostLength);
      return nullptr;
    }
    type = kind == TypeKind::String ? types().String(length) : types().Buffer(length);
  } else {
    type = source_.Find(spec->name);
  }
  if (type == nullptr) {
    ReportWithHint(Diag::UnknownType, spec->location, source_.header_problem(), spec->name);
    return nullptr;
  }
  for (; at < spec->postfixes.size(); ++at) {
    const TypeSpec::Postfix& postfix = spec->postfixes[at];
    if (postfix.size > kMostLength) {
      Report(Diag::TypeTooLarge, spec->location, spec->name, kMostLength);
      return nullptr;
    }
    if (postfix.kind == TypeSpec::Postfix::Pointer) {
      type = types().Pointer(type, DefaultSpace());
    } else {
      type = postfix.inferred ? InferredArray(*spec, type, from) : types().Array(type, postfix.size);
      if (type == nullptr) return nullptr;
    }
  }
  return type;
}

const Type* Inference::TypeOfOperand(const TypeSpec* spec, const Expr* operand) {
  if (spec != nullptr) return TypeOfSpec(spec);
  if (const Type* type = NamedType(operand, source_)) return type;
  return Resolved(Visit(operand));
}

Flow Inference::operator()(const SizeOf& e) {
  const Type* type = TypeOfOperand(e.type, e.operand);
  if (type == nullptr) return Done(e, {});
  const Flow flow = Done(e, Flow::Of(types().Int(64, false)));
  typed_.Info(&e).integer = SizeOfType(type);
  return flow;
}

std::optional<uint64_t> Inference::OffsetOfPath(const OffsetOf& e, const Type* type) {
  uint64_t offset = 0;
  for (const std::string& name : e.path) {
    if (!type->is(TypeKind::Struct)) {
      Report(Diag::NoFields, e.location, name, ToString(type));
      return std::nullopt;
    }
    const StructField* field = type->info->Find(name);
    if (field == nullptr) {
      ReportWithHint(Diag::UnknownField, e.location, DidYouMean(name, type->info->FieldNames()), type->info->name, name);
      return std::nullopt;
    }
    offset += field->offset;
    type = field->type;
  }
  return offset;
}

Flow Inference::operator()(const OffsetOf& e) {
  const Type* type = TypeOfOperand(e.type, e.operand);
  if (type != nullptr && type->is(TypeKind::Pointer)) type = type->element;
  const std::optional<uint64_t> offset = type != nullptr ? OffsetOfPath(e, type) : std::nullopt;
  if (!offset) return Done(e, {});
  const Flow flow = Done(e, Flow::Of(types().Int(64, false)));
  typed_.Info(&e).integer = *offset;
  return flow;
}

// As an argument: it stands for its type, and has no value.
Flow Inference::operator()(const TypeOf& e) { return Done(e, Flow::Of(TypeOfOperand(e.type, e.operand))); }

}  // namespace kawk
