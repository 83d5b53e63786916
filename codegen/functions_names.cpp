// Functions that turn one number into another value: names from tables, bytes in reverse, pointers into another space.
#include <linux/bpf.h>
#include <llvm/IR/Intrinsics.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "codegen/functions.h"
#include "stdlib/names.h"
#include "stdlib/registers.h"

namespace kawk {
namespace {

constexpr uint64_t kInstructionPointer = 128;  // in x86-64's struct pt_regs

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

Value EmitKaddrCall(Program&, const Call&) { UNREACHABLE("a constant"); }

Value EmitPercpuKaddrCall(Program& p, const Call& call) {
  auto& ir = p.ir();
  llvm::GlobalVariable* variable = p.module().KernelVariable(*p.typed().Info(call.args[0]).string);
  llvm::Value* address = call.args.size() > 1 ? p.Helper(BPF_FUNC_per_cpu_ptr, ir.getPtrTy(),
                                                         {variable, p.Scalar(call.args[1], p.typed().types->Int(32, false))})
                                              : p.Helper(BPF_FUNC_this_cpu_ptr, ir.getPtrTy(), {variable});
  // Out of memory it comes as a number: to the verifier what the helper gives is null, or a structure of the variable's type
  // at which no other offset may be read.
  llvm::Value* typed = p.Allocate(8);
  llvm::Value* number = p.Allocate(8);
  ir.CreateStore(p.AsInteger(address), typed)->setVolatile(true);
  p.Helper(BPF_FUNC_probe_read_kernel, ir.getInt64Ty(), {number, p.I32(8), typed});
  return {ir.CreateLoad(ir.getInt64Ty(), number), p.typed().TypeOf(&call)};
}

// Where the probe's instruction is mapped, plus the distance.
Value EmitUaddrCall(Program& p, const Call& call) {
  auto& ir = p.ir();
  const std::vector<int64_t>& distances = p.typed().user_objects.at(&call);
  CHECK(distances.size() == p.unit().targets.size());
  llvm::Value* here = p.unit().kind == ProbeKind::Uretprobe
                          ? p.Helper(BPF_FUNC_get_func_ip, ir.getInt64Ty(), {p.ContextPointer()})
                          : p.Context(kInstructionPointer, ir.getInt64Ty());
  llvm::Value* distance = p.I64(static_cast<uint64_t>(distances[0]));
  const bool same = std::ranges::all_of(distances, [&](int64_t d) { return d == distances[0]; });
  if (!same) {
    std::string table(std::bit_ceil(distances.size()) * 8, '\0');
    std::memcpy(table.data(), distances.data(), distances.size() * 8);
    llvm::Value* index = p.Bound(p.TargetIndex(), std::bit_ceil(distances.size()) - 1);
    llvm::Value* entry = ir.CreateInBoundsGEP(ir.getInt8Ty(), p.module().Bytes(table), {ir.CreateMul(index, p.I64(8))});
    distance = ir.CreateAlignedLoad(ir.getInt64Ty(), entry, llvm::Align(8));
  }
  return {ir.CreateAdd(here, distance), p.typed().TypeOf(&call)};
}

Value EmitKptrCall(Program& p, const Call& call) {
  const Value address = p.AddressValue(call.args[0]);
  const Type* type = p.typed().TypeOf(&call);
  return {p.Convert(address.v, address.type, type), type};
}
Value EmitUptrCall(Program& p, const Call& call) { return EmitKptrCall(p, call); }

Value EmitRegCall(Program& p, const Call& call) {
  const std::optional<uint32_t> offset = RegisterOffset(*p.typed().Info(call.args[0]).string);
  CHECK(offset);
  return {p.Context(*offset, p.ir().getInt64Ty()), p.typed().TypeOf(&call)};
}

}  // namespace kawk
