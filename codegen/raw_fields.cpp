// Fields of a tracepoint's record made from the arguments of its raw form. The verifier lets a program that was loaded for its
// tracepoint follow pointers by plain loads: a load that would fault gives 0. Others ask the kernel to read.
#include <linux/bpf.h>
#include <llvm/IR/Intrinsics.h>

#include "base/check.h"
#include "codegen/program.h"

namespace kawk {
namespace {

// The kernel's task states, as <linux/sched.h> has had them since 5.14.
constexpr uint64_t kReported = 0x7f, kReportIdle = 0x80, kReportMost = 0x100;
constexpr uint64_t kUninterruptible = 2, kIdle = 0x402;
constexpr uint64_t kShownAsUninterruptible = 0x1000 | 0x8000;  // waits for a real-time lock; frozen

// Operations of block requests that are a driver's own: they have no place on the disk.
constexpr uint64_t kOperationMask = 0xff, kDriverIn = 34;

}  // namespace

const RawValue* Program::RawField(const Expr* expr) const {
  if (lowered_.context != ContextKind::RawArguments) return nullptr;
  const auto* member = As<Member>(expr);
  if (member == nullptr || typed().Info(member->base).builtin != BuiltinId::Args) return nullptr;
  return &lowered_.fields.at(typed().Info(expr).field->name);
}

bool Program::FollowsPointers(const RawTerm& term) const {
  return term.known && (term.root == RawRoot::Current || lowered_.typed);
}

// What the term begins with, as a pointer that loads may follow, or as a number.
llvm::Value* Program::RawPointer(const RawTerm& term) {
  if (term.root == RawRoot::Current) return Helper(BPF_FUNC_get_current_task_btf, ir_.getPtrTy(), {});
  return RawContext(term.argument, FollowsPointers(term) ? static_cast<llvm::Type*>(ir_.getPtrTy()) : ir_.getInt64Ty());
}

llvm::Value* Program::RawLoad(const RawTerm& term, llvm::Value* base, uint64_t offset, uint32_t bytes) {
  auto* integer = ir_.getIntNTy(bytes * 8);
  if (FollowsPointers(term)) {
    auto* load = ir_.CreateAlignedLoad(integer, At(base, offset), llvm::Align(bytes));  // or LLVM reads byte by byte
    load->setVolatile(true);  // the verifier knows the members, not what LLVM might make of them
    return load;
  }
  llvm::Value* memory = Allocate(8);
  ir_.CreateStore(I64(0), memory);
  Helper(BPF_FUNC_probe_read_kernel, ir_.getInt64Ty(), {memory, I32(bytes), ir_.CreateAdd(base, I64(offset))});
  return ir_.CreateAlignedLoad(integer, memory, llvm::Align(8));
}

// The pointer that the last offset counts from.
llvm::Value* Program::RawBase(const RawTerm& term) {
  llvm::Value* base = RawPointer(term);
  for (size_t i = 0; i + 1 < term.offsets.size(); ++i) {
    base = RawLoad(term, base, term.offsets[i], 8);
    if (FollowsPointers(term)) base = ir_.CreateIntToPtr(base, ir_.getPtrTy());
  }
  return base;
}

// `preempt ? a state of its own : the state's highest bit that is shown`, as __trace_sched_switch_state() has it.
llvm::Value* Program::RawSchedState(const RawTerm& term) {
  llvm::Value* preempted = ir_.CreateICmpNE(ir_.CreateAnd(RawContext(term.others[0], ir_.getInt64Ty()), I64(0xff)), I64(0));
  llvm::Value* state = ir_.CreateAnd(RawContext(term.others[1], ir_.getInt64Ty()), I64(UINT32_MAX));
  llvm::Value* exited = ir_.CreateZExt(RawLoad(term, RawPointer(term), term.offsets[0], 4), ir_.getInt64Ty());
  llvm::Value* shown = ir_.CreateAnd(ir_.CreateOr(state, exited), I64(kReported));
  for (uint64_t shift = 1; shift <= 4; shift *= 2) shown = ir_.CreateOr(shown, ir_.CreateLShr(shown, shift));
  shown = ir_.CreateXor(shown, ir_.CreateLShr(shown, 1));  // its highest bit alone
  llvm::Value* idle = ir_.CreateICmpEQ(ir_.CreateAnd(state, I64(kIdle)), I64(kIdle));
  shown = ir_.CreateSelect(idle, I64(kReportIdle), shown);
  llvm::Value* asleep = ir_.CreateICmpNE(ir_.CreateAnd(state, I64(kShownAsUninterruptible)), I64(0));
  shown = ir_.CreateSelect(asleep, I64(kUninterruptible), shown);
  return ir_.CreateSelect(preempted, I64(kReportMost), shown);
}

// blk_rq_trace_sector() and blk_rq_trace_nr_sectors().
llvm::Value* Program::RawRequest(const RawTerm& term) {
  llvm::Value* request = RawPointer(term);
  llvm::Value* flags = ir_.CreateZExt(RawLoad(term, request, term.offsets[0], 4), ir_.getInt64Ty());
  llvm::Value* operation = ir_.CreateAnd(flags, I64(kOperationMask));
  llvm::Value* own = ir_.CreateICmpEQ(ir_.CreateAnd(operation, I64(~uint64_t{1})), I64(kDriverIn));
  const bool sector = term.root == RawRoot::RequestSector;
  llvm::Value* value = ir_.CreateZExt(RawLoad(term, request, term.offsets[1], sector ? 8 : 4), ir_.getInt64Ty());
  if (sector) {
    own = ir_.CreateOr(own, ir_.CreateICmpEQ(value, I64(~uint64_t{0})));  // none was set
  } else {
    value = ir_.CreateLShr(value, 9);
  }
  return ir_.CreateSelect(own, I64(0), value);
}

// As the term's own type; a bool is an i1.
llvm::Value* Program::RawNumber(const RawTerm& term) {
  switch (term.root) {
    case RawRoot::Number: return I64(term.number);
    case RawRoot::SchedState: return RawSchedState(term);
    case RawRoot::RequestSector:
    case RawRoot::RequestSectors: return RawRequest(term);
    case RawRoot::Comm: UNREACHABLE("a name is no number");
    case RawRoot::Argument:
    case RawRoot::Current: break;
  }
  const uint32_t bytes = SizeOfType(term.type);
  llvm::Value* value = term.offsets.empty()
                           ? ir_.CreateIntCast(RawContext(term.argument, ir_.getInt64Ty()), ir_.getIntNTy(bytes * 8), false)
                           : RawLoad(term, RawBase(term), term.offsets.back(), bytes);
  if (term.swapped) value = ir_.CreateUnaryIntrinsic(llvm::Intrinsic::bswap, value);
  return term.type->is(TypeKind::Bool) ? ir_.CreateICmpNE(value, llvm::ConstantInt::get(value->getType(), 0)) : value;
}

Value Program::ReadRawField(const RawValue& field, const Type* type) {
  if (field.size() == 1) return {Convert(RawNumber(field[0]), field[0].type, type), type};
  const Type* word = typed().types->Int(64, true);
  llvm::Value* value = nullptr;
  for (const RawTerm& term : field) {
    llvm::Value* number = Convert(RawNumber(term), term.type, word);
    value = value == nullptr ? number : EmitArithmetic(*this, term.op, value, number, false);
  }
  return {Convert(value, word, type), type};
}

Program::Place Program::RawFieldPlace(const RawValue& field) {
  const RawTerm& term = field[0];
  if (term.root == RawRoot::Comm) {
    constexpr uint32_t kCommBytes = 16;
    llvm::Value* memory = Allocate(kCommBytes);
    Zero(memory, kCommBytes);
    Helper(BPF_FUNC_get_current_comm, ir_.getInt64Ty(), {memory, I32(kCommBytes)});
    return {AddressSpace::Bpf, memory, nullptr, 0};
  }
  if (term.type->is(TypeKind::Pointer)) return {AddressSpace::Kernel, RawNumber(term), nullptr, 0};
  llvm::Value* base = RawBase(term);
  return {AddressSpace::Kernel, FollowsPointers(term) ? AsInteger(base) : base, nullptr, term.offsets.back()};
}

}  // namespace kawk
