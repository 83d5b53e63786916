// Functions that turn one number into another value: names from tables, bytes in reverse, pointers into another space.
#include <llvm/IR/Intrinsics.h>

#include <bit>

#include "base/check.h"
#include "codegen/functions.h"
#include "stdlib/names.h"
#include "stdlib/registers.h"

namespace kawk {
namespace {

constexpr int64_t kMostErrors = 4095;  // the kernel's MAX_ERRNO

// A table of strings of one size in .rodata; the entry behind the last name is for all other numbers.
Value NameOf(Program& p, llvm::Value* number, const NameTable& table, const Type* type) {
  auto& ir = p.ir();
  const uint64_t last = table.names.size();
  const uint64_t entries = std::bit_ceil(last + 1);
  std::string bytes;
  for (uint64_t i = 0; i < entries; ++i) {
    std::string name = table.Of(i).substr(0, kNameCapacity - 1);
    name.resize(kNameCapacity);
    bytes += name;
  }
  llvm::Value* index = ir.CreateSelect(ir.CreateICmpULT(number, p.I64(last)), number, p.I64(last));
  llvm::Value* offset = ir.CreateMul(p.Bound(index, entries - 1), p.I64(kNameCapacity));
  return {ir.CreateInBoundsGEP(ir.getInt8Ty(), p.module().Bytes(bytes), {offset}), type};
}

llvm::Value* Number(Program& p, const Call& call) { return p.Scalar(call.args[0], p.typed().types->Int(64, true)); }

}  // namespace

Value EmitStrerrorCall(Program& p, const Call& call) {
  auto& ir = p.ir();
  llvm::Value* error = Number(p, call);
  llvm::Value* number = ir.CreateSelect(ir.CreateICmpSLT(error, p.I64(0)), ir.CreateNeg(error), error);
  return NameOf(p, number, ErrorTexts(), p.typed().TypeOf(&call));
}
Value EmitSyscallNameCall(Program& p, const Call& call) {
  return NameOf(p, Number(p, call), SyscallNames(), p.typed().TypeOf(&call));
}
Value EmitSignalNameCall(Program& p, const Call& call) {
  return NameOf(p, Number(p, call), SignalTexts(), p.typed().TypeOf(&call));
}

Value EmitStrcapCall(Program&, const Call&) { UNREACHABLE("a constant"); }

Value EmitBswapCall(Program& p, const Call& call) {
  const Type* type = p.typed().TypeOf(&call);
  llvm::Value* n = p.Scalar(call.args[0], type);
  if (SizeOfType(type) > 1) n = p.ir().CreateUnaryIntrinsic(llvm::Intrinsic::bswap, n);
  return {n, type};
}

Value EmitKptrCall(Program& p, const Call& call) {
  const Value address = p.AddressValue(call.args[0]);
  const Type* type = p.typed().TypeOf(&call);
  return {p.Convert(address.v, address.type, type), type};
}
Value EmitUptrCall(Program& p, const Call& call) { return EmitKptrCall(p, call); }

Value EmitIsErrCall(Program& p, const Call& call) {
  llvm::Value* address = p.Scalar(call.args[0], p.typed().types->Int(64, true));
  return {p.ir().CreateICmpUGE(address, p.I64(static_cast<uint64_t>(-kMostErrors))), p.typed().TypeOf(&call)};
}

Value EmitRegCall(Program& p, const Call& call) {
  const std::optional<uint32_t> offset = RegisterOffset(*p.typed().Info(call.args[0]).string);
  CHECK(offset);
  return {p.Context(*offset, p.ir().getInt64Ty()), p.typed().TypeOf(&call)};
}

}  // namespace kawk
