// dw_ustack: the program itself unwinds the user stack, frame by frame, by the rules that the runtime has put into maps (see
// runtime/image/unwind.h). Look-ups are binary searches without branches on what is found, so that the verifier has one
// path to follow; frames are turns of bpf_loop, so that it looks at one.
#include "codegen/unwind.h"

#include <linux/bpf.h>

#include <algorithm>
#include <bit>
#include <cstddef>

#include "codegen/program.h"
#include "runtime/image/unwind.h"
#include "stdlib/registers.h"

namespace kawk {
namespace {

using image::UnwindRange;
using image::UnwindRule;

// What the turns share, on the program's stack.
struct Walk {
  uint64_t pc, sp, bp;
  uint64_t exact;    // pc is where it stopped, not behind a call
  uint64_t process;  // UnwindProcess*, or null
  uint64_t frames;   // where they go
  uint64_t count;
  uint64_t stop;
  uint64_t row;
  uint64_t word;  // for helpers
};
constexpr uint64_t kUserCode = 0x33;  // code segment of 64-bit programs
constexpr uint64_t kWord = 8;

// In the frame that the kernel makes for a signal's handler, once that has returned to what restores the registers.
constexpr uint64_t kSignalRbp = 120, kSignalRsp = 160, kSignalRip = 168;

constexpr uint64_t Packed(UnwindRule rule, int8_t saved, int16_t offset) {
  return uint64_t{static_cast<uint8_t>(rule)} << 32 | uint64_t{static_cast<uint8_t>(saved)} << 40 |
         uint64_t{static_cast<uint16_t>(offset)} << 48;
}

class Unwinding {
 public:
  Unwinding(Program& p, llvm::Value* walk) : p_(p), ir_(p.ir()), walk_(walk) {}

  // One turn: notes the frame, and goes to its caller. i1: there is none.
  llvm::Value* Turn(llvm::Value* index, uint32_t limit) {
    auto* word = ir_.getInt64Ty();
    llvm::Value* turn = ir_.CreateZExt(index, word);
    llvm::Value* offset = ir_.CreateMul(p_.Bound(turn, std::bit_ceil(limit) - 1), p_.I64(kWord));
    llvm::Value* frames = ir_.CreateLoad(ir_.getPtrTy(), Slot(offsetof(Walk, frames)));
    ir_.CreateStore(Get(offsetof(Walk, pc)), ir_.CreateInBoundsGEP(ir_.getInt8Ty(), frames, {offset}));
    Set(offsetof(Walk, count), ir_.CreateAdd(turn, p_.I64(1)));
    Set(offsetof(Walk, stop), p_.I64(1));
    Set(offsetof(Walk, row), p_.I64(Packed(UnwindRule::Unknown, 0, 0)));
    llvm::Value* process = ir_.CreateLoad(ir_.getPtrTy(), Slot(offsetof(Walk, process)));
    p_.If(ir_.CreateIsNotNull(process), [&] { FindRow(process); });
    Apply();
    return ir_.CreateICmpNE(Get(offsetof(Walk, stop)), p_.I64(0));
  }

 private:
  llvm::Value* Slot(uint64_t offset) { return p_.At(walk_, offset); }
  llvm::Value* Get(uint64_t offset) { return ir_.CreateLoad(ir_.getInt64Ty(), Slot(offset)); }
  void Set(uint64_t offset, llvm::Value* value) { ir_.CreateStore(value, Slot(offset)); }
  // A word of the user's memory; `use` runs if it can be read.
  template <class Use>
  void Read(llvm::Value* address, const Use& use) {
    llvm::Value* memory = Slot(offsetof(Walk, word));
    llvm::Value* failed = p_.Helper(BPF_FUNC_probe_read_user, ir_.getInt64Ty(), {memory, p_.I32(kWord), address});
    p_.If(ir_.CreateICmpEQ(failed, p_.I64(0)), [&] { use(ir_.CreateLoad(ir_.getInt64Ty(), memory)); });
  }

  // Where the instruction is that leads to this frame: behind a call, the call.
  llvm::Value* Instruction() {
    return ir_.CreateSub(Get(offsetof(Walk, pc)), ir_.CreateSub(p_.I64(1), Get(offsetof(Walk, exact))));
  }

  // One step of a binary search: `low` moves up by 2^bit unless `key` lies below what is there.
  llvm::Value* Halve(llvm::Value* low, uint32_t bit, llvm::Value* key, llvm::Value* there) {
    llvm::Value* below = ir_.CreateLShr(ir_.CreateSub(key, there), p_.I64(63));
    return ir_.CreateSub(ir_.CreateAdd(low, p_.I64(uint64_t{1} << bit)), ir_.CreateShl(below, bit));
  }

