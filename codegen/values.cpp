// Values between registers and memory: conversion of scalars, and what is evaluated to where it is kept.
#include <algorithm>
#include <numeric>

#include "base/check.h"
#include "codegen/program.h"

namespace kawk {
namespace {

std::vector<size_t> InOrder(size_t count) {
  std::vector<size_t> places(count);
  std::iota(places.begin(), places.end(), size_t{0});
  return places;
}

// Where a record's members stand in another record with the same names.
std::vector<size_t> PlacesOf(const std::vector<std::string>& names, const std::vector<std::string>& order) {
  std::vector<size_t> places;
  for (const std::string& name : names) {
    places.push_back(static_cast<size_t>(std::find(order.begin(), order.end(), name) - order.begin()));
  }
  return places;
}

}  // namespace

llvm::Value* Program::Scalar(const Expr* expr, const Type* type) {
  const Value value = Evaluate(expr);
  return Convert(value.v, value.type, type);
}

llvm::Value* Program::Truth(const Expr* expr) {
  const Value value = Evaluate(expr);
  if (value.type->is(TypeKind::String)) return ir_.CreateICmpNE(ir_.CreateLoad(ir_.getInt8Ty(), value.v), ir_.getInt8(0));
  return ir_.CreateICmpNE(value.v, llvm::ConstantInt::get(value.v->getType(), 0));
}

llvm::Value* Program::Convert(llvm::Value* scalar, const Type* from, const Type* to) {
  CHECK(from->IsScalar() && to->IsScalar());
  if (to->is(TypeKind::Bool)) {
    return from->is(TypeKind::Bool) ? scalar : ir_.CreateICmpNE(scalar, llvm::ConstantInt::get(scalar->getType(), 0));
  }
  return ir_.CreateIntCast(scalar, ir_.getIntNTy(SizeOfType(to) * 8), from->is_signed && !from->is(TypeKind::Bool));
}

llvm::Value* Program::Load(llvm::Value* src, const Type* type) {
  auto* integer = ir_.getIntNTy(SizeOfType(type) * 8);
  llvm::Value* loaded = ir_.CreateAlignedLoad(integer, src, llvm::Align(AlignOfType(type)));
  return type->is(TypeKind::Bool) ? ir_.CreateICmpNE(loaded, ir_.getInt8(0)) : loaded;
}

const Type* Program::ValueTypeOf(const Expr* expr) {
  const Type* type = typed().TypeOf(expr);
  return type->IsAggregate() && !type->is(TypeKind::Stats) ? typed().types->AggregateInt(type) : type;
}

Value Program::FromMemory(llvm::Value* src, const Type* type) { return {type->IsScalar() ? Load(src, type) : src, type}; }

void Program::EvaluateInto(llvm::Value* dst, const Type* type, const Expr* expr) {
  if (type->is(TypeKind::Tuple) || type->is(TypeKind::Record)) {
    const auto* tuple = As<TupleExpr>(expr);
    const auto* record = As<RecordExpr>(expr);
    if (tuple != nullptr || record != nullptr) {
      const auto& elements = tuple != nullptr ? tuple->elements : record->elements;
      const std::vector<uint32_t> offsets = MemberOffsets(type);
      const std::vector<size_t> places = record != nullptr ? PlacesOf(record->names, type->names) : InOrder(elements.size());
      uint32_t packed = 0;
      for (const Type* member : type->members) packed += SizeOfType(member);
      if (packed != SizeOfType(type)) Zero(dst, SizeOfType(type));  // padding is part of a key
      for (size_t i = 0; i < elements.size(); ++i)
        EvaluateInto(At(dst, offsets[places[i]]), type->members[places[i]], elements[i]);
      return;
    }
  }
  if (type->is(TypeKind::String)) {
    const ExprInfo& info = typed().Info(expr);
    if ((info.function == FunctionId::Str && !info.string) || HasPlace(expr)) {
      Zero(dst, type->length);
      StringInto(dst, type->length, expr);
      return;
    }
    const bool comm = info.builtin == BuiltinId::Comm && As<Ident>(expr) != nullptr && Recall("comm") == nullptr;
    if (comm && type->length == typed().TypeOf(expr)->length) return CommInto(dst, type->length);
  }
  // `args` as a whole is in the context, which only a helper can copy.
  const bool whole_args = type->is(TypeKind::Struct) && typed().Info(expr).space == AddressSpace::Context;
  if ((HasPlace(expr) || whole_args) && !type->IsScalar() && typed().TypeOf(expr) == type) {
    const Place place = PlaceOf(expr);
    if (place.space != AddressSpace::Bpf) return ReadBytes(dst, SizeOfType(type), place);
    return Store(dst, type, ReadPlace(place, type));
  }
  Store(dst, type, Evaluate(expr));
}

void Program::Store(llvm::Value* dst, const Type* type, const Value& value) {
  if (type->IsScalar()) {
    llvm::Value* scalar = Convert(value.v, value.type, type);
    if (type->is(TypeKind::Bool)) scalar = ir_.CreateZExt(scalar, ir_.getInt8Ty());
    if (IsInFrame(dst)) scalar = Blur(scalar);
    ir_.CreateAlignedStore(scalar, dst, llvm::Align(AlignOfType(type)));
    return;
  }
  if ((type->is(TypeKind::Tuple) || type->is(TypeKind::Record)) && value.type != type) {
    const std::vector<uint32_t> to = MemberOffsets(type);
    const std::vector<uint32_t> from = MemberOffsets(value.type);
    const std::vector<size_t> places = type->is(TypeKind::Record) ? PlacesOf(value.type->names, type->names) : InOrder(to.size());
    Zero(dst, SizeOfType(type));
    for (size_t i = 0; i < to.size(); ++i) {
      const size_t at = places[i];
      Store(At(dst, to[at]), type->members[at], FromMemory(At(value.v, from[i]), value.type->members[i]));
    }
    return;
  }
  if (type->is(TypeKind::String) && (value.type->length != type->length || !value.padded)) {
    StoreString(dst, type->length, value);
    return;
  }
  if (type->is(TypeKind::Buffer) && value.type->length < type->length) Zero(dst, SizeOfType(type));
  Copy(dst, value.v, std::min(SizeOfType(type), SizeOfType(value.type)));
}

}  // namespace kawk
