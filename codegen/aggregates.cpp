// Aggregates: each CPU has its slot, updated atomically, because a program may be interrupted on its own CPU by another
// that updates the same slot.
#include <linux/bpf.h>
#include <llvm/IR/Intrinsics.h>

#include "base/check.h"
#include "codegen/program.h"
#include "runtime/image/buckets.h"

namespace kawk {
namespace {

void AtomicAdd(Program& p, llvm::Value* memory, llvm::Value* n) {
  p.ir().CreateAtomicRMW(llvm::AtomicRMWInst::Add, memory, n, llvm::Align(8), llvm::AtomicOrdering::Monotonic);
}

// Min and max keep a number that only grows from 0 (see image.h), so that an unset slot needs no special case.
llvm::Value* Rank(Program& p, llvm::Value* n, bool is_min, bool is_signed) {
  auto& ir = p.ir();
  llvm::Value* ordered = is_signed ? ir.CreateXor(n, p.I64(1ull << 63)) : n;
  return is_min ? ir.CreateNot(ordered) : ordered;
}

void RaiseTo(Program& p, llvm::Value* slot, llvm::Value* rank) {
  auto& ir = p.ir();
  constexpr int kTries = 4;  // each failure means that a nested program raised it
  llvm::BasicBlock* end = p.NewBlock("raised");
  for (int i = 0; i < kTries; ++i) {
    llvm::Value* old = ir.CreateLoad(ir.getInt64Ty(), slot);
    llvm::BasicBlock* raise = p.NewBlock("raise");
    ir.CreateCondBr(ir.CreateICmpUGT(rank, old), raise, end);
    ir.SetInsertPoint(raise);
    auto* swap = ir.CreateAtomicCmpXchg(slot, old, rank, llvm::Align(8), llvm::AtomicOrdering::SequentiallyConsistent,
                                        llvm::AtomicOrdering::SequentiallyConsistent);
    llvm::BasicBlock* again = p.NewBlock("again");
    ir.CreateCondBr(ir.CreateICmpEQ(ir.CreateExtractValue(swap, 0), old), end, again);
    ir.SetInsertPoint(again);
  }
  ir.CreateBr(end);
  ir.SetInsertPoint(end);
}

llvm::Value* HistBucket(Program& p, llvm::Value* n, bool is_signed, uint32_t bits) {
  auto& ir = p.ir();
  const uint64_t exact = 1ull << bits;
  llvm::Value* leading = ir.CreateBinaryIntrinsic(llvm::Intrinsic::ctlz, ir.CreateOr(n, p.I64(1)), ir.getFalse());
  llvm::Value* top = ir.CreateSub(p.I64(63), leading);
  llvm::Value* shift = ir.CreateSub(top, p.I64(bits));
  llvm::Value* row = ir.CreateShl(ir.CreateAdd(shift, p.I64(1)), p.I64(bits));
  llvm::Value* column = ir.CreateAnd(ir.CreateLShr(n, ir.CreateAnd(shift, p.I64(63))), p.I64(exact - 1));
  llvm::Value* wide = ir.CreateAdd(ir.CreateAdd(row, column), p.I64(1));
  llvm::Value* bucket = ir.CreateSelect(ir.CreateICmpULT(n, p.I64(exact)), ir.CreateAdd(n, p.I64(1)), wide);
  return is_signed ? ir.CreateSelect(ir.CreateICmpSLT(n, p.I64(0)), p.I64(0), bucket) : bucket;
}

llvm::Value* LhistBucket(Program& p, llvm::Value* n, bool is_signed, const Type* type) {
  auto& ir = p.ir();
  const auto min = static_cast<uint64_t>(type->lhist_min);
  llvm::Value* inside =
      ir.CreateAdd(ir.CreateUDiv(ir.CreateSub(n, p.I64(min)), p.I64(static_cast<uint64_t>(type->lhist_step))), p.I64(1));
  llvm::Value* last = p.I64(BucketsOf(type) - 1);
  llvm::Value* high = ir.CreateICmpSGE(n, p.I64(static_cast<uint64_t>(type->lhist_max)));
  llvm::Value* bucket = ir.CreateSelect(high, last, inside);
  bucket = ir.CreateSelect(ir.CreateICmpSLT(n, p.I64(min)), p.I64(0), bucket);
  // An unsigned number beyond the signed range is above every bound.
  return is_signed ? bucket : ir.CreateSelect(ir.CreateICmpSLT(n, p.I64(0)), last, bucket);
}

}  // namespace

void Program::EmitAggregate(const Target& target, const Call& call) {
  const Type* type = typed().maps[target.map].value;
  SetLocation(call.location);
  llvm::Value* n = nullptr;
  bool is_signed = false;
  if (!call.args.empty()) {
    const Type* argument = typed().TypeOf(call.args[0]);
    is_signed = argument->is_signed;
    n = Scalar(call.args[0], typed().types->Int(64, is_signed));
  }
  // The word behind a keyless slot says that it was set; a key says so by being there.
  auto mark_set = [&](llvm::Value* slot) {
    if (typed().maps[target.map].key == nullptr) ir_.CreateStore(I64(1), At(slot, SizeOfType(type)));
  };
  switch (type->kind) {
    case TypeKind::Count:
      WithSlot(target, nullptr, [&](llvm::Value* slot) { AtomicAdd(*this, slot, I64(1)), mark_set(slot); });
      return;
    case TypeKind::Sum: WithSlot(target, nullptr, [&](llvm::Value* slot) { AtomicAdd(*this, slot, n), mark_set(slot); }); return;
    case TypeKind::Min:
    case TypeKind::Max:
      WithSlot(target, nullptr, [&](llvm::Value* slot) {
        RaiseTo(*this, slot, Rank(*this, n, type->is(TypeKind::Min), type->is_signed));
        ir_.CreateStore(I64(1), At(slot, 8));
        mark_set(slot);
      });
      return;
    case TypeKind::Avg:
    case TypeKind::Stats:
      WithSlot(target, nullptr, [&](llvm::Value* slot) {
        AtomicAdd(*this, slot, n);
        AtomicAdd(*this, At(slot, 8), I64(1));
        mark_set(slot);
      });
      return;
    case TypeKind::Hist:
      WithSlot(target, HistBucket(*this, n, is_signed, type->hist_bits),
               [&](llvm::Value* slot) { AtomicAdd(*this, slot, I64(1)); });
      return;
    case TypeKind::Lhist:
      WithSlot(target, LhistBucket(*this, n, is_signed, type), [&](llvm::Value* slot) { AtomicAdd(*this, slot, I64(1)); });
      return;
    default: break;
  }
  UNREACHABLE("aggregate");
}

}  // namespace kawk
