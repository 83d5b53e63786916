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
  CHECK(module_.ShortMap(target.map) == nullptr);
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

// A string that is read once tells by its length which of the two maps its key is in. A long one is copied to memory that is
// zero behind it, as keys must be; a short one costs what its bytes cost.
Program::Element Program::ElementOf(const Target& target, llvm::Value* bucket) {
  const std::string text = bucket == nullptr ? KeyText(target) : "";
  if (const Known* known = Recall(text)) return {target.map, known->value, known->other};
  const Element element = MakeElement(target, bucket);
  Remember(text, element.key, element.is_short);
  return element;
}

Program::Element Program::MakeElement(const Target& target, llvm::Value* bucket) {
  if (module_.ShortMap(target.map) == nullptr) return {target.map, KeyOf(target, bucket)};
  const uint64_t capacity = typed().maps[target.map].key->length;
  const bool epochs = module_.HasEpochs(target.map);
  const uint32_t front = epochs ? 8 : 0;
  llvm::Value* brief = Allocate(front + capacity);
  Zero(At(brief, front), image::kShortKeyBytes);
  llvm::Value* length = StringInto(At(brief, front), capacity, target.key);
  llvm::Value* is_short = ir_.CreateICmpULT(length, I64(image::kShortKeyBytes));
  llvm::Value* chosen = SharedStack(8);
  ir_.CreateStore(brief, chosen);
  If(ir_.CreateNot(is_short), [&] {
    llvm::Value* whole = Allocate(front + LengthMask(capacity) + 1);
    Zero(At(whole, front), capacity);
    llvm::Value* bytes = ir_.CreateTrunc(Bound(length, LengthMask(capacity)), ir_.getInt32Ty());
    Helper(BPF_FUNC_probe_read_kernel, ir_.getInt64Ty(), {At(whole, front), bytes, AsInteger(At(brief, front))});
    ir_.CreateStore(whole, chosen);
  });
  llvm::Value* memory = ir_.CreateLoad(ir_.getPtrTy(), chosen);
  if (epochs) ir_.CreateStore(Epoch(target.map), memory);  // last: evaluating the key may clear the map
  return {target.map, memory, is_short};
}

// A helper on the kernel's map that holds the element: helper(map, key, rest…).
llvm::Value* Program::OnElement(uint32_t helper, llvm::Type* result, const Element& element,
                                const std::vector<llvm::Value*>& rest) {
  const auto call = [&](llvm::GlobalVariable* map) {
    std::vector<llvm::Value*> args{map, element.key};
    args.insert(args.end(), rest.begin(), rest.end());
    return HelperCall(helper, result, args);
  };
  if (element.is_short == nullptr) return call(module_.Map(element.map));
  llvm::BasicBlock* small = NewBlock("short");
  llvm::BasicBlock* large = NewBlock("long");
  llvm::BasicBlock* end = NewBlock("element");
  ir_.CreateCondBr(element.is_short, small, large);
  ir_.SetInsertPoint(end);
  auto* phi = ir_.CreatePHI(result, 2);
  for (auto [block, map] : {std::pair(small, module_.ShortMap(element.map)), std::pair(large, module_.Map(element.map))}) {
    ir_.SetInsertPoint(block);
    llvm::CallInst* value = call(map);
    value->addFnAttr(llvm::Attribute::NoMerge);  // only with a known map can the kernel put a look-up in the call's place
    phi->addIncoming(value, block);
    ir_.CreateBr(end);
  }
  ir_.SetInsertPoint(end);
  return phi;
}

llvm::Value* Program::FindElement(const Element& element) {
  return OnElement(BPF_FUNC_map_lookup_elem, ir_.getPtrTy(), element, {});
}

llvm::Value* Program::PutElement(const Element& element, llvm::Value* value, uint64_t flags) {
  return OnElement(BPF_FUNC_map_update_elem, ir_.getInt64Ty(), element, {value, I64(flags)});
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
  return FromMemory(ReadElement(target).first, type);
}

