// Strings: read from user or kernel memory, copied between BPF memory, compared.
#include <linux/bpf.h>
#include <llvm/IR/CFG.h>

#include <bit>

#include "base/check.h"
#include "codegen/program.h"

namespace kawk {
namespace {

// Loads of 8, 4, 2 and 1 bytes that cover `bytes`: a comparison with a constant is a handful of these.
uint64_t ChunkSize(uint64_t left) { return left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1; }

}  // namespace

uint64_t LengthMask(uint64_t capacity) { return std::bit_ceil(capacity) - 1; }

llvm::Value* Program::ReadString(llvm::Value* dst, uint64_t capacity, llvm::Value* address, AddressSpace space,
                                 const Location* at) {
  const uint32_t helper = space == AddressSpace::User ? BPF_FUNC_probe_read_user_str : BPF_FUNC_probe_read_kernel_str;
  llvm::Value* got = Helper(helper, ir_.getInt64Ty(), {dst, I32(static_cast<uint32_t>(capacity)), address});
  if (at != nullptr) CheckRead(helper, got, *at);
  llvm::Value* failed = ir_.CreateICmpSLE(got, I64(0));
  If(failed, [&] { ir_.CreateStore(ir_.getInt8(0), dst); });
  llvm::Value* length = ir_.CreateSelect(failed, I64(0), ir_.CreateSub(got, I64(1)));
  return Bound(length, LengthMask(capacity));
}

llvm::Value* Program::StringInto(llvm::Value* dst, uint64_t capacity, const Expr* expr) {
  const ExprInfo& info = typed().Info(expr);
  if (info.string) {
    const std::string text = info.string->substr(0, capacity - 1);
    Copy(dst, module_.Bytes(text + '\0'), text.size() + 1);
    return I64(text.size());
  }
  if (info.function == FunctionId::Str) {
    const auto* call = static_cast<const Call*>(expr);
    const Value address = AddressValue(call->args[0]);
    if (address.type->IsScalar()) {
      SetLocation(expr->location);
      const AddressSpace space = address.type->is(TypeKind::Pointer) ? address.type->space : DefaultSpace();
      llvm::Value* limit = call->args.size() > 1 ? StringLimit(call->args[1], capacity) : nullptr;
      llvm::Value* from = Convert(address.v, address.type, typed().types->Int(64, false));
      if (limit == nullptr) return ReadString(dst, capacity, from, space, &expr->location);
      return ReadLimited(dst, capacity, from, space, limit, expr->location);
    }
    return ReadString(dst, capacity, AsInteger(address.v), AddressSpace::Kernel);
  }
  if (!typed().TypeOf(expr)->is(TypeKind::String)) {
    const Value address = AddressValue(expr);
    SetLocation(expr->location);
    const AddressSpace space = address.type->is(TypeKind::Pointer) ? address.type->space : DefaultSpace();
    return ReadString(dst, capacity, Convert(address.v, address.type, typed().types->Int(64, false)), space, &expr->location);
  }
  if (HasPlace(expr)) {
    const Place place = PlaceOf(expr);
    return ReadString(dst, capacity, AddressOf(place), ReadableSpace(place), place.at);
  }
  const Value value = Evaluate(expr);
  return ReadString(dst, capacity, AsInteger(value.v), AddressSpace::Kernel);
}

uint64_t Program::TextCapacity(const Expr* expr) {
  const Type* type = typed().TypeOf(expr);
  if (type->is(TypeKind::String)) return type->length;
  return (type->is(TypeKind::Array) ? type->length : typed().config.max_strlen) + 1;
}

Value Program::AddressValue(const Expr* expr) {
  const Type* type = typed().TypeOf(expr);
  if (!type->is(TypeKind::Array)) return Evaluate(expr);
  const Place place = PlaceOf(expr);
  return {AddressOf(place), typed().types->Pointer(type->element, ReadableSpace(place))};
}

AddressSpace Program::DefaultSpace() const {
  return (Row(unit_.kind).flags & kUserSpace) != 0 ? AddressSpace::User : AddressSpace::Kernel;
}

// The length argument of str(): bytes to read, NUL included; null when it is a constant that the capacity already holds.
llvm::Value* Program::StringLimit(const Expr* length, uint64_t capacity) {
  if (typed().Info(length).integer) return nullptr;
  llvm::Value* n = Scalar(length, typed().types->Int(64, false));
  return ir_.CreateSelect(ir_.CreateICmpULT(n, I64(capacity)), n, I64(capacity));
}

llvm::Value* Program::ReadLimited(llvm::Value* dst, uint64_t capacity, llvm::Value* address, AddressSpace space,
                                  llvm::Value* limit, const Location& at) {
  const uint32_t helper = space == AddressSpace::User ? BPF_FUNC_probe_read_user_str : BPF_FUNC_probe_read_kernel_str;
  llvm::Value* size = ir_.CreateTrunc(Bound(limit, LengthMask(capacity)), ir_.getInt32Ty());
  llvm::Value* got = Helper(helper, ir_.getInt64Ty(), {dst, size, address});
  CheckRead(helper, got, at);
  llvm::Value* none = ir_.CreateICmpSLE(got, I64(0));
  If(none, [&] { ir_.CreateStore(ir_.getInt8(0), dst); });
  return Bound(ir_.CreateSelect(none, I64(0), ir_.CreateSub(got, I64(1))), LengthMask(capacity));
}

void Program::StoreString(llvm::Value* dst, uint64_t capacity, const Value& value) {
  const uint64_t common = std::min(capacity, value.type->length);
  if (value.padded) {
    Copy(dst, value.v, common);
    if (capacity > common) Zero(At(dst, common), capacity - common);
    if (capacity < value.type->length) ir_.CreateStore(ir_.getInt8(0), At(dst, capacity - 1));
    return;
  }
  Zero(dst, capacity);
  Helper(BPF_FUNC_probe_read_kernel_str, ir_.getInt64Ty(), {dst, I32(static_cast<uint32_t>(capacity)), value.v});
}

llvm::Value* Program::CompareStrings(const Expr* left, const Expr* right) {
  if (typed().Info(left).string) std::swap(left, right);
  const Value a = Evaluate(left);
  const Value b = Evaluate(right);
  SetLocation(left->location);
  const uint64_t shorter = std::min(a.type->length, b.type->length);
  const auto& text = typed().Info(right).string;
  if (text && text->size() + 1 > a.type->length) return ir_.getFalse();  // it cannot be in there
  llvm::BasicBlock* differ = NewBlock("differ");
  llvm::BasicBlock* end = NewBlock("compared");
  if (text) {
    const uint64_t bytes = text->size() + 1;
    for (uint64_t at = 0; at < bytes;) {
      const uint64_t size = ChunkSize(bytes - at);
      uint64_t want = 0;
      for (uint64_t i = 0; i < size && at + i < text->size(); ++i)
        want |= uint64_t{static_cast<uint8_t>((*text)[at + i])} << (8 * i);
      auto* integer = ir_.getIntNTy(size * 8);
      llvm::Value* chunk = ir_.CreateAlignedLoad(integer, At(a.v, at), llvm::Align(1));
      llvm::BasicBlock* next = NewBlock("same");
      ir_.CreateCondBr(ir_.CreateICmpEQ(chunk, llvm::ConstantInt::get(integer, want)), next, differ);
      ir_.SetInsertPoint(next);
      at += size;
    }
    ir_.CreateBr(end);
  } else {
    CompareBytes(a.v, b.v, shorter, differ, end);
  }
  return WhetherSame(differ, end);
}

llvm::Value* Program::SameText(const Value& a, const Value& b, uint64_t bytes) {
  llvm::BasicBlock* differ = NewBlock("differ");
  llvm::BasicBlock* end = NewBlock("compared");
  CompareBytes(a.v, b.v, bytes, differ, end);
  return WhetherSame(differ, end);
}

// Ends a comparison: i1, whether `end` was not reached through `differ`.
llvm::Value* Program::WhetherSame(llvm::BasicBlock* differ, llvm::BasicBlock* end) {
  ir_.SetInsertPoint(differ);
  ir_.CreateBr(end);
  ir_.SetInsertPoint(end);
  auto* equal = ir_.CreatePHI(ir_.getInt1Ty(), 2);
  for (llvm::BasicBlock* from : llvm::predecessors(end)) equal->addIncoming(ir_.getInt1(from != differ), from);
  return equal;
}

// Byte by byte to the first NUL or difference; goes to `differ` or `end`.
void Program::CompareBytes(llvm::Value* a, llvm::Value* b, uint64_t bytes, llvm::BasicBlock* differ, llvm::BasicBlock* end) {
  llvm::BasicBlock* before = ir_.GetInsertBlock();
  llvm::BasicBlock* loop = NewBlock("compare");
  llvm::BasicBlock* same = NewBlock("same");
  llvm::BasicBlock* more = NewBlock("more");
  ir_.CreateBr(loop);
  ir_.SetInsertPoint(loop);
  auto* i = ir_.CreatePHI(ir_.getInt64Ty(), 2);
  i->addIncoming(I64(0), before);
  llvm::Value* x = ir_.CreateLoad(ir_.getInt8Ty(), ir_.CreateInBoundsGEP(ir_.getInt8Ty(), a, {i}));
  llvm::Value* y = ir_.CreateLoad(ir_.getInt8Ty(), ir_.CreateInBoundsGEP(ir_.getInt8Ty(), b, {i}));
  ir_.CreateCondBr(ir_.CreateICmpEQ(x, y), same, differ);
  ir_.SetInsertPoint(same);
  ir_.CreateCondBr(ir_.CreateICmpEQ(x, ir_.getInt8(0)), end, more);
  ir_.SetInsertPoint(more);
  llvm::Value* next = ir_.CreateAdd(i, I64(1));
  i->addIncoming(next, more);
  ir_.CreateCondBr(ir_.CreateICmpULT(next, I64(bytes)), loop, end);
}

}  // namespace kawk
