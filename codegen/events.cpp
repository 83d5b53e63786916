// Records for user space. A record without strings has a size known here: it is built in place in the ring. One with
// strings is built once in scratch, each string read straight to its place, and only the bytes used are copied.
#include <linux/bpf.h>

#include "base/check.h"
#include "codegen/program.h"

namespace kawk {
namespace {

uint32_t RoundUp(uint64_t n, uint64_t to) { return static_cast<uint32_t>((n + to - 1) / to * to); }

// Decides where each argument lies; returns how many bytes the variable ones may need.
uint64_t LayOut(Program& p, image::EventSpec& event, const std::vector<const Expr*>& args) {
  uint32_t offset = sizeof(image::RecordHeader);
  uint64_t tail = 0;
  for (const Expr* arg : args) {
    const Type* type = p.ValueTypeOf(arg);
    const bool variable = type->is(TypeKind::String) || type->is(TypeKind::Buffer);
    const uint32_t size = variable ? 4 : SizeOfType(type);
    offset = RoundUp(offset, variable ? 4 : AlignOfType(type));
    event.args.push_back({p.module().TypeOf(type), offset, variable});
    offset += size;
    if (variable) tail += LengthMask(type->length + (type->is(TypeKind::Buffer) ? 1 : 0)) + 1;
  }
  event.fixed_size = RoundUp(offset, 4);
  return tail;
}

}  // namespace

// BPF_RB_NO_WAKEUP, unless the reader sleeps without a timer or the ring fills up.
llvm::Value* Program::WakeupFlags(bool force) {
  if (force) return I64(BPF_RB_FORCE_WAKEUP);
  llvm::Value* flags = Allocate(8);
  ir_.CreateStore(I64(BPF_RB_NO_WAKEUP), flags);
  llvm::Value* idle = module_.Global(offsetof(image::ProgramState, reader_idle));
  auto* asleep = ir_.CreateLoad(ir_.getInt32Ty(), idle);
  asleep->setVolatile(true);
  auto wake = [&] { ir_.CreateStore(I64(BPF_RB_FORCE_WAKEUP), flags); };
  If(
      ir_.CreateICmpNE(asleep, I32(0)),
      [&] {
        auto* was =
            ir_.CreateAtomicRMW(llvm::AtomicRMWInst::Xchg, idle, I32(0), llvm::Align(4), llvm::AtomicOrdering::AcquireRelease);
        If(ir_.CreateICmpNE(was, I32(0)), wake);
      },
      [&] {
        llvm::Value* waiting = Helper(BPF_FUNC_ringbuf_query, ir_.getInt64Ty(), {module_.Ring(), I64(BPF_RB_AVAIL_DATA)});
        llvm::Value* wake_mark = module_.Global(offsetof(image::ProgramState, wake_mark));
        llvm::Value* mark = ir_.CreateLoad(ir_.getInt64Ty(), wake_mark);
        // Who takes the mark wakes; the others need not while the reader is on its way.
        If(ir_.CreateICmpUGE(waiting, mark), [&] {
          auto* taken = ir_.CreateAtomicRMW(llvm::AtomicRMWInst::Xchg, wake_mark, I64(~uint64_t{0}), llvm::Align(8),
                                            llvm::AtomicOrdering::AcquireRelease);
          If(ir_.CreateICmpNE(taken, I64(~uint64_t{0})), wake);
        });
      });
  return ir_.CreateLoad(ir_.getInt64Ty(), flags);
}

void Program::SendRecord(image::EventSpec event, const std::vector<const Expr*>& args, bool force_wakeup) {
  event.probe = index_;
  const uint64_t tail = LayOut(*this, event, args);
  const uint32_t fixed = event.fixed_size;
  const std::vector<image::EventArg> layout = event.args;
  const Location location = event.location;
  const uint32_t id = module_.AddEvent(std::move(event));
  if (tail != 0) {
    SendFromScratch(id, fixed, tail, layout, args);
    return;
  }
  std::vector<Value> values;
  for (const Expr* arg : args) values.push_back(Evaluate(arg));
  SetLocation(location);
  SendFixed(id, fixed, force_wakeup, [&](llvm::Value* record) {
    uint32_t used = sizeof(image::RecordHeader);
    for (size_t i = 0; i < values.size(); ++i) {
      for (; used < layout[i].offset; ++used) ir_.CreateStore(ir_.getInt8(0), At(record, used));
      Store(At(record, layout[i].offset), ValueTypeOf(args[i]), values[i]);
      used += SizeOfType(ValueTypeOf(args[i]));
    }
    for (; used < fixed; ++used) ir_.CreateStore(ir_.getInt8(0), At(record, used));
  });
}

void Program::SendFixed(uint32_t id, uint32_t size, bool force_wakeup, const std::function<void(llvm::Value*)>& fill) {
  llvm::Value* record = Helper(BPF_FUNC_ringbuf_reserve, ir_.getPtrTy(), {module_.Ring(), I64(size), I64(0)});
  If(
      ir_.CreateIsNotNull(record),
      [&] {
        ir_.CreateStore(I64(id), record);
        fill(record);
        Helper(BPF_FUNC_ringbuf_submit, ir_.getInt64Ty(), {record, WakeupFlags(force_wakeup)});
      },
      [&] { CountLoss(image::LossCause::RingFull); });
}

void Program::SendFromScratch(uint32_t id, uint32_t fixed, uint64_t tail, const std::vector<image::EventArg>& layout,
                              const std::vector<const Expr*>& args) {
  llvm::Value* record = AllocateScratch(fixed + tail);
  ir_.CreateStore(I64(id), record);
  llvm::Value* used = I64(fixed);
  for (size_t i = 0; i < args.size(); ++i) {
    const Type* type = ValueTypeOf(args[i]);
    llvm::Value* place = At(record, layout[i].offset);
    if (!layout[i].variable) {
      Store(place, type, Evaluate(args[i]));
      continue;
    }
    llvm::Value* end = ir_.CreateInBoundsGEP(ir_.getInt8Ty(), record, {used});
    const bool string = type->is(TypeKind::String);
    llvm::Value* length = nullptr;
    if (As<Ident>(args[i]) != nullptr && typed().Info(args[i]).builtin == BuiltinId::Comm) {
      // All of its few bytes: to find its end would cost more. Readers stop at the NUL.
      Helper(BPF_FUNC_get_current_comm, ir_.getInt64Ty(), {end, I32(static_cast<uint32_t>(type->length))});
      length = I64(type->length - 1);
    } else {
      length = string ? StringInto(end, type->length, args[i]) : BufferInto(end, type->length, args[i]);
    }
    ir_.CreateAlignedStore(ir_.CreateTrunc(length, ir_.getInt32Ty()), place, llvm::Align(4));
    used = ir_.CreateAdd(used, length);
  }
  Output(record, used);
}

void Program::Output(llvm::Value* record, llvm::Value* used) {
  llvm::Value* flags = WakeupFlags(false);
  llvm::Value* failed = Helper(BPF_FUNC_ringbuf_output, ir_.getInt64Ty(), {module_.Ring(), record, used, flags});
  If(ir_.CreateICmpNE(failed, I64(0)), [&] { CountLoss(image::LossCause::RingFull); });
}

}  // namespace kawk