// A copy of a Hash map's value, zero when it is not there, and i1: whether it is. Copied, because another CPU may change or
// delete the element while it is used.
std::pair<llvm::Value*, llvm::Value*> Program::ReadElement(const Target& target) {
  const std::string text = ReadText(target);
  if (const Known* known = Recall(text)) return {known->value, known->other};
  const Type* type = typed().maps[target.map].value;
  const Element element = ElementOf(target, nullptr);
  llvm::Value* copy = Allocate(SizeOfType(type));
  llvm::Value* found = FindElement(element);
  llvm::Value* there = ir_.CreateIsNotNull(found);
  If(there, [&] { Copy(copy, found, SizeOfType(type)); }, [&] { Zero(copy, SizeOfType(type)); });
  Remember(text, copy, there);
  return {copy, there};
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
  llvm::Value* failed = PutElement(ElementOf(target, nullptr), memory, BPF_ANY);
  ForgetMap(target.map);
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
  const Element element = ElementOf(target, nullptr);
  ForgetMap(target.map);
  llvm::Value* result = Allocate(SizeOfType(type));
  Zero(result, SizeOfType(type));
  llvm::Value* found = FindElement(element);
  auto update = [&](llvm::Value* memory) { Store(result, type, {UpdateInPlace(*this, memory, type, op, operand, true), type}); };
  If(
      ir_.CreateIsNotNull(found), [&] { update(found); },
      [&] {
        llvm::Value* zero = Allocate(SizeOfType(type));
        Zero(zero, SizeOfType(type));
        PutElement(element, zero, BPF_NOEXIST);
        llvm::Value* made = FindElement(element);
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
  llvm::Value* failed = OnElement(BPF_FUNC_map_delete_elem, ir_.getInt64Ty(), ElementOf(target, nullptr), {});
  ForgetMap(target.map);
  return ir_.CreateICmpEQ(failed, I64(0));
}

llvm::Value* Program::HasKey(const Target& target) {
  const MapInfo& map = typed().maps[target.map];
  if (IsGlobal(map)) {
    llvm::Value* set = ir_.CreateLoad(ir_.getInt64Ty(), At(GlobalValue(target.map), SetOffset(target.map)));
    return ir_.CreateICmpNE(set, I64(0));
  }
  if (!map.value->IsAggregate() && map.value->IsScalar()) return ReadElement(target).second;
  return ir_.CreateIsNotNull(FindElement(ElementOf(target, nullptr)));
}

void Program::WithSlot(const Target& target, llvm::Value* bucket, const std::function<void(llvm::Value*)>& use) {
  const MapInfo& map = typed().maps[target.map];
  const Element element = ElementOf(target, bucket);
  llvm::Value* found = FindElement(element);
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
  const uint32_t size = SizeOfType(map.value);
  llvm::Value* zero = Allocate(size);
  Zero(zero, size);
  PutElement(element, zero, BPF_NOEXIST);
  llvm::Value* made = FindElement(element);
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

llvm::Value* Program::FindInto(const Target& target, llvm::Value* dst, const Type* type) {
  const MapInfo& map = typed().maps[target.map];
  if (map.value->IsAggregate()) {
    llvm::Value* there = HasKey(target);
    If(there, [&] { Store(dst, type, ReadMap(target)); });
    return there;
  }
  if (!IsGlobal(map) && map.value->IsScalar()) {
    const auto [copy, found] = ReadElement(target);
    If(found, [&, copy = copy] { Store(dst, type, FromMemory(copy, map.value)); });
    return found;
  }
  llvm::Value* element = AddressOfElement(target);
  llvm::Value* there = ir_.CreateIsNotNull(element);
  If(there, [&] { Store(dst, type, FromMemory(element, map.value)); });
  return there;
}

}  // namespace kawk
