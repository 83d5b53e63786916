// print(@m), clear(@m) and zero(@m): what happens here and now, and what is left to the runtime (see image::EpochState).
#include <linux/bpf.h>

#include "base/check.h"
#include "codegen/program.h"

namespace kawk {
namespace {

constexpr uint32_t kMostCpus = 1 << 16;  // the loop ends at the first CPU that is not there

void AddWord(Program& p, llvm::Value* to, llvm::Value* from, uint64_t offset) {
  auto& ir = p.ir();
  auto* word = ir.getInt64Ty();
  llvm::Value* sum = ir.CreateAdd(ir.CreateLoad(word, p.At(to, offset)), ir.CreateLoad(word, p.At(from, offset)));
  ir.CreateStore(sum, p.At(to, offset));
}

// One CPU's slot added to those before it, word by word as the aggregate's kind wants.
void MergeSlot(Program& p, const Type* type, llvm::Value* to, llvm::Value* slot, bool has_set) {
  auto& ir = p.ir();
  auto* word = ir.getInt64Ty();
  if (type->is(TypeKind::Min) || type->is(TypeKind::Max)) {
    llvm::Value* ours = ir.CreateLoad(word, to);
    llvm::Value* theirs = ir.CreateLoad(word, slot);
    ir.CreateStore(ir.CreateSelect(ir.CreateICmpUGT(theirs, ours), theirs, ours), to);
    ir.CreateStore(ir.CreateOr(ir.CreateLoad(word, p.At(to, 8)), ir.CreateLoad(word, p.At(slot, 8))), p.At(to, 8));
  } else {
    for (uint64_t offset = 0; offset < SizeOfType(type); offset += 8) AddWord(p, to, slot, offset);
  }
  if (!has_set) return;
  const uint64_t set = SizeOfType(type);
  ir.CreateStore(ir.CreateOr(ir.CreateLoad(word, p.At(to, set)), ir.CreateLoad(word, p.At(slot, set))), p.At(to, set));
}

}  // namespace

// Calls the helper for one CPU after the other until there is none. A key that is not there reads as zero. The result lies in
// the shared stack.
llvm::Value* Program::MergeSlots(const Target& target) {
  const Type* type = typed().maps[target.map].value;
  const bool keyless = typed().maps[target.map].key == nullptr;
  constexpr uint64_t kKeyBytes = 8;  // the array's index, or where the key is
  const uint64_t slot_bytes = SizeOfType(type) + 8;
  llvm::Value* key = KeyOf(target, nullptr);
  llvm::Value* frame = SharedStack(kKeyBytes + slot_bytes);
  if (keyless) {
    ir_.CreateStore(ir_.CreateLoad(ir_.getInt32Ty(), key), frame);
  } else {
    ir_.CreateStore(key, frame);
  }
  llvm::Value* merged = At(frame, kKeyBytes);
  Zero(merged, slot_bytes);
  const std::string name = "merge_" + std::to_string(index_) + "_" + std::to_string(merges_++);
  Loop(name, kMostCpus, frame, [&](llvm::Value* cpu, llvm::Value* inner) -> llvm::Value* {
    llvm::Value* inner_key = keyless ? inner : ir_.CreateLoad(ir_.getPtrTy(), inner);
    llvm::Value* slot = Helper(BPF_FUNC_map_lookup_percpu_elem, ir_.getPtrTy(), {module_.Map(target.map), inner_key, cpu});
    llvm::Value* there = ir_.CreateIsNotNull(slot);
    If(there, [&] { MergeSlot(*this, type, At(inner, kKeyBytes), slot, keyless); });
    return ir_.CreateNot(there);
  });
  return merged;
}

// An aggregate as a number: counts and sums as they are, extremes by value, averages divided. Stats stay what they are.
Value Program::ReadAggregate(const Target& target) {
  const Type* type = typed().maps[target.map].value;
  const Type* number = typed().types->AggregateInt(type);
  CHECK(number != nullptr || type->is(TypeKind::Stats));
  llvm::Value* merged = MergeSlots(target);
  if (number == nullptr) {
    llvm::Value* copy = Allocate(SizeOfType(type));
    Copy(copy, merged, SizeOfType(type));
    return {copy, type};
  }
  llvm::Value* first = ir_.CreateLoad(ir_.getInt64Ty(), merged);
  switch (type->kind) {
    case TypeKind::Count:
    case TypeKind::Sum: return {Convert(first, typed().types->Int(64, type->is_signed), number), number};
    case TypeKind::Min:
    case TypeKind::Max: {
      llvm::Value* ordered = type->is(TypeKind::Min) ? ir_.CreateNot(first) : first;
      llvm::Value* value = type->is_signed ? ir_.CreateXor(ordered, I64(1ull << 63)) : ordered;
      llvm::Value* set = ir_.CreateLoad(ir_.getInt64Ty(), At(merged, 8));
      return {ir_.CreateSelect(ir_.CreateICmpNE(set, I64(0)), value, I64(0)), number};
    }
    case TypeKind::Avg: {
      llvm::Value* count = ir_.CreateLoad(ir_.getInt64Ty(), At(merged, 8));
      return {EmitArithmetic(*this, BinaryOp::Div, first, count, type->is_signed), number};
    }
    default: break;
  }
  UNREACHABLE("aggregate without a number");
}

// Whether clear() may begin an epoch of this scalar: the runtime has cleaned up behind the last ones.
llvm::Value* Program::HasFreeEpoch(int map) {
  llvm::Constant* state = module_.Global(module_.image().maps[map].epoch_offset);
  auto* cleaned = ir_.CreateLoad(ir_.getInt64Ty(), At(state, offsetof(image::EpochState, cleaned)));
  cleaned->setVolatile(true);
  return ir_.CreateICmpULT(ir_.CreateSub(Epoch(map), cleaned), I64(image::kEpochCopies - 1));
}

void Program::PrintMap(int map, image::EventSpec event, bool whole_epoch) {
  if (!whole_epoch || StorageOf(typed().maps[map]) != image::MapStorage::Global)
    return SendPrint(map, std::move(event), whole_epoch);
  // Where the clear() behind it cannot begin an epoch it zeroes the value at once.
  If(HasFreeEpoch(map), [&] { SendPrint(map, event, true); }, [&] { SendPrint(map, event, false); });
}

void Program::SendPrint(int map, image::EventSpec event, bool whole_epoch) {
  const MapInfo& info = typed().maps[map];
  const bool epochs = module_.HasEpochs(map);
  event.map = static_cast<uint32_t>(map);
  event.probe = index_;
  event.whole_epoch = whole_epoch && epochs;
  uint32_t size = image::kEpochField + (epochs ? 8 : 0);
  const uint32_t value_at = size;
  const bool scalar = info.key == nullptr && !info.value->IsBucketed() && !whole_epoch;
  llvm::Value* value = nullptr;
  if (scalar) {
    event.args.push_back({module_.TypeOf(info.value), value_at, false});
    const auto bytes = static_cast<uint32_t>(SetOffset(map)) + 8;
    size += bytes;
    if (StorageOf(info) == image::MapStorage::Global) {
      value = Allocate(bytes);
      Copy(value, GlobalValue(map), bytes);
    } else {
      value = MergeSlots({map, nullptr});
    }
  }
  event.fixed_size = size;
  const uint32_t id = module_.AddEvent(std::move(event));
  SendFixed(id, size, false, [&](llvm::Value* record) {
    if (epochs) ir_.CreateStore(Epoch(map), At(record, image::kEpochField));
    if (scalar) Copy(At(record, value_at), value, size - value_at);
  });
}

// Every key of the epoch that has just ended gets a value of zero in the new one, unless another CPU was there first. The old
// elements are there as long as this program runs.
void Program::ZeroElements(int map) {
  constexpr uint64_t kEpoch = 0, kKey = 8, kValue = 16;
  const MapInfo& info = typed().maps[map];
  llvm::Value* value = Allocate(SizeOfType(info.value));
  Zero(value, SizeOfType(info.value));
  for (llvm::GlobalVariable* part : {module_.Map(map), module_.ShortMap(map)}) {
    if (part == nullptr) continue;
    uint64_t size = part == module_.Map(map) ? SizeOfType(info.key) : image::kShortKeyBytes;
    if (info.value->IsBucketed()) size = PaddedKeySize(info.key) + 8;
    llvm::Value* frame = SharedStack(24);
    ir_.CreateStore(ir_.CreateSub(Epoch(map), I64(1)), At(frame, kEpoch));
    ir_.CreateStore(Allocate(8 + size), At(frame, kKey));
    ir_.CreateStore(value, At(frame, kValue));
    const std::string name = "zero_" + std::to_string(index_) + "_" + std::to_string(merges_++);
    llvm::Function* callback = MakeCallback(name, FunctionKind::MapBody, [&](llvm::Function* function) {
      llvm::Value* key = function->getArg(1);
      llvm::Value* inner = function->getArg(3);
      llvm::Value* epoch = ir_.CreateLoad(ir_.getInt64Ty(), At(inner, kEpoch));
      If(ir_.CreateICmpEQ(ir_.CreateLoad(ir_.getInt64Ty(), key), epoch), [&] {
        llvm::Value* next = ir_.CreateLoad(ir_.getPtrTy(), At(inner, kKey));
        // By words where that can be: bytes would all pass through the callback's stack.
        if (size % 8 == 0 && size <= 2 * image::kShortKeyBytes) {
          ir_.CreateMemCpy(At(next, 8), llvm::Align(8), At(key, 8), llvm::Align(8), size);
        } else {
          Copy(At(next, 8), At(key, 8), size);
        }
        ir_.CreateStore(ir_.CreateAdd(epoch, I64(1)), next);
        llvm::Value* zero = ir_.CreateLoad(ir_.getPtrTy(), At(inner, kValue));
        Helper(BPF_FUNC_map_update_elem, ir_.getInt64Ty(), {part, next, zero, I64(BPF_NOEXIST)});
      });
      return I64(0);
    });
    Helper(BPF_FUNC_for_each_map_elem, ir_.getInt64Ty(), {part, callback, frame, I64(0)});
  }
}

// clear(), but keys stay, and a scalar that was set stays set.
void Program::ZeroMap(int map, image::EventSpec event) {
  ForgetMap(map);
  const MapInfo& info = typed().maps[map];
  if (info.key != nullptr) {
    ClearMap(map, std::move(event));
    return ZeroElements(map);
  }
  if (info.value->IsBucketed()) return ClearMap(map, std::move(event));
  const bool global = StorageOf(info) == image::MapStorage::Global;
  llvm::Value* value = global ? GlobalValue(map) : MergeSlots({map, nullptr});
  llvm::Value* was_set = ir_.CreateLoad(ir_.getInt64Ty(), At(value, SetOffset(map)));
  ClearMap(map, std::move(event));
  ForgetMap(map);
  If(ir_.CreateICmpNE(was_set, I64(0)), [&] {
    const auto set = [&](llvm::Value* slot) { ir_.CreateStore(I64(1), At(slot, SetOffset(map))); };
    if (global) return set(GlobalValue(map));
    WithSlot({map, nullptr}, nullptr, set);
  });
}

void Program::ClearMap(int map, image::EventSpec event) {
  ForgetMap(map);
  event.map = static_cast<uint32_t>(map);
  event.probe = index_;
  event.fixed_size = image::kEpochField + 8;
  const uint32_t id = module_.AddEvent(std::move(event));
  const bool copies = typed().maps[map].key == nullptr;
  llvm::Constant* state = module_.Global(module_.image().maps[map].epoch_offset);
  llvm::Value* epoch = Epoch(map);
  llvm::Value* retired = Allocate(8);
  llvm::BasicBlock* send = NewBlock("send");
  llvm::BasicBlock* end = NewBlock("cleared");
  llvm::BasicBlock* begin = NewBlock("begin");
  llvm::BasicBlock* refuse = NewBlock("refuse");
  ir_.CreateCondBr(copies ? HasFreeEpoch(map) : ir_.getTrue(), begin, refuse);
  ir_.SetInsertPoint(refuse);
  const bool global = StorageOf(typed().maps[map]) == image::MapStorage::Global;
  if (global) Zero(GlobalValue(map), SetOffset(map) + 8);  // its value is in the records of print()
  ir_.CreateStore(ir_.CreateOr(epoch, I64(image::kNotCleared)), retired);
  ir_.CreateBr(global ? end : send);
  ir_.SetInsertPoint(begin);
  auto* swap =
      ir_.CreateAtomicCmpXchg(state, epoch, ir_.CreateAdd(epoch, I64(1)), llvm::Align(8),
                              llvm::AtomicOrdering::SequentiallyConsistent, llvm::AtomicOrdering::SequentiallyConsistent);
  ir_.CreateStore(epoch, retired);
  // Another CPU did so at the same moment: that is this call, too.
  ir_.CreateCondBr(ir_.CreateICmpEQ(ir_.CreateExtractValue(swap, 0), epoch), send, end);
  ir_.SetInsertPoint(send);
  SendFixed(id, image::kEpochField + 8, false, [&](llvm::Value* record) {
    ir_.CreateStore(ir_.CreateLoad(ir_.getInt64Ty(), retired), At(record, image::kEpochField));
  });
  ir_.CreateBr(end);
  ir_.SetInsertPoint(end);
}

}  // namespace kawk
