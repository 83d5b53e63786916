// Types of what lies in memory: fields, elements, what pointers lead to.
#include <fmt/format.h>

#include "ast/attach_point.h"
#include "ast/passes/infer.h"

namespace kawk {

bool HasPlace(const Expr* expr, const Typed& typed) {
  if (const Index* index = As<Index>(expr))
    return As<MapRef>(index->base) == nullptr && typed.Info(expr).space != AddressSpace::Bpf;
  return As<Member>(expr) != nullptr && typed.Info(expr).field != nullptr && typed.Info(expr).field->bit_size == 0;
}

// Where an address leads of which nothing else is known.
AddressSpace Inference::DefaultSpace() const {
  return (Row(unit_->kind).flags & kUserSpace) != 0 ? AddressSpace::User : AddressSpace::Kernel;
}

// The type of an object found in `space`: a pointer among user memory leads to user memory, whatever its type says.
const Type* Inference::AsSeen(const Type* type, AddressSpace space) {
  if (space != AddressSpace::User || !type->is(TypeKind::Pointer) || type->space == space) return type;
  return types().Pointer(type->element, space);
}

Flow Inference::IndexElements(const Index& e, const Type* base) {
  if (base->is(TypeKind::String)) {
    typed_.Info(&e).space = AddressSpace::Bpf;
    const std::optional<Known> known = KnownValue(e.index);
    if (known && (*known < 0 || *known >= static_cast<Known>(base->length))) {
      Report(Diag::IndexOutOfRange, e.index->location, static_cast<int64_t>(*known), ToString(base));
    }
    return Done(e, Flow::Of(types().Int(8, true)));
  }
  const bool pointer = base->is(TypeKind::Pointer);
  if ((!base->is(TypeKind::Array) && !pointer) || base->element->is(TypeKind::None)) {
    Report(Diag::NotIndexable, e.location, ToString(base));
    return Done(e, {});
  }
  const std::optional<Known> known = KnownValue(e.index);
  if (!pointer && base->length > 0 && known && (*known < 0 || *known >= static_cast<Known>(base->length))) {
    Report(Diag::IndexOutOfRange, e.index->location, static_cast<int64_t>(*known), ToString(base));
  }
  const AddressSpace space = pointer ? base->space : typed_.Info(e.base).space;
  typed_.Info(&e).space = space;
  return Done(e, Flow::Of(AsSeen(base->element, space)));
}

Flow Inference::operator()(const Member& e) {
  const Flow base = Visit(e.base);
  const Type* type = Resolved(base);
  if (type == nullptr) return Done(e, {});
  if (type->is(TypeKind::Tuple)) {
    const std::optional<uint64_t> index = ParseNumber(e.name);
    if (index) return IndexTuple(e, base, *index);
  }
  if (type->is(TypeKind::Record)) return RecordMember(e, base);
  typed_.Info(&e).space = typed_.Info(e.base).space;
  if (type->is(TypeKind::Pointer) && type->element->is(TypeKind::Struct)) {
    typed_.Info(&e).space = type->space;
    type = type->element;
  }
  if (!type->is(TypeKind::Struct)) {
    const bool fraction = As<IntLit>(e.base) != nullptr;
    const bool pointer = type->is(TypeKind::Pointer);
    ReportWithHint(Diag::NoFields, e.name_location,
                   fraction  ? "there are no fractions: numbers are integers"
                   : pointer ? "cast it: `((struct … *)…)->" + e.name + "`"
                             : "",
                   e.name, ToString(type));
    return Done(e, {});
  }
  return FieldOf(e, type);
}

Flow Inference::RecordMember(const Member& e, const Flow& base) {
  const Type* type = Resolved(base);
  for (size_t i = 0; i < type->names.size(); ++i) {
    if (type->names[i] == e.name) return Done(e, base.is_tuple ? base.members[i] : Flow::Of(type->members[i]));
  }
  ReportWithHint(Diag::UnknownField, e.name_location, DidYouMean(e.name, type->names), ToString(type), e.name);
  return Done(e, {});
}

Flow Inference::FieldOf(const Member& e, const Type* type) {
  const StructField* field = type->info->Find(e.name);
  if (field == nullptr) {
    ReportWithHint(Diag::UnknownField, e.name_location, DidYouMean(e.name, type->info->FieldNames()), type->info->name, e.name);
    return Done(e, {});
  }
  typed_.Info(&e).field = field;
  return Done(e, Flow::Of(AsSeen(field->type, typed_.Info(&e).space)));
}

Flow Inference::Deref(const Unary& e, const Type* pointer) {
  if (pointer == nullptr) return Done(e, {});
  if (pointer->is(TypeKind::Int)) {  // an address of which nothing else is known
    typed_.Info(&e).space = DefaultSpace();
    return Done(e, Flow::Of(types().Int(64, false)));
  }
  if (!pointer->is(TypeKind::Pointer) || pointer->element->is(TypeKind::None)) {
    Report(Diag::BadOperand, e.location, Spelling(e.op), ToString(pointer));
    return Done(e, {});
  }
  typed_.Info(&e).space = pointer->space;
  return Done(e, Flow::Of(AsSeen(pointer->element, pointer->space)));
}

Flow Inference::AddressOf(const Unary& e, const Type* target) {
  const Index* index = As<Index>(e.operand);
  const bool map = As<MapRef>(e.operand) != nullptr || (index != nullptr && As<MapRef>(index->base) != nullptr);
  const bool variable = As<ScratchVar>(e.operand) != nullptr;
  if (!map && !variable && !HasPlace(e.operand, typed_)) {
    Report(Diag::NotAddressable, e.operand->location);
    return Done(e, {});
  }
  if (target == nullptr) return Done(e, {});
  AddressSpace space = map || variable ? AddressSpace::Bpf : typed_.Info(e.operand).space;
  if (space == AddressSpace::Context) space = AddressSpace::Kernel;
  return Done(e, Flow::Of(types().Pointer(target, space)));
}

}  // namespace kawk
