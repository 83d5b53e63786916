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

// The interval's number, counted from the epoch of the wall clock as it was set at the start.
llvm::Value* SeriesInterval(Program& p, llvm::Value* now, const Type* type) {
  auto& ir = p.ir();
  auto* distance = ir.CreateLoad(ir.getInt64Ty(), p.module().Global(offsetof(image::ProgramState, wall_minus_boot)));
  return ir.CreateUDiv(ir.CreateAdd(now, distance), p.I64(type->series_interval));
}

// Gives the slot to `interval` if it is still an older one's; see buckets.h for the order of steps.
void BeginInterval(Program& p, llvm::Value* slot, llvm::Value* interval) {
  auto& ir = p.ir();
  auto* old = ir.CreateLoad(ir.getInt64Ty(), slot);
  old->setVolatile(true);
  p.If(ir.CreateICmpULT(ir.CreateLShr(old, p.I64(1)), interval), [&] {
    llvm::Value* parity = ir.CreateAnd(ir.CreateNot(old), p.I64(1));
    llvm::Value* tag = ir.CreateOr(ir.CreateShl(interval, p.I64(1)), parity);
    auto* swap = ir.CreateAtomicCmpXchg(slot, old, tag, llvm::Align(8), llvm::AtomicOrdering::SequentiallyConsistent,
                                        llvm::AtomicOrdering::SequentiallyConsistent);
    p.If(ir.CreateICmpEQ(ir.CreateExtractValue(swap, 0), old), [&] {
      p.If(
          ir.CreateICmpEQ(parity, p.I64(0)), [&] { p.Zero(p.At(slot, image::kSeriesPair + 8), image::kSeriesPair); },
          [&] { p.Zero(p.At(slot, 8), image::kSeriesPair); });
    });
  });
}

void UpdatePair(Program& p, llvm::Value* pair, llvm::Value* n, llvm::Value* now, const Type* type) {
  auto& ir = p.ir();
  llvm::Value* second = p.At(pair, 8);
  switch (type->series_kind) {
    case SeriesKind::Last:
      ir.CreateStore(n, pair);
      ir.CreateStore(now, second);
      return;
    case SeriesKind::Sum:
    case SeriesKind::Avg:
      AtomicAdd(p, pair, n);
      AtomicAdd(p, second, p.I64(1));
      return;
    case SeriesKind::Min:
    case SeriesKind::Max:
      RaiseTo(p, pair, Rank(p, n, type->series_kind == SeriesKind::Min, type->is_signed));
      ir.CreateStore(p.I64(1), second);
      return;
  }
  UNREACHABLE("series kind");
}

void UpdateSeries(Program& p, const Program::Target& target, llvm::Value* n, const Type* type) {
  auto& ir = p.ir();
  llvm::Value* now = p.Helper(BPF_FUNC_ktime_get_boot_ns, ir.getInt64Ty(), {});
  llvm::Value* interval = SeriesInterval(p, now, type);
  p.WithSlot(target, ir.CreateURem(interval, p.I64(type->series_length)), [&](llvm::Value* slot) {
    BeginInterval(p, slot, interval);
    auto* tag = ir.CreateLoad(ir.getInt64Ty(), slot);
    tag->setVolatile(true);
    // Not ours: a program that interrupted us took the slot for an interval that is so many later.
    p.If(ir.CreateICmpEQ(ir.CreateLShr(tag, p.I64(1)), interval), [&] {
      p.If(
          ir.CreateICmpEQ(ir.CreateAnd(tag, p.I64(1)), p.I64(0)), [&] { UpdatePair(p, p.At(slot, 8), n, now, type); },
          [&] { UpdatePair(p, p.At(slot, image::kSeriesPair + 8), n, now, type); });
    });
  });
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
    case TypeKind::Tseries: return UpdateSeries(*this, target, n, type);
    default: break;
  }
  UNREACHABLE("aggregate");
}

}  // namespace kawk
