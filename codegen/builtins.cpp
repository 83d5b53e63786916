// Builtin values: one emitter per row of stdlib/builtins.def.
#include <linux/bpf.h>

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "codegen/program.h"
#include "codegen/unwind.h"
#include "stdlib/registers.h"

namespace kawk {
namespace {

// Where the registers stand in x86-64's struct pt_regs.
constexpr uint64_t kArgRegisters[] = {112, 104, 96, 88, 72, 64};  // di si dx cx r8 r9
constexpr uint64_t kReturnRegister = 80;                          // ax
constexpr uint64_t kStackRegister = 152;                          // sp

const Type* TypeOfExpr(Program& p, const Expr& expr) { return p.typed().TypeOf(&expr); }

llvm::Value* Narrow(Program& p, llvm::Value* v, const Type* type) {
  return p.ir().CreateIntCast(v, p.ir().getIntNTy(SizeOfType(type) * 8), false);
}

// What a helper without arguments returns.
Value Called(Program& p, const Expr& expr, uint32_t helper) {
  return {p.Helper(helper, p.ir().getInt64Ty(), {}), TypeOfExpr(p, expr)};
}

}  // namespace

llvm::Value* PidTgid(Program& p) {
  return p.Once("pid_tgid", [&]() -> llvm::Value* {
    auto& ir = p.ir();
    llvm::Value* result = p.Allocate(8);
    auto* ino = ir.CreateLoad(ir.getInt64Ty(), p.module().Global(offsetof(image::ProgramState, pid_ns_ino)));
    p.If(
        ir.CreateICmpEQ(ino, p.I64(0)),
        [&] { ir.CreateStore(p.Helper(BPF_FUNC_get_current_pid_tgid, ir.getInt64Ty(), {}), result); },
        [&] {
          auto* dev = ir.CreateLoad(ir.getInt64Ty(), p.module().Global(offsetof(image::ProgramState, pid_ns_dev)));
          ir.CreateStore(p.I64(0), result);
          p.Helper(BPF_FUNC_get_ns_current_pid_tgid, ir.getInt64Ty(), {dev, ino, result, p.I32(8)});
          // struct bpf_pidns_info { u32 pid; u32 tgid; } is the same order on a little-endian machine.
        });
    return ir.CreateLoad(ir.getInt64Ty(), result);
  });
}

void Program::CommInto(llvm::Value* dst, uint64_t capacity) {
  Zero(dst, capacity);  // before 6.4 the helper leaves the bytes behind the NUL as they were, which matters in a key
  Helper(BPF_FUNC_get_current_comm, ir_.getInt64Ty(), {dst, I32(static_cast<uint32_t>(capacity))});
}

namespace {

Value Argument(Program& p, const Expr& expr, uint32_t n) {
  auto& ir = p.ir();
  const Type* type = TypeOfExpr(p, expr);
  if (p.unit().kind == ProbeKind::Usdt) return UsdtArgumentValue(p, expr, n);
  if (p.unit().kind == ProbeKind::RawTracepoint) return {p.Context(n * 8ull, ir.getInt64Ty()), type};
  if (n < std::size(kArgRegisters)) return {p.Context(kArgRegisters[n], ir.getInt64Ty()), type};
  // Behind the return address on the stack.
  llvm::Value* sp = p.Context(kStackRegister, ir.getInt64Ty());
  llvm::Value* memory = p.Allocate(8);
  const bool user = (Row(p.unit().kind).flags & kUserSpace) != 0;
  const uint64_t offset = 8 * (n - std::size(kArgRegisters) + 1);
  const uint32_t helper = user ? BPF_FUNC_probe_read_user : BPF_FUNC_probe_read_kernel;
  llvm::Value* failed = p.Helper(helper, ir.getInt64Ty(), {memory, p.I32(8), ir.CreateAdd(sp, p.I64(offset))});
  p.CheckRead(helper, failed, expr.location);
  return {ir.CreateLoad(ir.getInt64Ty(), memory), type};
}

// Hash of the first `bytes` of a stack. 64 bits: two of the stacks of one run do not collide.
llvm::Value* HashStack(Program& p, llvm::Value* frames, llvm::Value* bytes, uint32_t limit) {
  auto& ir = p.ir();
  llvm::BasicBlock* before = ir.GetInsertBlock();
  llvm::BasicBlock* loop = p.NewBlock("hash");
  llvm::BasicBlock* more = p.NewBlock("frame");
  llvm::BasicBlock* end = p.NewBlock("hashed");
  ir.CreateBr(loop);
  ir.SetInsertPoint(loop);
  auto* at = ir.CreatePHI(ir.getInt64Ty(), 2);
  auto* hash = ir.CreatePHI(ir.getInt64Ty(), 2);
  at->addIncoming(p.I64(0), before);
  hash->addIncoming(p.I64(0x9e3779b97f4a7c15), before);
  // The constant bound is for the verifier, the other for the data.
  llvm::Value* inside = ir.CreateAnd(ir.CreateICmpULT(at, p.I64(8ull * limit)), ir.CreateICmpULT(at, bytes));
  ir.CreateCondBr(inside, more, end);
  ir.SetInsertPoint(more);
  llvm::Value* frame = ir.CreateLoad(ir.getInt64Ty(), ir.CreateInBoundsGEP(ir.getInt8Ty(), frames, {at}));
  llvm::Value* mixed = ir.CreateMul(ir.CreateXor(hash, frame), p.I64(0xff51afd7ed558ccd));
  mixed = ir.CreateXor(mixed, ir.CreateLShr(mixed, p.I64(32)));
  at->addIncoming(ir.CreateAdd(at, p.I64(8)), more);
  hash->addIncoming(mixed, more);
  ir.CreateBr(loop);
  ir.SetInsertPoint(end);
  return ir.CreateOr(hash, p.I64(1));  // 0 means an empty stack
}

// The stack in `frames`, of `bytes` bytes, goes into its map, what names it there is the value.
Value NameStack(Program& p, const Type* type, llvm::Value* frames, llvm::Value* bytes) {
  auto& ir = p.ir();
  const bool user = type->is(TypeKind::UserStack);
  const uint32_t limit = type->stack_limit;
  const uint32_t map = p.module().StackMap(user, limit);
  llvm::Value* key = p.Allocate(sizeof(image::StackKey));
  p.Zero(key, sizeof(image::StackKey));
  p.If(ir.CreateICmpSGT(bytes, p.I64(0)), [&] {
    llvm::Value* hash = HashStack(p, frames, bytes, limit);
    ir.CreateStore(hash, key);
    if (user) {
      llvm::Value* tgid = ir.CreateLShr(PidTgid(p), p.I64(32));
      ir.CreateStore(ir.CreateTrunc(tgid, ir.getInt32Ty()), p.At(key, offsetof(image::StackKey, pid)));
    }
    llvm::Value* depth = ir.CreateTrunc(ir.CreateLShr(bytes, p.I64(3)), ir.getInt32Ty());
    ir.CreateStore(depth, p.At(key, offsetof(image::StackKey, depth)));
    llvm::GlobalVariable* stacks = p.module().StackMapVariable(map);
    llvm::Value* known = p.Helper(BPF_FUNC_map_lookup_elem, ir.getPtrTy(), {stacks, key});
    p.If(ir.CreateIsNull(known), [&] {
      llvm::Value* failed = p.Helper(BPF_FUNC_map_update_elem, ir.getInt64Ty(), {stacks, key, frames, p.I64(BPF_ANY)});
      p.If(ir.CreateICmpNE(failed, p.I64(0)), [&] { p.CountLoss(image::LossCause::MapFull); });
    });
  });
  return {key, type};
}

Value Stack(Program& p, const Expr& expr) {
  const Type* type = TypeOfExpr(p, expr);
  const uint32_t bytes = 8 * type->stack_limit;
  const uint64_t flags = type->is(TypeKind::UserStack) ? BPF_F_USER_STACK : 0;
  llvm::Value* frames = p.AllocateScratch(bytes);
  llvm::Value* got = p.Helper(BPF_FUNC_get_stack, p.ir().getInt64Ty(), {p.ContextPointer(), frames, p.I32(bytes), p.I64(flags)});
  return NameStack(p, type, frames, got);
}

// A name per target: a constant where there is one target, else found by the target's index.
Value NameOfTarget(Program& p, const Expr& expr, std::string AttachTarget::* name) {
  auto& ir = p.ir();
  const Type* type = TypeOfExpr(p, expr);
  const auto& targets = p.unit().targets;
  std::string table;
  for (const AttachTarget& target : targets) {
    std::string text = (target.*name).substr(0, type->length - 1);
    text.resize(type->length);
    table += text;
  }
  table.resize(std::bit_ceil(targets.size()) * type->length);
  llvm::Value* names = p.module().Bytes(table);
  if (targets.size() == 1) return {names, type, p.I64((targets[0].*name).size())};
  llvm::Value* index = p.Bound(p.TargetIndex(), std::bit_ceil(targets.size()) - 1);
  llvm::Value* copy = p.Allocate(type->length);
  llvm::Value* from = ir.CreateAdd(p.AsInteger(names), ir.CreateMul(index, p.I64(type->length)));
  p.Helper(BPF_FUNC_probe_read_kernel, ir.getInt64Ty(), {copy, p.I32(static_cast<uint32_t>(type->length)), from});
  return {copy, type};
}

}  // namespace

Value EmitPidValue(Program& p, const Expr& e) {
  return {Narrow(p, p.ir().CreateLShr(PidTgid(p), p.I64(32)), TypeOfExpr(p, e)), TypeOfExpr(p, e)};
}
Value EmitTidValue(Program& p, const Expr& e) { return {Narrow(p, PidTgid(p), TypeOfExpr(p, e)), TypeOfExpr(p, e)}; }
Value EmitPidCurrNsValue(Program& p, const Expr& e) { return EmitPidValue(p, e); }
Value EmitTidCurrNsValue(Program& p, const Expr& e) { return EmitTidValue(p, e); }
Value EmitPidInitValue(Program& p, const Expr& e) {
  llvm::Value* both = p.Helper(BPF_FUNC_get_current_pid_tgid, p.ir().getInt64Ty(), {});
  return {Narrow(p, p.ir().CreateLShr(both, p.I64(32)), TypeOfExpr(p, e)), TypeOfExpr(p, e)};
}
Value EmitTidInitValue(Program& p, const Expr& e) {
  return {Narrow(p, p.Helper(BPF_FUNC_get_current_pid_tgid, p.ir().getInt64Ty(), {}), TypeOfExpr(p, e)), TypeOfExpr(p, e)};
}
Value EmitUidValue(Program& p, const Expr& e) {
  return {Narrow(p, p.Helper(BPF_FUNC_get_current_uid_gid, p.ir().getInt64Ty(), {}), TypeOfExpr(p, e)), TypeOfExpr(p, e)};
}
Value EmitGidValue(Program& p, const Expr& e) {
  llvm::Value* both = p.Helper(BPF_FUNC_get_current_uid_gid, p.ir().getInt64Ty(), {});
  return {Narrow(p, p.ir().CreateLShr(both, p.I64(32)), TypeOfExpr(p, e)), TypeOfExpr(p, e)};
}
Value EmitCommValue(Program& p, const Expr& e) {
  const Type* type = TypeOfExpr(p, e);
  llvm::Value* known = p.Once("comm", [&] {
    llvm::Value* memory = p.Allocate(type->length);
    p.CommInto(memory, type->length);
    return memory;
  });
  return {known, type};
}
Value EmitCpuValue(Program& p, const Expr& e) {
  return {p.Helper(BPF_FUNC_get_smp_processor_id, p.ir().getInt32Ty(), {}), TypeOfExpr(p, e)};
}
Value EmitNsecsValue(Program& p, const Expr& e) {
  return {p.Helper(BPF_FUNC_ktime_get_boot_ns, p.ir().getInt64Ty(), {}), TypeOfExpr(p, e)};
}
Value EmitNsecsBootValue(Program& p, const Expr& e) { return EmitNsecsValue(p, e); }
Value EmitNsecsMonotonicValue(Program& p, const Expr& e) { return Called(p, e, BPF_FUNC_ktime_get_ns); }
Value EmitNsecsTaiValue(Program& p, const Expr& e) { return Called(p, e, BPF_FUNC_ktime_get_tai_ns); }
Value EmitNsecsSwTaiValue(Program& p, const Expr& e) {
  llvm::Value* distance =
      p.ir().CreateLoad(p.ir().getInt64Ty(), p.module().Global(offsetof(image::ProgramState, tai_minus_boot)));
  return {p.ir().CreateAdd(EmitNsecsValue(p, e).v, distance), TypeOfExpr(p, e)};
}
Value EmitJiffiesValue(Program& p, const Expr& e) { return Called(p, e, BPF_FUNC_jiffies64); }
Value EmitNcpusValue(Program& p, const Expr& e) {
  llvm::Value* cpus = p.ir().CreateLoad(p.ir().getInt32Ty(), p.module().Global(offsetof(image::ProgramState, cpus)));
  return {p.ir().CreateZExt(cpus, p.ir().getInt64Ty()), TypeOfExpr(p, e)};
}
Value EmitNumaidValue(Program& p, const Expr& e) { return Called(p, e, BPF_FUNC_get_numa_node_id); }
Value EmitCgroupValue(Program& p, const Expr& e) { return Called(p, e, BPF_FUNC_get_current_cgroup_id); }
Value EmitElapsedValue(Program& p, const Expr& e) {
  llvm::Value* now = p.Helper(BPF_FUNC_ktime_get_boot_ns, p.ir().getInt64Ty(), {});
  llvm::Value* start = p.ir().CreateLoad(p.ir().getInt64Ty(), p.module().Global(offsetof(image::ProgramState, start_ns)));
  return {p.ir().CreateSub(now, start), TypeOfExpr(p, e)};
}
Value EmitRandValue(Program& p, const Expr& e) {
  return {p.Helper(BPF_FUNC_get_prandom_u32, p.ir().getInt32Ty(), {}), TypeOfExpr(p, e)};
}
Value EmitCurtaskValue(Program& p, const Expr& e) {
  return {p.Helper(BPF_FUNC_get_current_task, p.ir().getInt64Ty(), {}), TypeOfExpr(p, e)};
}
Value EmitKStackValue(Program& p, const Expr& e) { return Stack(p, e); }
Value EmitUStackValue(Program& p, const Expr& e) { return Stack(p, e); }
Value EmitDwUStackValue(Program& p, const Expr& e) {
  const Type* type = TypeOfExpr(p, e);
  const UnwoundStack stack = UnwindUser(p, type->stack_limit);
  return NameStack(p, type, stack.frames, stack.bytes);
}
Value EmitArgsValue(Program& p, const Expr& e) {
  const bool is_user = p.unit().kind == ProbeKind::Uprobe;
  return {is_user ? p.AllUserArguments(e.location) : p.ContextPointer(), TypeOfExpr(p, e)};
}
Value EmitArg0Value(Program& p, const Expr& e) { return Argument(p, e, 0); }
Value EmitArg1Value(Program& p, const Expr& e) { return Argument(p, e, 1); }
Value EmitArg2Value(Program& p, const Expr& e) { return Argument(p, e, 2); }
Value EmitArg3Value(Program& p, const Expr& e) { return Argument(p, e, 3); }
Value EmitArg4Value(Program& p, const Expr& e) { return Argument(p, e, 4); }
Value EmitArg5Value(Program& p, const Expr& e) { return Argument(p, e, 5); }
Value EmitArg6Value(Program& p, const Expr& e) { return Argument(p, e, 6); }
Value EmitArg7Value(Program& p, const Expr& e) { return Argument(p, e, 7); }
Value EmitArg8Value(Program& p, const Expr& e) { return Argument(p, e, 8); }
Value EmitArg9Value(Program& p, const Expr& e) { return Argument(p, e, 9); }
Value EmitCtxValue(Program& p, const Expr& e) { return {p.AsInteger(p.ContextPointer()), TypeOfExpr(p, e)}; }
Value EmitRetvalValue(Program& p, const Expr& e) {
  if (p.unit().kind == ProbeKind::Fexit) {
    return p.ReadPlace({AddressSpace::Context, nullptr, nullptr, p.unit().retval.offset}, TypeOfExpr(p, e));
  }
  return {p.Context(kReturnRegister, p.ir().getInt64Ty()), TypeOfExpr(p, e)};
}
Value EmitProbeNameValue(Program& p, const Expr& e) { return NameOfTarget(p, e, &AttachTarget::name); }
Value EmitFuncValue(Program& p, const Expr& e) {
  if (!TypeOfExpr(p, e)->is(TypeKind::KernelSymbol)) return NameOfTarget(p, e, &AttachTarget::target);
  llvm::Value* memory = p.Allocate(8);
  p.ir().CreateStore(p.Helper(BPF_FUNC_get_func_ip, p.ir().getInt64Ty(), {p.ContextPointer()}), memory);
  return {memory, TypeOfExpr(p, e)};
}

Value EmitProbeTypeValue(Program&, const Expr&) { UNREACHABLE("a constant"); }
Value EmitCpidValue(Program& p, const Expr& e) {
  llvm::Value* pid = p.ir().CreateLoad(p.ir().getInt32Ty(), p.module().Global(offsetof(image::ProgramState, child_pid)));
  return {pid, TypeOfExpr(p, e)};
}
Value EmitHasCpidValue(Program& p, const Expr& e) {
  return {p.ir().CreateICmpNE(EmitCpidValue(p, e).v, p.I32(0)), TypeOfExpr(p, e)};
}
Value EmitUsernameValue(Program& p, const Expr& e) {
  llvm::Value* both = p.Helper(BPF_FUNC_get_current_uid_gid, p.ir().getInt64Ty(), {});
  llvm::Value* memory = p.Allocate(8);
  p.ir().CreateStore(p.ir().CreateAnd(both, p.I64(UINT32_MAX)), memory);
  return {memory, TypeOfExpr(p, e)};
}
// The privilege level in the code segment that was running. Where there are no registers, the kernel is.
Value EmitUserModeValue(Program& p, const Expr& e) {
  auto& ir = p.ir();
  if ((Row(p.unit().kind).flags & kHasRegisters) == 0) return {ir.getInt8(0), TypeOfExpr(p, e)};
  llvm::Value* segment = p.Context(*RegisterOffset("cs"), ir.getInt64Ty());
  llvm::Value* user = ir.CreateICmpEQ(ir.CreateAnd(segment, p.I64(3)), p.I64(3));
  return {ir.CreateZExt(user, ir.getInt8Ty()), TypeOfExpr(p, e)};
}

}  // namespace kawk
