// Maps. A scalar is memory in the globals (aggregates: a per-CPU array), everything else a hash. Read-modify-write is one
// lookup and an atomic operation in place; an aggregate's missing key is first inserted as zero, then updated like any
// other, so that nothing is lost when two CPUs meet at a new key.
#include <linux/bpf.h>

#include "base/check.h"
#include "codegen/program.h"

namespace kawk {
namespace {

// What a map operation sees of storage.
bool IsGlobal(const MapInfo& map) { return StorageOf(map) == image::MapStorage::Global; }
bool IsBucketed(const Type* value) { return value->is(TypeKind::Hist) || value->is(TypeKind::Lhist); }

}  // namespace

Program::Target Program::TargetOf(const Expr* expr) {
  if (const auto* map = As<MapRef>(expr)) return {typed().Info(map).map, nullptr};
  const auto* index = As<Index>(expr);
  CHECK(index != nullptr && As<MapRef>(index->base) != nullptr);
  return {typed().Info(index->base).map, index->index};
}

// The map's current epoch, i64.
llvm::Value* Program::Epoch(int map) {
  auto* epoch = ir_.CreateLoad(ir_.getInt64Ty(), module_.Global(module_.image().maps[map].epoch_offset));
  epoch->setVolatile(true);
  return epoch;
}

// A Global map's value.
llvm::Value* Program::GlobalValue(int map) {
  llvm::Constant* first = module_.Global(module_.image().maps[map].global_offset);
  if (!module_.HasEpochs(map)) return first;
  llvm::Value* copy = Bound(Epoch(map), image::kEpochCopies - 1);
  return ir_.CreateInBoundsGEP(ir_.getInt8Ty(), first, {ir_.CreateMul(copy, I64(SetOffset(map) + 8))});
}

// Where, behind a Global map's value, the word stands that says it was set.
uint64_t Program::SetOffset(int map) const { return (SizeOfType(typed().maps[map].value) + 7) / 8 * 8; }

// The element's bytes in memory: [u64 epoch,] key [, padding to 8, u64 bucket]; of an array the u32 index.
llvm::Value* Program::KeyOf(const Target& target, llvm::Value* bucket) {
  const MapInfo& map = typed().maps[target.map];
  const bool epochs = module_.HasEpochs(target.map);
  if (target.key_memory != nullptr) return target.key_memory;
  if (map.key == nullptr) {
    llvm::Value* index = bucket != nullptr ? bucket : I64(0);
    if (epochs) {
      const uint64_t buckets = bucket != nullptr ? BucketsOf(map.value) : 1;
      llvm::Value* copy = ir_.CreateAnd(Epoch(target.map), I64(image::kEpochCopies - 1));
      index = ir_.CreateAdd(ir_.CreateMul(copy, I64(buckets)), index);
    }
    llvm::Value* element = Allocate(8);
    ir_.CreateStore(ir_.CreateTrunc(index, ir_.getInt32Ty()), element);
    return element;
  }
  const uint32_t size = SizeOfType(map.key);
  const uint32_t padded = PaddedKeySize(map.key);
  const uint32_t front = epochs ? 8 : 0;
  llvm::Value* memory = Allocate(front + (bucket != nullptr ? padded + 8 : size));
  llvm::Value* key = At(memory, front);
  if (bucket != nullptr) {
    if (padded != size) Zero(key, padded);
    ir_.CreateStore(bucket, At(key, padded));
  }
  EvaluateInto(key, map.key, target.key);
  if (epochs) ir_.CreateStore(Epoch(target.map), memory);  // last: evaluating the key may clear the map
  return memory;
}

Value Program::ReadMap(const Target& target) {
  const MapInfo& map = typed().maps[target.map];
  const Type* type = map.value;
  if (type->IsAggregate()) return ReadAggregate(target);
  if (IsGlobal(map)) {
    llvm::Value* memory = GlobalValue(target.map);
    if (type->IsScalar() || !module_.HasEpochs(target.map)) return FromMemory(memory, type);
    llvm::Value* copy = Allocate(SizeOfType(type));
    Copy(copy, memory, SizeOfType(type));
    return {copy, type};
  }
  llvm::Value* key = KeyOf(target, nullptr);
  llvm::Value* copy = Allocate(SizeOfType(type));
  llvm::Value* found = Helper(BPF_FUNC_map_lookup_elem, ir_.getPtrTy(), {module_.Map(target.map), key});
  // Copied, because another CPU may change or delete the element while it is used.
  If(ir_.CreateIsNotNull(found), [&] { Copy(copy, found, SizeOfType(type)); }, [&] { Zero(copy, SizeOfType(type)); });
  return FromMemory(copy, type);
}

void Program::WriteMap(const Target& target, const Expr* value) {
  const MapInfo& map = typed().maps[target.map];
  if (IsGlobal(map)) {
    // Scalars are evaluated first: the value may read the map, or even clear it.
    const bool scalar = map.value->IsScalar();
    Value now;
    if (scalar) now = {Scalar(value, map.value), map.value};
    llvm::Value* memory = GlobalValue(target.map);
    if (scalar) {
      Store(memory, map.value, now);
    } else {
      EvaluateInto(memory, map.value, value);
    }
    ir_.CreateStore(I64(1), At(memory, SetOffset(target.map)));
    return;
  }
  llvm::Value* memory = Allocate(SizeOfType(map.value));
  EvaluateInto(memory, map.value, value);
  llvm::Value* key = KeyOf(target, nullptr);
  llvm::Value* failed = Helper(BPF_FUNC_map_update_elem, ir_.getInt64Ty(), {module_.Map(target.map), key, memory, I64(BPF_ANY)});
  If(ir_.CreateICmpNE(failed, I64(0)), [&] { CountLoss(image::LossCause::MapFull); });
}

namespace {

// memory op= operand; atomic where the machine can. Returns the old value.
llvm::Value* UpdateInPlace(Program& p, llvm::Value* memory, const Type* type, BinaryOp op, llvm::Value* operand, bool need_old) {
  auto& ir = p.ir();
  const bool wide = SizeOfType(type) >= 4 && !type->is(TypeKind::Bool);
  if (wide && (op == BinaryOp::Add || op == BinaryOp::Sub)) {
    llvm::Value* delta = op == BinaryOp::Add ? operand : ir.CreateNeg(operand);
    auto* old = ir.CreateAtomicRMW(llvm::AtomicRMWInst::Add, memory, delta, llvm::Align(SizeOfType(type)),
                                   llvm::AtomicOrdering::Monotonic);
    return need_old ? old : nullptr;
  }
  llvm::Value* old = p.Load(memory, type);
  p.Store(memory, type, {EmitArithmetic(p, op, old, operand, type->is_signed), type});
  return old;
}

}  // namespace

llvm::Value* Program::UpdateMap(const Target& target, BinaryOp op, llvm::Value* operand, bool return_old) {
  const MapInfo& map = typed().maps[target.map];
  const Type* type = map.value;
  auto after = [&](llvm::Value* old) { return return_old ? old : EmitArithmetic(*this, op, old, operand, type->is_signed); };
  if (IsGlobal(map)) {
    llvm::Value* memory = GlobalValue(target.map);
    llvm::Value* old = UpdateInPlace(*this, memory, type, op, operand, true);
    ir_.CreateStore(I64(1), At(memory, SetOffset(target.map)));
    return after(old);
  }
  llvm::Value* key = KeyOf(target, nullptr);
  llvm::Value* result = Allocate(SizeOfType(type));
  Zero(result, SizeOfType(type));
  llvm::GlobalVariable* variable = module_.Map(target.map);
  llvm::Value* found = Helper(BPF_FUNC_map_lookup_elem, ir_.getPtrTy(), {variable, key});
  auto update = [&](llvm::Value* element) {
    Store(result, type, {UpdateInPlace(*this, element, type, op, operand, true), type});
  };
  If(
      ir_.CreateIsNotNull(found), [&] { update(found); },
      [&] {
        llvm::Value* zero = Allocate(SizeOfType(type));
        Zero(zero, SizeOfType(type));
        Helper(BPF_FUNC_map_update_elem, ir_.getInt64Ty(), {variable, key, zero, I64(BPF_NOEXIST)});
        llvm::Value* made = Helper(BPF_FUNC_map_lookup_elem, ir_.getPtrTy(), {variable, key});
        If(ir_.CreateIsNotNull(made), [&] { update(made); }, [&] { CountLoss(image::LossCause::MapFull); });
      });
  return after(Load(result, type));
}

llvm::Value* Program::DeleteKey(const Target& target) {
  const MapInfo& map = typed().maps[target.map];
  if (IsGlobal(map)) {
    llvm::Value* memory = GlobalValue(target.map);
    llvm::Value* set = At(memory, SetOffset(target.map));
    llvm::Value* was = ir_.CreateLoad(ir_.getInt64Ty(), set);
    Zero(memory, SetOffset(target.map));
    ir_.CreateStore(I64(0), set);
    return ir_.CreateICmpNE(was, I64(0));
  }
  llvm::Value* key = KeyOf(target, nullptr);
  llvm::Value* failed = Helper(BPF_FUNC_map_delete_elem, ir_.getInt64Ty(), {module_.Map(target.map), key});
  return ir_.CreateICmpEQ(failed, I64(0));
}

llvm::Value* Program::HasKey(const Target& target) {
  const MapInfo& map = typed().maps[target.map];
  if (IsGlobal(map)) {
    llvm::Value* set = ir_.CreateLoad(ir_.getInt64Ty(), At(GlobalValue(target.map), SetOffset(target.map)));
    return ir_.CreateICmpNE(set, I64(0));
  }
  llvm::Value* key = KeyOf(target, nullptr);
  return ir_.CreateIsNotNull(Helper(BPF_FUNC_map_lookup_elem, ir_.getPtrTy(), {module_.Map(target.map), key}));
}

void Program::WithSlot(const Target& target, llvm::Value* bucket, const std::function<void(llvm::Value*)>& use) {
  const MapInfo& map = typed().maps[target.map];
  llvm::GlobalVariable* variable = module_.Map(target.map);
  llvm::Value* key = KeyOf(target, bucket);
  llvm::Value* found = Helper(BPF_FUNC_map_lookup_elem, ir_.getPtrTy(), {variable, key});
  llvm::BasicBlock* first = ir_.GetInsertBlock();
  llvm::BasicBlock* use_it = NewBlock("slot");
  llvm::BasicBlock* end = NewBlock("endslot");
  if (map.key == nullptr) {  // an array: there unless LLVM and the kernel disagree about its size
    ir_.CreateCondBr(ir_.CreateIsNotNull(found), use_it, end);
    ir_.SetInsertPoint(use_it);
    use(found);
    ir_.CreateBr(end);
    ir_.SetInsertPoint(end);
    return;
  }
  llvm::BasicBlock* make = NewBlock("make");
  llvm::BasicBlock* full = NewBlock("full");
  ir_.CreateCondBr(ir_.CreateIsNotNull(found), use_it, make);
  ir_.SetInsertPoint(make);
  const uint32_t size = IsBucketed(map.value) ? 8 : SizeOfType(map.value);
  llvm::Value* zero = Allocate(size);
  Zero(zero, size);
  Helper(BPF_FUNC_map_update_elem, ir_.getInt64Ty(), {variable, key, zero, I64(BPF_NOEXIST)});
  llvm::Value* made = Helper(BPF_FUNC_map_lookup_elem, ir_.getPtrTy(), {variable, key});
  ir_.CreateCondBr(ir_.CreateIsNotNull(made), use_it, full);
  llvm::BasicBlock* second = ir_.GetInsertBlock();
  ir_.SetInsertPoint(full);
  CountLoss(image::LossCause::MapFull);
  ir_.CreateBr(end);
  ir_.SetInsertPoint(use_it);
  auto* slot = ir_.CreatePHI(ir_.getPtrTy(), 2);
  slot->addIncoming(found, first);
  slot->addIncoming(made, second);
  use(slot);
  ir_.CreateBr(end);
  ir_.SetInsertPoint(end);
}

}  // namespace kawk
