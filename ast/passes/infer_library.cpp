// Types of functions whose result depends on what they are given, and the values of those that are known here already.
#include <bit>

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

}  // namespace kawk
