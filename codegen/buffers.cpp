// Bytes of a length known only at run time, and what walks over strings and maps to find or to count.
#include <linux/bpf.h>

#include <algorithm>

#include "base/check.h"
#include "codegen/functions.h"

namespace kawk {

Readers ReadersFor(Program& p, const Type* address) {
  AddressSpace space = p.DefaultSpace();
  if (address->is(TypeKind::Pointer)) {
    space = address->space;
  } else if (space == AddressSpace::Kernel) {
    return {BPF_FUNC_probe_read, BPF_FUNC_probe_read_str};  // a plain integer: by the range that it lies in
  }
  if (space == AddressSpace::User) return {BPF_FUNC_probe_read_user, BPF_FUNC_probe_read_user_str};
  return {BPF_FUNC_probe_read_kernel, BPF_FUNC_probe_read_kernel_str};
}

llvm::Value* Program::BufferInto(llvm::Value* dst, uint64_t capacity, const Expr* expr) {
  const uint64_t mask = LengthMask(capacity + 1);
  if (typed().Info(expr).function != FunctionId::Buf) {
    const Value value = Evaluate(expr);
    llvm::Value* length = Bound(ir_.CreateZExt(ir_.CreateLoad(ir_.getInt32Ty(), value.v), ir_.getInt64Ty()), mask);
    llvm::Value* size = ir_.CreateTrunc(length, ir_.getInt32Ty());
    Helper(BPF_FUNC_probe_read_kernel, ir_.getInt64Ty(), {dst, size, At(value.v, kBufferHeader)});
    return length;
  }
  const auto* call = static_cast<const Call*>(expr);
  const Value data = AddressValue(call->args[0]);
  const bool own = !data.type->IsScalar();  // a string: not a byte behind it is ours to show
  const uint64_t most = own ? std::min(capacity, data.type->length) : capacity;
  llvm::Value* length = I64(most);
  if (call->args.size() > 1 && !typed().Info(call->args[1]).integer) {
    llvm::Value* n = Scalar(call->args[1], typed().types->Int(64, false));
    length = Bound(ir_.CreateSelect(ir_.CreateICmpULT(n, I64(most)), n, I64(most)), mask);
  }
  SetLocation(call->location);
  llvm::Value* from = own ? AsInteger(data.v) : Convert(data.v, data.type, typed().types->Int(64, false));
  const uint32_t helper = own ? uint32_t{BPF_FUNC_probe_read_kernel} : ReadersFor(*this, data.type).memory;
  CheckRead(helper, Helper(helper, ir_.getInt64Ty(), {dst, ir_.CreateTrunc(length, ir_.getInt32Ty()), from}), call->location);
  return length;
}

llvm::Value* Program::CountKeys(int map) {
  constexpr uint64_t kCount = 0, kEpoch = 8;
  const bool epochs = module_.HasEpochs(map);
  llvm::Value* frame = SharedStack(16);
  // Counted from a number that the verifier does not know: from 0 it would look at the callback once for every count.
  llvm::Value* start = Helper(BPF_FUNC_ktime_get_ns, ir_.getInt64Ty(), {});
  ir_.CreateStore(start, At(frame, kCount));
  if (epochs) ir_.CreateStore(Epoch(map), At(frame, kEpoch));
  const std::string name = "count_" + std::to_string(index_) + "_" + std::to_string(merges_++);
  llvm::Function* callback = MakeCallback(name, FunctionKind::MapBody, [&](llvm::Function* function) {
    llvm::Value* inner = function->getArg(3);
    llvm::Value* one = I64(1);
    if (epochs) {  // elements from before the last clear() are no longer there
      llvm::Value* of = ir_.CreateLoad(ir_.getInt64Ty(), function->getArg(1));
      llvm::Value* now = ir_.CreateLoad(ir_.getInt64Ty(), At(inner, kEpoch));
      one = ir_.CreateZExt(ir_.CreateICmpEQ(of, now), ir_.getInt64Ty());
    }
    llvm::Value* count = ir_.CreateLoad(ir_.getInt64Ty(), At(inner, kCount));
    ir_.CreateStore(ir_.CreateAdd(count, one), At(inner, kCount));
    return I64(0);
  });
  for (llvm::GlobalVariable* part : {module_.Map(map), module_.ShortMap(map)}) {
    if (part != nullptr) Helper(BPF_FUNC_for_each_map_elem, ir_.getInt64Ty(), {part, callback, frame, I64(0)});
  }
  return ir_.CreateSub(ir_.CreateLoad(ir_.getInt64Ty(), At(frame, kCount)), start);
}

// A turn for each place in the haystack. Indexes are masked, and so both texts are copied to memory of a power of two.
llvm::Value* Program::FindText(const Expr* haystack, const Expr* needle) {
  constexpr uint64_t kHaystack = 0, kNeedle = 8, kFound = 16;
  const uint64_t longest = TextCapacity(haystack);
  const uint64_t needle_bytes = TextCapacity(needle);
  const auto copy = [&](const Expr* text, uint64_t capacity) {
    llvm::Value* memory = Allocate(LengthMask(capacity) + 1);
    StringInto(memory, capacity, text);
    return memory;
  };
  llvm::Value* where = copy(haystack, longest);
  llvm::Value* what = copy(needle, needle_bytes);
  llvm::Value* frame = SharedStack(24);
  ir_.CreateStore(where, At(frame, kHaystack));
  ir_.CreateStore(what, At(frame, kNeedle));
  ir_.CreateStore(I64(~uint64_t{0}), At(frame, kFound));
  const auto byte = [&](llvm::Value* text, llvm::Value* index, uint64_t capacity) {
    return ir_.CreateLoad(ir_.getInt8Ty(), ir_.CreateInBoundsGEP(ir_.getInt8Ty(), text, {Bound(index, LengthMask(capacity))}));
  };
  const std::string name = "find_" + std::to_string(index_) + "_" + std::to_string(merges_++);
  Loop(name, static_cast<uint32_t>(longest), frame, [&](llvm::Value* turn, llvm::Value* inner) -> llvm::Value* {
    llvm::Value* place = ir_.CreateZExt(turn, ir_.getInt64Ty());
    llvm::Value* text = ir_.CreateLoad(ir_.getPtrTy(), At(inner, kHaystack));
    llvm::Value* wanted = ir_.CreateLoad(ir_.getPtrTy(), At(inner, kNeedle));
    llvm::BasicBlock* before = ir_.GetInsertBlock();
    llvm::BasicBlock* loop = NewBlock("match");
    llvm::BasicBlock* more = NewBlock("more");
    llvm::BasicBlock* same = NewBlock("same");
    llvm::BasicBlock* found = NewBlock("found");
    llvm::BasicBlock* differ = NewBlock("differ");
    llvm::BasicBlock* end = NewBlock("matched");
    ir_.CreateBr(loop);
    ir_.SetInsertPoint(loop);
    auto* i = ir_.CreatePHI(ir_.getInt64Ty(), 2);
    i->addIncoming(I64(0), before);
    llvm::Value* x = byte(wanted, i, needle_bytes);
    ir_.CreateCondBr(ir_.CreateICmpEQ(x, ir_.getInt8(0)), found, more);
    ir_.SetInsertPoint(more);
    llvm::Value* y = byte(text, ir_.CreateAdd(place, i), longest);
    ir_.CreateCondBr(ir_.CreateICmpEQ(x, y), same, differ);
    ir_.SetInsertPoint(same);
    llvm::Value* next = ir_.CreateAdd(i, I64(1));
    i->addIncoming(next, same);
    ir_.CreateCondBr(ir_.CreateICmpULT(next, I64(needle_bytes)), loop, end);
    ir_.SetInsertPoint(found);
    ir_.CreateStore(place, At(inner, kFound));
    ir_.CreateBr(end);
    ir_.SetInsertPoint(differ);
    llvm::Value* over = ir_.CreateICmpEQ(y, ir_.getInt8(0));  // what is left is shorter than the needle
    ir_.CreateBr(end);
    ir_.SetInsertPoint(end);
    auto* stop = ir_.CreatePHI(ir_.getInt1Ty(), 3);
    stop->addIncoming(ir_.getTrue(), same);
    stop->addIncoming(ir_.getTrue(), found);
    stop->addIncoming(over, differ);
    return stop;
  });
  return ir_.CreateLoad(ir_.getInt64Ty(), At(frame, kFound));
}

}  // namespace kawk