  void FindRow(llvm::Value* process) {
    llvm::Value* pc = Instruction();
    const auto at = [&](llvm::Value* index) {
      llvm::Value* offset = ir_.CreateMul(p_.Bound(index, (1 << image::kUnwindRangeBits) - 1), p_.I64(sizeof(UnwindRange)));
      return ir_.CreateInBoundsGEP(ir_.getInt8Ty(), process, {offset});
    };
    llvm::Value* low = p_.I64(0);
    for (uint32_t bit = image::kUnwindRangeBits; bit-- > 0;) {
      llvm::Value* middle = ir_.CreateAdd(low, p_.I64(uint64_t{1} << bit));
      low = Halve(low, bit, pc, ir_.CreateLoad(ir_.getInt64Ty(), at(middle)));
    }
    llvm::Value* range = at(low);
    const auto field = [&](uint64_t offset, llvm::Type* type) { return ir_.CreateLoad(type, p_.At(range, offset)); };
    llvm::Value* inside = ir_.CreateAnd(ir_.CreateICmpUGE(pc, field(offsetof(UnwindRange, start), ir_.getInt64Ty())),
                                        ir_.CreateICmpULT(pc, field(offsetof(UnwindRange, end), ir_.getInt64Ty())));
    p_.If(inside, [&] {
      llvm::Value* rows = ir_.CreateZExt(field(offsetof(UnwindRange, rows), ir_.getInt32Ty()), ir_.getInt64Ty());
      llvm::Value* distance = ir_.CreateSub(pc, field(offsetof(UnwindRange, base), ir_.getInt64Ty()));
      ir_.CreateStore(field(offsetof(UnwindRange, table), ir_.getInt32Ty()), Slot(offsetof(Walk, word)));
      llvm::Value* table =
          p_.Helper(BPF_FUNC_map_lookup_elem, ir_.getPtrTy(), {p_.module().UnwindTables(), Slot(offsetof(Walk, word))});
      p_.If(ir_.CreateIsNotNull(table), [&] { SearchTable(table, rows, distance); });
    });
  }

  void SearchTable(llvm::Value* table, llvm::Value* rows, llvm::Value* distance) {
    auto* word = ir_.getInt64Ty();
    llvm::Value* key = Slot(offsetof(Walk, word));
    const auto look_up = [&](llvm::Value* index) {
      ir_.CreateStore(ir_.CreateTrunc(index, ir_.getInt32Ty()), key);
      return p_.Helper(BPF_FUNC_map_lookup_elem, ir_.getPtrTy(), {table, key});
    };
    constexpr uint64_t kLow = offsetof(Walk, stop);  // not needed until the search is done
    Set(kLow, p_.I64(0));
    for (uint32_t bit = image::kUnwindRowBits; bit-- > 0;) {
      p_.If(ir_.CreateICmpUGT(rows, p_.I64(uint64_t{1} << bit)), [&] {
        llvm::Value* low = Get(kLow);
        llvm::Value* found = look_up(ir_.CreateAdd(low, p_.I64(uint64_t{1} << bit)));
        p_.If(ir_.CreateIsNotNull(found), [&] {
          llvm::Value* start = ir_.CreateZExt(ir_.CreateLoad(ir_.getInt32Ty(), found), word);
          Set(kLow, Halve(low, bit, distance, start));
        });
      });
    }
    llvm::Value* found = look_up(Get(kLow));
    p_.If(ir_.CreateIsNotNull(found), [&] { Set(offsetof(Walk, row), ir_.CreateLoad(word, found)); });
    Set(kLow, p_.I64(1));
  }

  llvm::Value* Is(llvm::Value* rule, UnwindRule which) { return ir_.CreateICmpEQ(rule, p_.I64(static_cast<uint64_t>(which))); }

  void Apply() {
    llvm::Value* row = Get(offsetof(Walk, row));
    llvm::Value* rule = ir_.CreateAnd(ir_.CreateLShr(row, p_.I64(32)), p_.I64(0xff));
    // Where nothing is said, compilers that use frame pointers may have made the code, as JIT compilers do.
    row = ir_.CreateSelect(Is(rule, UnwindRule::Unknown), p_.I64(Packed(UnwindRule::Rbp, -2, 2)), row);
    rule = ir_.CreateAnd(ir_.CreateLShr(row, p_.I64(32)), p_.I64(0xff));
    llvm::Value* offset = ir_.CreateShl(ir_.CreateAShr(row, p_.I64(48)), p_.I64(3));
    llvm::Value* saved = ir_.CreateAShr(ir_.CreateShl(row, p_.I64(16)), p_.I64(56));
    llvm::Value* sp = Get(offsetof(Walk, sp));
    llvm::Value* bp = Get(offsetof(Walk, bp));
    const auto leave = [&](llvm::Value* cfa) { Leave(cfa, saved); };
    p_.If(Is(rule, UnwindRule::Rsp), [&] { leave(ir_.CreateAdd(sp, offset)); });
    p_.If(Is(rule, UnwindRule::Rbp), [&] { leave(ir_.CreateAdd(bp, offset)); });
    p_.If(Is(rule, UnwindRule::AtRsp),
          [&] { Read(ir_.CreateAdd(sp, offset), [&](llvm::Value* at) { leave(ir_.CreateAdd(at, p_.I64(kWord))); }); });
    p_.If(Is(rule, UnwindRule::AtRbp), [&] { Read(ir_.CreateAdd(bp, offset), leave); });
    p_.If(Is(rule, UnwindRule::Plt), [&] {
      llvm::Value* within = ir_.CreateAnd(Get(offsetof(Walk, pc)), p_.I64(15));
      llvm::Value* more = ir_.CreateZExt(ir_.CreateICmpSGE(within, saved), ir_.getInt64Ty());
      Leave(ir_.CreateAdd(sp, ir_.CreateAdd(p_.I64(kWord), ir_.CreateShl(more, p_.I64(3)))), p_.I64(0));
    });
    p_.If(Is(rule, UnwindRule::Signal), [&] { LeaveSignal(sp); });
  }

