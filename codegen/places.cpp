// Objects in memory that are not loaded yet: fields, elements, what pointers lead to. A chain such as `p->a.b[2].c` is one
// address and one read at its end. Kernel and user memory is read by helpers, which cannot fault; the program's own memory
// is read directly where the offset is a constant, and otherwise by a helper too, so that no index needs a proof.
#include <linux/bpf.h>

#include <bit>

#include "base/check.h"
#include "codegen/program.h"

namespace kawk {

bool Program::HasPlace(const Expr* expr) const {
  const ExprInfo& info = typed().Info(expr);
  if (info.integer || info.string) return false;
  if (const auto* member = As<Member>(expr)) return info.field != nullptr && typed().TypeOf(member->base) != nullptr;
  if (const auto* index = As<Index>(expr)) {
    const Type* base = typed().TypeOf(index->base);
    return As<MapRef>(index->base) == nullptr && !base->is(TypeKind::Tuple);
  }
  const auto* unary = As<Unary>(expr);
  return unary != nullptr && unary->op == UnaryOp::Deref;
}

Program::Place Program::PointedTo(const Expr* pointer) {
  const Value value = Evaluate(pointer);
  const AddressSpace of = value.type->is(TypeKind::Pointer) ? value.type->space : DefaultSpace();
  const AddressSpace space = of == AddressSpace::User ? AddressSpace::User : AddressSpace::Kernel;
  return {space, ir_.CreateIntCast(value.v, ir_.getInt64Ty(), false), nullptr, 0, &pointer->location};
}

Program::Place Program::PlaceOf(const Expr* expr) {
  if (!HasPlace(expr)) {
    const ExprInfo& info = typed().Info(expr);
    if (info.builtin && info.space == AddressSpace::Context) return {AddressSpace::Context, nullptr, nullptr, 0};
    return {AddressSpace::Bpf, Evaluate(expr).v, nullptr, 0};
  }
  if (const auto* member = As<Member>(expr)) {
    if (const RawValue* raw = RawField(expr)) return RawFieldPlace(*raw);
    const bool is_args = typed().Info(member->base).builtin == BuiltinId::Args;
    if (is_args && unit_.kind == ProbeKind::Uprobe) return UserArgument(*typed().Info(expr).field, expr->location);
    const bool pointer = typed().TypeOf(member->base)->is(TypeKind::Pointer);
    return FieldPlace(pointer ? PointedTo(member->base) : PlaceOf(member->base), *typed().Info(expr).field);
  }
  if (const auto* index = As<Index>(expr)) return ElementPlace(*index);
  return PointedTo(static_cast<const Unary*>(expr)->operand);
}

Program::Place Program::FieldPlace(Place place, const StructField& field) {
  if (!field.data_loc && !field.rel_data_loc) {
    place.offset += field.offset;
    return place;
  }
  llvm::Value* location = ir_.CreateZExt(Context(field.offset, ir_.getInt32Ty()), ir_.getInt64Ty());
  place.index = ir_.CreateAnd(location, I64(0xffff));
  if (field.rel_data_loc) place.offset += field.offset + 4;
  return place;
}

Program::Place Program::ElementPlace(const Index& e) {
  const Type* base = typed().TypeOf(e.base);
  const uint64_t size = base->is(TypeKind::String) ? 1 : SizeOfType(base->element);
  Place place = base->is(TypeKind::Pointer) ? PointedTo(e.base) : PlaceOf(e.base);
  if (const std::optional<uint64_t>& known = typed().Info(e.index).integer) {
    place.offset += *known * size;
    return place;
  }
  llvm::Value* index = Scalar(e.index, typed().types->Int(64, true));
  // The program's own memory has an end: beyond it is element 0.
  if (place.space == AddressSpace::Bpf || place.space == AddressSpace::Context) {
    const uint64_t length = std::max<uint64_t>(base->length, 1);
    index = Bound(ir_.CreateSelect(ir_.CreateICmpULT(index, I64(length)), index, I64(0)), std::bit_ceil(length) - 1);
  }
  index = ir_.CreateMul(index, I64(size));
  place.index = place.index != nullptr ? ir_.CreateAdd(place.index, index) : index;
  return place;
}

llvm::Value* Program::AddressOf(const Place& place) {
  llvm::Value* address = place.base;
  if (place.space == AddressSpace::Context) address = ContextPointer();
  if (address->getType()->isPointerTy()) address = AsInteger(address);
  if (place.offset != 0) address = ir_.CreateAdd(address, I64(place.offset));
  return place.index != nullptr ? ir_.CreateAdd(address, place.index) : address;
}

AddressSpace Program::ReadableSpace(const Place& place) const {
  return place.space == AddressSpace::User ? AddressSpace::User : AddressSpace::Kernel;
}

void Program::ReadBytes(llvm::Value* dst, uint64_t bytes, const Place& place) {
  const uint32_t helper = place.space == AddressSpace::User ? BPF_FUNC_probe_read_user : BPF_FUNC_probe_read_kernel;
  llvm::Value* result = Helper(helper, ir_.getInt64Ty(), {dst, I32(static_cast<uint32_t>(bytes)), AddressOf(place)});
  if (place.at != nullptr) CheckRead(helper, result, *place.at);
}

// Raw tracepoints and traced functions have their arguments in slots of 8 bytes.
llvm::Value* Program::ReadContext(uint64_t offset, llvm::Type* type) {
  const bool slots = unit_.kind == ProbeKind::RawTracepoint || unit_.kind == ProbeKind::Fentry || unit_.kind == ProbeKind::Fexit;
  if (!slots) return Context(offset, type);
  return ir_.CreateIntCast(Context(offset, ir_.getInt64Ty()), type, false);
}

llvm::Value* Program::ReadInteger(const Place& place, const Type* type) {
  auto* integer = ir_.getIntNTy(SizeOfType(type) * 8);
  if (place.index == nullptr && place.space == AddressSpace::Context) return ReadContext(place.offset, integer);
  if (place.index == nullptr && place.space == AddressSpace::Bpf) {
    return ir_.CreateAlignedLoad(integer, At(place.base, place.offset), llvm::Align(1));
  }
  llvm::Value* memory = Allocate(8);
  ReadBytes(memory, SizeOfType(type), place);
  return ir_.CreateAlignedLoad(integer, memory, llvm::Align(8));
}

Value Program::ReadPlace(const Place& place, const Type* type, const StructField* field) {
  if (type->IsScalar()) {
    llvm::Value* v = ReadInteger(place, type);
    if (field != nullptr && field->bit_size != 0) {
      const uint32_t width = SizeOfType(type) * 8;
      v = ir_.CreateShl(v, width - field->bit_size - field->bit_offset);
      v = type->is_signed ? ir_.CreateAShr(v, width - field->bit_size) : ir_.CreateLShr(v, width - field->bit_size);
    }
    if (type->is(TypeKind::Bool)) v = ir_.CreateICmpNE(v, llvm::ConstantInt::get(v->getType(), 0));
    return {v, type};
  }
  if (type->is(TypeKind::String)) {
    llvm::Value* memory = Allocate(LengthMask(type->length) + 1);
    llvm::Value* length = ReadString(memory, type->length, AddressOf(place), ReadableSpace(place), place.at);
    return {memory, type, length, false};
  }
  if (place.space == AddressSpace::Bpf && place.index == nullptr) return {At(place.base, place.offset), type};
  llvm::Value* memory = Allocate(SizeOfType(type));
  ReadBytes(memory, SizeOfType(type), place);
  return {memory, type};
}

// `&x`: of a variable or a map's value the address of its bytes here, 0 when the map has no such key.
llvm::Value* Program::AddressOfOperand(const Expr* operand) {
  if (As<ScratchVar>(operand) != nullptr) return AsInteger(Variable(typed().Info(operand).variable));
  if (HasPlace(operand)) return AddressOf(PlaceOf(operand));
  return AsInteger(AddressOfElement(TargetOf(operand)));
}

// A map element's address, null when it is not there.
llvm::Value* Program::AddressOfElement(const Target& target) {
  if (StorageOf(typed().maps[target.map]) == image::MapStorage::Global) return GlobalValue(target.map);
  llvm::Value* key = KeyOf(target, nullptr);
  return Helper(BPF_FUNC_map_lookup_elem, ir_.getPtrTy(), {module_.Map(target.map), key});
}

llvm::Value* Program::SameBytes(llvm::Value* a, llvm::Value* b, uint64_t bytes) {
  llvm::Value* differences = I64(0);
  for (uint64_t at = 0; at < bytes;) {
    const uint64_t left = bytes - at;
    const uint64_t size = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
    auto* integer = ir_.getIntNTy(size * 8);
    llvm::Value* x = ir_.CreateAlignedLoad(integer, At(a, at), llvm::Align(size));
    llvm::Value* y = ir_.CreateAlignedLoad(integer, At(b, at), llvm::Align(size));
    differences = ir_.CreateOr(differences, ir_.CreateZExt(ir_.CreateXor(x, y), ir_.getInt64Ty()));
    at += size;
  }
  return ir_.CreateICmpEQ(differences, I64(0));
}

}  // namespace kawk
