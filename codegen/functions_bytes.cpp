// Functions over bytes of all kinds of values: comparing, joining, writing them; and what acts on the traced process.
#include <arpa/inet.h>
#include <linux/bpf.h>

#include <algorithm>

#include "base/check.h"
#include "codegen/functions.h"
#include "stdlib/names.h"

namespace kawk {
namespace {

const Type* TypeOfCall(Program& p, const Call& call) { return p.typed().TypeOf(&call); }

// Memory that holds the first `count` bytes of a value, or of what a pointer leads to. The checker knows that it has them.
llvm::Value* BytesOf(Program& p, const Expr* expr, uint64_t count, const Location& at) {
  const Type* type = p.ValueTypeOf(expr);
  if (type->is(TypeKind::Pointer)) {
    llvm::Value* memory = p.Allocate(count);
    llvm::Value* address = p.Scalar(expr, p.typed().types->Int(64, false));
    p.SetLocation(at);
    const uint32_t helper = ReadersFor(p, type).memory;
    llvm::Value* failed = p.Helper(helper, p.ir().getInt64Ty(), {memory, p.I32(static_cast<uint32_t>(count)), address});
    p.CheckRead(helper, failed, at);
    return memory;
  }
  if (p.typed().Info(expr).string) return p.Evaluate(expr).v;
  llvm::Value* memory = p.Allocate(std::max<uint64_t>(SizeOfType(type), count));
  p.EvaluateInto(memory, type, expr);
  return type->is(TypeKind::Buffer) ? p.At(memory, kBufferHeader) : memory;
}

uint64_t Constant(Program& p, const Call& call, size_t index) { return *p.typed().Info(call.args[index]).integer; }

void SendSignal(Program& p, const Call& call, uint32_t helper) {
  const std::optional<std::string>& name = p.typed().Info(call.args[0]).string;
  llvm::Value* number = name ? p.I32(SignalNumber(*name).value_or(0)) : p.Scalar(call.args[0], p.typed().types->Int(32, false));
  p.Helper(helper, p.ir().getInt64Ty(), {number});
}

}  // namespace

// Byte by byte to the first that differs.
Value EmitMemcmpCall(Program& p, const Call& call) {
  auto& ir = p.ir();
  const Type* type = TypeOfCall(p, call);
  const uint64_t count = Constant(p, call, 2);
  if (count == 0) return {p.I32(0), type};
  llvm::Value* left = BytesOf(p, call.args[0], count, call.location);
  llvm::Value* right = BytesOf(p, call.args[1], count, call.location);
  p.SetLocation(call.location);
  llvm::BasicBlock* before = ir.GetInsertBlock();
  llvm::BasicBlock* loop = p.NewBlock("compare");
  llvm::BasicBlock* more = p.NewBlock("more");
  llvm::BasicBlock* differ = p.NewBlock("differ");
  llvm::BasicBlock* end = p.NewBlock("compared");
  ir.CreateBr(loop);
  ir.SetInsertPoint(loop);
  auto* i = ir.CreatePHI(ir.getInt64Ty(), 2);
  i->addIncoming(p.I64(0), before);
  llvm::Value* x = ir.CreateLoad(ir.getInt8Ty(), ir.CreateInBoundsGEP(ir.getInt8Ty(), left, {i}));
  llvm::Value* y = ir.CreateLoad(ir.getInt8Ty(), ir.CreateInBoundsGEP(ir.getInt8Ty(), right, {i}));
  ir.CreateCondBr(ir.CreateICmpEQ(x, y), more, differ);
  ir.SetInsertPoint(more);
  llvm::Value* next = ir.CreateAdd(i, p.I64(1));
  i->addIncoming(next, more);
  ir.CreateCondBr(ir.CreateICmpULT(next, p.I64(count)), loop, end);
  ir.SetInsertPoint(differ);
  llvm::Value* order = ir.CreateSelect(ir.CreateICmpULT(x, y), p.I32(~0u), p.I32(1));
  ir.CreateBr(end);
  ir.SetInsertPoint(end);
  auto* result = ir.CreatePHI(ir.getInt32Ty(), 2);
  result->addIncoming(p.I32(0), more);
  result->addIncoming(order, differ);
  return {result, type};
}

// The second text is read to where the first one ends.
Value EmitStrConcatCall(Program& p, const Call& call) {
  auto& ir = p.ir();
  const uint64_t first = p.TextCapacity(call.args[0]);
  const uint64_t second = p.TextCapacity(call.args[1]);
  llvm::Value* memory = p.Allocate(LengthMask(first) + LengthMask(second) + 2);
  llvm::Value* length = p.StringInto(memory, first, call.args[0]);
  llvm::Value* rest = p.StringInto(ir.CreateInBoundsGEP(ir.getInt8Ty(), memory, {length}), second, call.args[1]);
  return {memory, TypeOfCall(p, call), ir.CreateAdd(length, rest), false};
}

Value EmitPtonCall(Program& p, const Call& call) {
  const std::string& text = *p.typed().Info(call.args[0]).string;
  std::string bytes(SizeOfType(TypeOfCall(p, call)), '\0');
  const int family = bytes.size() == sizeof(in6_addr) ? AF_INET6 : AF_INET;
  CHECK(inet_pton(family, text.c_str(), bytes.data()) == 1);
  return {p.module().Bytes(bytes), TypeOfCall(p, call)};
}

Value EmitCgroupPathCall(Program& p, const Call& call) {
  llvm::Value* memory = p.Allocate(8);
  p.ir().CreateStore(p.Scalar(call.args[0], p.typed().types->Int(64, false)), memory);
  return {memory, TypeOfCall(p, call)};
}

Value EmitSignalCall(Program& p, const Call& call) {
  SendSignal(p, call, BPF_FUNC_send_signal);
  return Nothing(p);
}
Value EmitSignalThreadCall(Program& p, const Call& call) {
  SendSignal(p, call, BPF_FUNC_send_signal_thread);
  return Nothing(p);
}

Value EmitOverrideCall(Program& p, const Call& call) {
  llvm::Value* result = p.Scalar(call.args[0], p.typed().types->Int(64, true));
  p.Helper(BPF_FUNC_override_return, p.ir().getInt64Ty(), {p.ContextPointer(), result});
  return Nothing(p);
}

Value EmitWriteUserCall(Program& p, const Call& call) {
  const uint64_t count = Constant(p, call, 2);
  if (count == 0) return Nothing(p);
  const Value address = p.AddressValue(call.args[0]);
  llvm::Value* to = p.Convert(address.v, address.type, p.typed().types->Int(64, false));
  llvm::Value* bytes = BytesOf(p, call.args[1], count, call.location);
  p.SetLocation(call.location);
  const uint32_t helper = BPF_FUNC_probe_write_user;
  llvm::Value* failed = p.Helper(helper, p.ir().getInt64Ty(), {to, bytes, p.I32(static_cast<uint32_t>(count))});
  p.CheckRead(helper, failed, call.location);
  return Nothing(p);
}

// What the passes have dealt with.
Value EmitStaticAssertCall(Program& p, const Call&) { return Nothing(p); }
Value EmitFailCall(Program& p, const Call&) { return Nothing(p); }
Value EmitCgroupIdCall(Program&, const Call&) { UNREACHABLE("a constant"); }
Value EmitIsLiteralCall(Program&, const Call&) { UNREACHABLE("a constant"); }
Value EmitIsStrCall(Program&, const Call&) { UNREACHABLE("a constant"); }
Value EmitIsPtrCall(Program&, const Call&) { UNREACHABLE("a constant"); }
Value EmitIsArrayCall(Program&, const Call&) { UNREACHABLE("a constant"); }
Value EmitIsIntegerCall(Program&, const Call&) { UNREACHABLE("a constant"); }
Value EmitIsUnsignedIntegerCall(Program&, const Call&) { UNREACHABLE("a constant"); }
Value EmitKfuncExistCall(Program&, const Call&) { UNREACHABLE("a constant"); }
Value EmitKfuncAllowedCall(Program&, const Call&) { UNREACHABLE("a constant"); }

}  // namespace kawk
