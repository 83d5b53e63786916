// The frame of a program and its building blocks. Shape of the function:
//   entry: allocas, the scratch slot   →  leave at once when tracing is not active
//   body:  predicate and statements    →  exit: gives the slot back, returns 0
#include "codegen/program.h"

#include <linux/bpf.h>
#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/IntrinsicsBPF.h>

#include <utility>

#include "base/check.h"
#include "codegen/functions.h"

namespace kawk {
namespace {

// What programs may keep on their 512 bytes of stack, leaving room for LLVM's own spills.
constexpr uint32_t kStackBudget = 320;
// LLVM expands memset and memcpy up to this size to stores; larger ones would become calls that BPF has not.
constexpr uint64_t kInlineBytes = 128;

// x86-64: task_struct begins with thread_info { unsigned long flags, syscall_work; u32 status; … }.
constexpr uint64_t kThreadInfoStatus = 16;
constexpr uint32_t kStatusCompat = 2;  // TS_COMPAT

// Whether the program itself must keep to the process of -p; elsewhere the kernel's perf events do, or nothing does.
bool FiltersProcess(ProbeKind kind) {
  switch (kind) {
    case ProbeKind::Tracepoint:
    case ProbeKind::RawTracepoint:
    case ProbeKind::Kprobe:
    case ProbeKind::Kretprobe:
    case ProbeKind::Fentry:
    case ProbeKind::Fexit: return true;
    case ProbeKind::Iter:
    case ProbeKind::Begin:
    case ProbeKind::End:
    case ProbeKind::Signal:
    case ProbeKind::Test:
    case ProbeKind::Bench:
    case ProbeKind::Interval:
    case ProbeKind::Profile:
    case ProbeKind::Software:
    case ProbeKind::Hardware:
    case ProbeKind::Watchpoint:
    case ProbeKind::Usdt:
    case ProbeKind::Uprobe:
    case ProbeKind::Uretprobe: return false;
  }
  UNREACHABLE("probe kind");
}

// Helpers that give the same throughout one run of a program, so that LLVM may ask once.
bool IsPure(uint32_t helper) {
  switch (helper) {
    case BPF_FUNC_get_current_pid_tgid:
    case BPF_FUNC_get_current_uid_gid:
    case BPF_FUNC_get_current_task:
    case BPF_FUNC_get_current_task_btf:
    case BPF_FUNC_get_current_cgroup_id:
    case BPF_FUNC_get_smp_processor_id:
    case BPF_FUNC_get_numa_node_id:
    case BPF_FUNC_get_attach_cookie:
    case BPF_FUNC_task_pt_regs: return true;
    default: return false;
  }
}

}  // namespace

Program::Program(ModuleBuilder& module, const ProbeUnit& unit, const LoweredUnit& lowered, uint32_t index)
    : module_(module), unit_(unit), lowered_(lowered), index_(index), ir_(module.context()), stack_budget_(kStackBudget) {
  variables_.resize(typed().variables.size());
  shared_.resize(typed().variables.size());
}

void Program::MakeFunction() {
  const bool dispatched = lowered_.dispatched();
  const std::string name = (dispatched ? "unit_" : "probe_") + std::to_string(index_);
  const FunctionKind kind = dispatched ? FunctionKind::Unit : FunctionKind::Program;
  const FunctionFrame frame = module_.MakeFunction(name, kind, unit_.probe->location);
  function_ = frame.function;
  subprogram_ = frame.subprogram;
  context_ = function_->getArg(0);
  entry_ = NewBlock("entry");
  release_ = NewBlock("release");
  exit_ = NewBlock("exit");
  ir_.SetInsertPoint(entry_);
  SetLocation(unit_.probe->location);
}

void Program::SetLocation(const Location& location) {
  ir_.SetCurrentDebugLocation(llvm::DILocation::get(module_.context(), location.begin.line, location.begin.column, subprogram_));
}

llvm::Function* Program::Generate() {
  MakeFunction();
  PrepareFrame();
  if (unit_.kind == ProbeKind::Test || unit_.kind == ProbeKind::Bench) {
    result_ = AllocateStack(8);
    ir_.CreateStore(I64(0), result_);
  }
  EmitPrologue();
  acquire_at_ = ir_.CreateBr(NewBlock("start"));
  ir_.SetInsertPoint(acquire_at_->getSuccessor(0));
  if (unit_.probe->predicate != nullptr) {
    llvm::Value* passes = Truth(unit_.probe->predicate);
    llvm::BasicBlock* body = NewBlock("body");
    ir_.CreateCondBr(passes, body, scratch_ != nullptr ? release_ : exit_);
    ir_.SetInsertPoint(body);
    if (scratch_ == nullptr) {  // the usual case: events that do not pass pay nothing for scratch
      acquire_at_ = ir_.CreateBr(NewBlock("passed"));
      ir_.SetInsertPoint(acquire_at_->getSuccessor(0));
    }
  }
  Statements(unit_.probe->body->statements);
  ir_.CreateBr(release_);
  SetLocation(unit_.probe->location);
  ir_.SetInsertPoint(release_);
  if (scratch_ != nullptr) ir_.CreateStore(I64(0), scratch_)->setVolatile(true);
  ir_.CreateBr(exit_);
  ir_.SetInsertPoint(exit_);
  llvm::Value* result = I64(0);
  if (result_ != nullptr) result = ir_.CreateLoad(ir_.getInt64Ty(), result_);
  ir_.CreateRet(result);
  if (scratch_ != nullptr) AcquireScratch();
  FinishFrame();
  return function_;
}

void Program::EmitPrologue() {
  if (Row(unit_.kind).flags & kOnce) return;  // BEGIN and END run when nothing else does
  if (IsPinned(unit_)) return;                // runs when the tracer has ended
  llvm::BasicBlock* live = NewBlock("live");
  if (!lowered_.dispatched()) {
    auto* active = ir_.CreateLoad(ir_.getInt32Ty(), module_.Global(offsetof(image::ProgramState, active)));
    active->setVolatile(true);
    ir_.CreateCondBr(ir_.CreateICmpNE(active, I32(0)), live, exit_);
  } else {
    // The dispatcher has looked whether tracing is active. Calls of the 32-bit ABI have other numbers, and the kernel keeps
    // them from its own system call tracepoints too.
    llvm::Value* task = Helper(BPF_FUNC_get_current_task_btf, ir_.getPtrTy(), {});
    llvm::Value* status = ir_.CreateLoad(ir_.getInt32Ty(), At(task, kThreadInfoStatus));
    ir_.CreateCondBr(ir_.CreateICmpEQ(ir_.CreateAnd(status, I32(kStatusCompat)), I32(0)), live, exit_);
  }
  ir_.SetInsertPoint(live);
  if (FiltersProcess(unit_.kind)) FilterProcess();
}

void Program::FilterProcess() {
  auto* target = ir_.CreateLoad(ir_.getInt32Ty(), module_.Global(offsetof(image::ProgramState, target_pid)));
  If(ir_.CreateICmpNE(target, I32(0)), [&] {
    llvm::Value* tgid = ir_.CreateLShr(Helper(BPF_FUNC_get_current_pid_tgid, ir_.getInt64Ty(), {}), I64(32));
    llvm::BasicBlock* meant = NewBlock("meant");
    ir_.CreateCondBr(ir_.CreateICmpEQ(ir_.CreateTrunc(tgid, ir_.getInt32Ty()), target), meant, exit_);
    ir_.SetInsertPoint(meant);
  });
}

// A field of a system call's perf record, from where the kernel takes it itself. The record is
// { 8 bytes; int number; pad; long arguments[6] or result }.
llvm::Value* Program::SyscallField(uint64_t offset, llvm::Type* type) {
  constexpr uint64_t kNumberOffset = 8, kFirstArgument = 16;
  constexpr uint64_t kRegisters[] = {112, 104, 96, 56, 72, 64};  // di si dx r10 r8 r9 in struct pt_regs
  if (lowered_.context == ContextKind::SyscallExit && offset == kFirstArgument) return RawContext(8, type);
  llvm::Value* task = Helper(BPF_FUNC_get_current_task_btf, ir_.getPtrTy(), {});
  llvm::Value* registers = Helper(BPF_FUNC_task_pt_regs, ir_.getPtrTy(), {task});
  const uint64_t at = offset == kNumberOffset ? kOriginalAx : kRegisters[(offset - kFirstArgument) / 8];
  return ir_.CreateTrunc(ir_.CreateLoad(ir_.getInt64Ty(), At(registers, at)), type);
}

llvm::Value* Program::TargetIndex() {
  if (lowered_.dispatched()) return outer_scratch_ != nullptr ? SharedTarget() : function_->getArg(1);
  module_.NeedCookies(index_);
  return Helper(BPF_FUNC_get_attach_cookie, ir_.getInt64Ty(), {context_});
}

llvm::Function* Program::MakeCallback(const std::string& name, FunctionKind kind,
                                      const std::function<llvm::Value*(llvm::Function*)>& body) {
  const FunctionFrame callback = module_.MakeFunction(name, kind, unit_.probe->location);
  {
    llvm::IRBuilderBase::InsertPointGuard guard(ir_);
    llvm::Function* outer = std::exchange(function_, callback.function);
    llvm::DISubprogram* outer_subprogram = std::exchange(subprogram_, callback.subprogram);
    ir_.SetInsertPoint(NewBlock("entry"));
    SetLocation(unit_.probe->location);
    ir_.CreateRet(body(function_));
    function_ = outer;
    subprogram_ = outer_subprogram;
  }
  SetLocation(unit_.probe->location);
  return callback.function;
}

void Program::Loop(const std::string& name, uint32_t times, llvm::Value* frame,
                   const std::function<llvm::Value*(llvm::Value*, llvm::Value*)>& body) {
  llvm::Function* callback = MakeCallback(name, FunctionKind::LoopBody, [&](llvm::Function* function) {
    return ir_.CreateZExt(body(function->getArg(0), function->getArg(1)), ir_.getInt64Ty());
  });
  Helper(BPF_FUNC_loop, ir_.getInt64Ty(), {I32(times), callback, frame, I64(0)});
}

llvm::BasicBlock* Program::NewBlock(const char* name) { return llvm::BasicBlock::Create(module_.context(), name, function_); }

void Program::SetResult(llvm::Value* result) {
  if (result_ == nullptr) return;
  ir_.CreateStore(result, result_);
}

void Program::Leave() {
  ir_.CreateBr(release_);
  ir_.SetInsertPoint(NewBlock("unreachable"));
}

void Program::If(llvm::Value* condition, const std::function<void()>& then, const std::function<void()>& otherwise) {
  llvm::BasicBlock* yes = NewBlock("then");
  llvm::BasicBlock* end = NewBlock("endif");
  llvm::BasicBlock* no = otherwise ? NewBlock("else") : end;
  ir_.CreateCondBr(condition, yes, no);
  const size_t known = known_.size();
  ir_.SetInsertPoint(yes);
  then();
  ir_.CreateBr(end);
  known_.resize(std::min(known, known_.size()));
  if (otherwise) {
    ir_.SetInsertPoint(no);
    otherwise();
    ir_.CreateBr(end);
    known_.resize(std::min(known, known_.size()));
  }
  ir_.SetInsertPoint(end);
}

llvm::Value* Program::Helper(uint32_t id, llvm::Type* result, std::initializer_list<llvm::Value*> args) {
  return HelperCall(id, result, args);
}

llvm::CallInst* Program::HelperCall(uint32_t id, llvm::Type* result, const std::vector<llvm::Value*>& args) {
  std::vector<llvm::Type*> types;
  for (llvm::Value* arg : args) types.push_back(arg->getType());
  auto* type = llvm::FunctionType::get(result, types, false);
  auto* callee = llvm::ConstantExpr::getIntToPtr(I64(id), ir_.getPtrTy());
  llvm::CallInst* call = ir_.CreateCall(type, callee, args);
  if (IsPure(id)) {
    call->setDoesNotAccessMemory();
    call->setDoesNotThrow();
    call->addFnAttr(llvm::Attribute::WillReturn);
  }
  return call;
}

llvm::Value* Program::At(llvm::Value* base, uint64_t offset) {
  return offset == 0 ? base : ir_.CreateConstInBoundsGEP1_64(ir_.getInt8Ty(), base, offset);
}

llvm::Value* Program::Context(uint64_t offset, llvm::Type* type) {
  return lowered_.dispatched() ? SyscallField(offset, type) : RawContext(offset, type);
}

llvm::Value* Program::RawContext(uint64_t offset, llvm::Type* type) {
  // The verifier wants constant offsets from an unmodified context; this keeps LLVM from merging address computations.
  auto* base = ir_.CreateIntrinsic(llvm::Intrinsic::preserve_static_offset, {}, {context_});
  auto* load = ir_.CreateLoad(type, ir_.CreateConstInBoundsGEP1_64(ir_.getInt8Ty(), base, offset));
  load->setVolatile(true);
  return load;
}

llvm::Value* Program::Allocate(uint64_t bytes) {
  bytes = (bytes + 7) / 8 * 8;
  if (bytes > typed().config.on_stack_limit || stack_used_ + bytes > stack_budget_) return AllocateScratch(bytes);
  return AllocateStack(bytes);
}

llvm::Value* Program::AllocateStack(uint64_t bytes) {
  stack_used_ += static_cast<uint32_t>(bytes);
  llvm::IRBuilderBase::InsertPointGuard guard(ir_);
  ir_.SetInsertPoint(entry_, entry_->begin());
  auto* memory = ir_.CreateAlloca(llvm::ArrayType::get(ir_.getInt64Ty(), bytes / 8));
  memory->setAlignment(llvm::Align(8));
  return memory;
}

llvm::Value* Program::SharedStack(uint64_t bytes) {
  constexpr uint64_t kWord = 8, kFrame = 32;
  CHECK(bytes <= kFrame);
  const uint64_t size = bytes <= kWord ? kWord : kFrame;
  llvm::Value*& shared = shared_stack_[{function_, size}];
  if (shared == nullptr) shared = AllocateStack(size);
  return shared;
}

uint32_t Program::ReserveScratch(uint64_t bytes) {
  if (scratch_ == nullptr) {
    // A stand-in that dominates everything; AcquireScratch puts the real slot in its place.
    llvm::IRBuilderBase::InsertPointGuard guard(ir_);
    llvm::BasicBlock* entry = outer_scratch_ != nullptr ? outer_entry_ : entry_;
    ir_.SetInsertPoint(entry, entry->begin());
    scratch_ = ir_.CreateAlloca(ir_.getInt8Ty(), nullptr, "scratch");
  }
  const uint32_t offset = scratch_used_;
  scratch_used_ += static_cast<uint32_t>((bytes + 7) / 8 * 8);
  return offset;
}

llvm::Value* Program::AllocateScratch(uint64_t bytes) {
  const uint32_t offset = ReserveScratch(bytes);
  return At(ScratchBase(), offset);
}

// Takes the first free of this CPU's slots. A slot is in use by a program that this one interrupted.
void Program::AcquireScratch() {
  module_.NeedScratch(scratch_used_ - 8);
  llvm::BasicBlock* start = acquire_at_->getSuccessor(0);
  ir_.SetInsertPoint(entry_, entry_->begin());
  auto* key = ir_.CreateAlloca(ir_.getInt32Ty());
  ir_.SetInsertPoint(acquire_at_);
  auto* cpu = Helper(BPF_FUNC_get_smp_processor_id, ir_.getInt32Ty(), {});
  auto* first = ir_.CreateMul(cpu, I32(image::kScratchSlots));
  llvm::BasicBlock* taken = NewBlock("taken");
  llvm::BasicBlock* none = NewBlock("none");
  std::vector<std::pair<llvm::Value*, llvm::BasicBlock*>> found;
  for (uint32_t slot = 0; slot < image::kScratchSlots; ++slot) {
    ir_.CreateStore(ir_.CreateAdd(first, I32(slot)), key);
    auto* memory = Helper(BPF_FUNC_map_lookup_elem, ir_.getPtrTy(), {module_.Scratch(), key});
    llvm::BasicBlock* there = NewBlock("slot");
    ir_.CreateCondBr(ir_.CreateIsNull(memory), none, there);
    if (slot == 0) acquire_at_->eraseFromParent();
    ir_.SetInsertPoint(there);
    auto* before =
        ir_.CreateAtomicRMW(llvm::AtomicRMWInst::Xchg, memory, I64(1), llvm::Align(8), llvm::AtomicOrdering::AcquireRelease);
    found.emplace_back(memory, ir_.GetInsertBlock());
    llvm::BasicBlock* next = slot + 1 < image::kScratchSlots ? NewBlock("busy") : none;
    ir_.CreateCondBr(ir_.CreateICmpEQ(before, I64(0)), taken, next);
    if (next != none) ir_.SetInsertPoint(next);
  }
  ir_.SetInsertPoint(none);
  CountLoss(image::LossCause::NoScratch);
  ir_.CreateBr(exit_);
  ir_.SetInsertPoint(taken);
  auto* slot = ir_.CreatePHI(ir_.getPtrTy(), found.size());
  for (auto [memory, block] : found) slot->addIncoming(memory, block);
  ShareScratch(slot);
  ir_.CreateAlignmentAssumption(module_.module().getDataLayout(), slot, 8);
  ir_.CreateBr(start);
  scratch_->replaceAllUsesWith(slot);
  scratch_->eraseFromParent();
}

void Program::Zero(llvm::Value* dst, uint64_t bytes) {
  if (bytes <= kInlineBytes) {
    ir_.CreateMemSet(dst, ir_.getInt8(0), bytes, llvm::MaybeAlign(1));  // LLVM knows better where it is better
    return;
  }
  // A failed read zeroes its destination, in one go in the kernel; address 0 always fails.
  Helper(BPF_FUNC_probe_read_kernel, ir_.getInt64Ty(), {dst, I32(static_cast<uint32_t>(bytes)), I64(0)});
}

void Program::Copy(llvm::Value* dst, llvm::Value* src, uint64_t bytes) {
  if (bytes <= kInlineBytes) {
    ir_.CreateMemCpy(dst, llvm::MaybeAlign(1), src, llvm::MaybeAlign(1), bytes);
    return;
  }
  Helper(BPF_FUNC_probe_read_kernel, ir_.getInt64Ty(), {dst, I32(static_cast<uint32_t>(bytes)), src});
}

llvm::Value* Program::Bound(llvm::Value* value, uint64_t mask) {
  // `and` by inline assembly: LLVM would drop one that it believes redundant, the verifier believes nothing else.
  auto* type = llvm::FunctionType::get(ir_.getInt64Ty(), {ir_.getInt64Ty()}, false);
  auto* assembly = llvm::InlineAsm::get(type, "$0 &= " + std::to_string(mask), "=r,0", false);
  return ir_.CreateCall(type, assembly, {value});
}

void Program::CountLoss(image::LossCause cause) {
  auto* counter = module_.Global(module_.LossOffset(index_, cause));
  ir_.CreateAtomicRMW(llvm::AtomicRMWInst::Add, counter, I64(1), llvm::Align(8), llvm::AtomicOrdering::Monotonic);
}

}  // namespace kawk
