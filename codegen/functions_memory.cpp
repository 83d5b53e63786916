// Functions that read memory or give an address a meaning: buffers, network addresses, symbols; and what strings, stacks and
// maps hold.
#include <linux/bpf.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "codegen/functions.h"

namespace kawk {
namespace {

const Type* TypeOfCall(Program& p, const Call& call) { return p.typed().TypeOf(&call); }
const Type* Unsigned(Program& p, uint32_t bits) { return p.typed().types->Int(bits, false); }

constexpr uint64_t kMacBytes = 6;
constexpr uint64_t kInetAddress = 4;  // behind the family
constexpr uint64_t kInetBytes = 20;

// A string, or the text that an array or a pointer stands for, in memory.
Value TextOf(Program& p, const Expr* expr) {
  if (p.typed().TypeOf(expr)->is(TypeKind::String)) return p.Evaluate(expr);
  const uint64_t capacity = p.TextCapacity(expr);
  llvm::Value* memory = p.Allocate(LengthMask(capacity) + 1);
  llvm::Value* length = p.StringInto(memory, capacity, expr);
  return {memory, p.typed().types->String(capacity), length, false};
}

}  // namespace

Value EmitBufCall(Program& p, const Call& call) {
  const Type* type = TypeOfCall(p, call);
  llvm::Value* memory = p.Allocate(kBufferHeader + LengthMask(type->length + 1) + 1);
  p.Zero(memory, SizeOfType(type));  // what lies behind the bytes read is part of a key, too
  llvm::Value* length = p.BufferInto(p.At(memory, kBufferHeader), type->length, &call);
  p.ir().CreateStore(p.ir().CreateTrunc(length, p.ir().getInt32Ty()), memory);
  return {memory, type};
}

Value EmitKsymCall(Program& p, const Call& call) {
  llvm::Value* memory = p.Allocate(8);
  p.ir().CreateStore(p.Scalar(call.args[0], Unsigned(p, 64)), memory);
  return {memory, TypeOfCall(p, call)};
}

// The address and whose it is: u32 tgid in the initial pid namespace.
Value EmitUsymCall(Program& p, const Call& call) {
  auto& ir = p.ir();
  llvm::Value* memory = p.Allocate(16);
  ir.CreateStore(p.Scalar(call.args[0], Unsigned(p, 64)), memory);
  llvm::Value* tgid = ir.CreateLShr(PidTgid(p), p.I64(32));
  ir.CreateStore(tgid, p.At(memory, 8));
  return {memory, TypeOfCall(p, call)};
}

// ntop(address) or ntop(family, address): an integer of four bytes, or an array of four or sixteen.
Value EmitNtopCall(Program& p, const Call& call) {
  auto& ir = p.ir();
  const Expr* address = call.args.back();
  const Type* type = p.typed().TypeOf(address);
  const bool array = type->is(TypeKind::Array);
  llvm::Value* family = p.I32(array && SizeOfType(type) > 4 ? AF_INET6 : AF_INET);
  if (call.args.size() > 1) family = p.Scalar(call.args[0], Unsigned(p, 32));
  llvm::Value* memory = p.Allocate(kInetBytes);
  p.Zero(memory, kInetBytes);
  if (array) {
    p.EvaluateInto(p.At(memory, kInetAddress), type, address);
  } else {
    ir.CreateStore(p.Scalar(address, Unsigned(p, 32)), p.At(memory, kInetAddress));
  }
  ir.CreateStore(family, memory);
  return {memory, TypeOfCall(p, call)};
}

Value EmitMacaddrCall(Program& p, const Call& call) {
  const Type* type = p.typed().TypeOf(call.args[0]);
  llvm::Value* memory = p.Allocate(kMacBytes);
  if (type->is(TypeKind::Array)) {
    p.EvaluateInto(memory, type, call.args[0]);
    return {memory, TypeOfCall(p, call)};
  }
  const Value address = p.Evaluate(call.args[0]);
  p.SetLocation(call.location);
  const uint32_t helper = ReadersFor(p, address.type).memory;
  llvm::Value* from = p.Convert(address.v, address.type, Unsigned(p, 64));
  p.CheckRead(helper, p.Helper(helper, p.ir().getInt64Ty(), {memory, p.I32(kMacBytes), from}), call.location);
  return {memory, TypeOfCall(p, call)};
}

Value EmitStrlenCall(Program& p, const Call& call) {
  const Type* type = TypeOfCall(p, call);
  if (const auto& text = p.typed().Info(call.args[0]).string) return {p.I64(strlen(text->c_str())), type};
  const uint64_t capacity = p.TextCapacity(call.args[0]);
  return {p.StringInto(p.Allocate(LengthMask(capacity) + 1), capacity, call.args[0]), type};
}

// 0 when the first n bytes are the same, else 1.
Value EmitStrncmpCall(Program& p, const Call& call) {
  const Type* type = TypeOfCall(p, call);
  const Value a = TextOf(p, call.args[0]);
  const Value b = TextOf(p, call.args[1]);
  const uint64_t n = std::min({*p.typed().Info(call.args[2]).integer, a.type->length, b.type->length});
  if (n == 0) return {p.I64(0), type};
  return {p.ir().CreateZExt(p.ir().CreateNot(p.SameText(a, b, n)), p.ir().getInt64Ty()), type};
}

Value EmitStrstrCall(Program& p, const Call& call) { return {p.FindText(call.args[0], call.args[1]), TypeOfCall(p, call)}; }
Value EmitStrcontainsCall(Program& p, const Call& call) {
  return {p.ir().CreateICmpSGE(p.FindText(call.args[0], call.args[1]), p.I64(0)), TypeOfCall(p, call)};
}

Value EmitLenCall(Program& p, const Call& call) {
  auto& ir = p.ir();
  const Type* type = TypeOfCall(p, call);
  if (const auto* map = As<MapRef>(call.args[0])) return {p.CountKeys(p.typed().Info(map).map), type};
  const Value stack = p.Evaluate(call.args[0]);
  llvm::Value* depth = ir.CreateLoad(ir.getInt32Ty(), p.At(stack.v, offsetof(image::StackKey, depth)));
  return {ir.CreateZExt(depth, ir.getInt64Ty()), type};
}

}  // namespace kawk