  // The caller goes on at what is below the CFA. Stacks grow down, so it must be above where we are.
  void Leave(llvm::Value* cfa, llvm::Value* saved) {
    p_.If(ir_.CreateICmpUGT(cfa, Get(offsetof(Walk, sp))), [&] {
      Read(ir_.CreateSub(cfa, p_.I64(kWord)), [&](llvm::Value* pc) {
        Set(offsetof(Walk, pc), pc);
        Set(offsetof(Walk, sp), cfa);
        Set(offsetof(Walk, exact), p_.I64(0));
        p_.If(ir_.CreateICmpNE(saved, p_.I64(0)), [&] {
          llvm::Value* here = ir_.CreateICmpEQ(saved, p_.I64(image::kSavedAtRbp));
          llvm::Value* from = ir_.CreateAdd(cfa, ir_.CreateShl(saved, p_.I64(3)));
          Read(ir_.CreateSelect(here, Get(offsetof(Walk, bp)), from), [&](llvm::Value* bp) { Set(offsetof(Walk, bp), bp); });
        });
        Set(offsetof(Walk, stop), ir_.CreateZExt(ir_.CreateICmpEQ(pc, p_.I64(0)), ir_.getInt64Ty()));
      });
    });
  }

  void LeaveSignal(llvm::Value* sp) {
    Read(ir_.CreateAdd(sp, p_.I64(kSignalRip)), [&](llvm::Value* pc) {
      Set(offsetof(Walk, pc), pc);
      Read(ir_.CreateAdd(sp, p_.I64(kSignalRbp)), [&](llvm::Value* bp) { Set(offsetof(Walk, bp), bp); });
      Read(ir_.CreateAdd(sp, p_.I64(kSignalRsp)), [&](llvm::Value* from) {
        Set(offsetof(Walk, sp), from);
        Set(offsetof(Walk, exact), p_.I64(1));
        Set(offsetof(Walk, stop), p_.I64(0));
      });
    });
  }

  Program& p_;
  llvm::IRBuilder<>& ir_;
  llvm::Value* walk_;
};

}  // namespace

UnwoundStack UnwindUser(Program& p, uint32_t limit) {
  auto& ir = p.ir();
  auto* word = ir.getInt64Ty();
  llvm::Value* frames = p.AllocateScratch(8ull * std::bit_ceil(limit));
  llvm::Value* walk = p.AllocateStack(sizeof(Walk));
  const auto slot = [&](uint64_t offset) { return p.At(walk, offset); };
  ir.CreateStore(p.I64(0), slot(offsetof(Walk, count)));
  ir.CreateStore(p.I64(1), slot(offsetof(Walk, exact)));
  ir.CreateStore(frames, slot(offsetof(Walk, frames)));
  // The registers with which the thread came into the kernel.
  llvm::Value* task = p.Helper(BPF_FUNC_get_current_task_btf, ir.getPtrTy(), {});
  llvm::Value* registers = p.AsInteger(p.Helper(BPF_FUNC_task_pt_regs, ir.getPtrTy(), {task}));
  const auto take = [&](const char* name, uint64_t to) {
    llvm::Value* from = ir.CreateAdd(registers, p.I64(*RegisterOffset(name)));
    p.Helper(BPF_FUNC_probe_read_kernel, word, {slot(to), p.I32(8), from});
  };
  take("cs", offsetof(Walk, word));
  llvm::Value* segment = ir.CreateLoad(word, slot(offsetof(Walk, word)));
  p.If(ir.CreateICmpEQ(ir.CreateAnd(segment, p.I64(UINT16_MAX)), p.I64(kUserCode)), [&] {
    take("ip", offsetof(Walk, pc));
    take("sp", offsetof(Walk, sp));
    take("bp", offsetof(Walk, bp));
    llvm::Value* tgid = ir.CreateTrunc(ir.CreateLShr(PidTgid(p), p.I64(32)), ir.getInt32Ty());
    ir.CreateStore(tgid, slot(offsetof(Walk, word)));
    llvm::Value* process =
        p.Helper(BPF_FUNC_map_lookup_elem, ir.getPtrTy(), {p.module().UnwindProcesses(), slot(offsetof(Walk, word))});
    ir.CreateStore(process, slot(offsetof(Walk, process)));
    p.Loop(p.FreshName("unwind"), limit, walk,
           [&](llvm::Value* index, llvm::Value* shared) { return Unwinding(p, shared).Turn(index, limit); });
  });
  return {frames, ir.CreateShl(ir.CreateLoad(word, slot(offsetof(Walk, count))), p.I64(3))};
}

}  // namespace kawk
