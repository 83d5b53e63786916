// What the kernel's structs say of tasks: the id of one, the name of one with an id.
#include <linux/bpf.h>

#include <functional>

#include "base/check.h"
#include "codegen/functions.h"
#include "codegen/kernel_path.h"

namespace kawk {
namespace {

// How deep below the tracer's pid namespace a task is looked for.
constexpr uint64_t kMostLevels = 4;

KernelPath Task(Program& p, const Call& call) {
  llvm::Value* task = p.Scalar(call.args[0], p.typed().types->Int(64, false));
  p.SetLocation(call.location);
  return {p, task, "struct task_struct"};
}

using UseNumber = std::function<void(KernelPath)>;

// A struct pid holds one number, a struct upid, for each namespace from the initial one down to its own. Hands over that of
// the tracer's namespace, if the task is seen from there.
void InNamespace(Program& p, KernelPath pid, const UseNumber& use) {
  auto& ir = p.ir();
  llvm::Value* numbers = pid.AddressOf("numbers");
  auto* ino = ir.CreateLoad(ir.getInt64Ty(), p.module().Global(offsetof(image::ProgramState, pid_ns_ino)));
  p.If(
      ir.CreateICmpEQ(ino, p.I64(0)), [&] { use(pid.At(numbers, "struct upid")); },
      [&] {
        const uint64_t size = SizeOfType(p.typed().source->Find("struct upid"));
        llvm::Value* level = ir.CreateZExt(pid.ReadU32("level"), ir.getInt64Ty());
        for (uint64_t up = 0; up < kMostLevels; ++up) {
          p.If(ir.CreateICmpUGE(level, p.I64(up)), [&] {
            llvm::Value* offset = ir.CreateMul(ir.CreateSub(level, p.I64(up)), p.I64(size));
            KernelPath upid = pid.At(ir.CreateAdd(numbers, offset), "struct upid");
            KernelPath ns = KernelPath(upid).Follow("ns");
            llvm::Value* inum = ns.At(ns.AddressOf("ns"), "struct ns_common").ReadU32("inum");
            p.If(ir.CreateICmpEQ(ir.CreateZExt(inum, ir.getInt64Ty()), ino), [&] { use(upid); });
          });
        }
      });
}

// A task's id as the tracer's pid namespace shows it, as `pid` does; 0 when it is not seen from there.
llvm::Value* IdInNamespace(Program& p, KernelPath task) {
  auto& ir = p.ir();
  llvm::Value* result = p.Allocate(8);
  ir.CreateStore(p.I64(0), result);
  InNamespace(p, task.Follow("thread_pid"),
              [&](KernelPath upid) { ir.CreateStore(ir.CreateZExt(upid.ReadU32("nr"), ir.getInt64Ty()), result); });
  return ir.CreateTrunc(ir.CreateLoad(ir.getInt64Ty(), result), ir.getInt32Ty());
}

// What an xarray, at `array`, holds at this index; 0 when nothing. A node is told from an entry by its lowest bits, and has
// one slot for each value of 6 bits of the index.
llvm::Value* XarrayEntry(Program& p, KernelPath array, llvm::Value* index) {
  constexpr uint64_t kMostHeight = 6, kSlots = 64, kNode = 2, kNodeMask = 3;
  auto& ir = p.ir();
  llvm::Value* entry = p.Allocate(8);
  ir.CreateStore(KernelPath(array).ReadPointer(p.I64(array.OffsetOf("xa_head"))), entry);
  for (uint64_t height = 0; height < kMostHeight; ++height) {
    llvm::Value* now = ir.CreateLoad(ir.getInt64Ty(), entry);
    p.If(ir.CreateICmpEQ(ir.CreateAnd(now, p.I64(kNodeMask)), p.I64(kNode)), [&] {
      KernelPath node = array.At(ir.CreateSub(now, p.I64(kNode)), "struct xa_node");
      llvm::Value* slot = ir.CreateLShr(index, ir.CreateAnd(node.ReadU8("shift"), p.I64(kSlots - 1)));
      llvm::Value* masked = ir.CreateAnd(slot, p.I64(kSlots - 1));
      llvm::Value* at = ir.CreateAdd(p.I64(node.OffsetOf("slots")), ir.CreateMul(masked, p.I64(8)));
      ir.CreateStore(node.ReadPointer(at), entry);
      // Beyond what the topmost node can hold.
      if (height == 0) p.If(ir.CreateICmpUGE(slot, p.I64(kSlots)), [&] { ir.CreateStore(p.I64(0), entry); });
    });
  }
  llvm::Value* found = ir.CreateLoad(ir.getInt64Ty(), entry);
  return ir.CreateSelect(ir.CreateICmpEQ(ir.CreateAnd(found, p.I64(kNodeMask)), p.I64(0)), found, p.I64(0));
}

}  // namespace

Value EmitTidOfCall(Program& p, const Call& call) {
  KernelPath task = Task(p, call);
  return {IdInNamespace(p, task), p.typed().TypeOf(&call)};
}

// The kernel finds a task as follows, too: by the number in the namespace's table of struct pid, which leads to its task.
Value EmitCommOfCall(Program& p, const Call& call) {
  auto& ir = p.ir();
  const Type* type = p.typed().TypeOf(&call);
  llvm::Value* id = p.Scalar(call.args[0], p.typed().types->Int(64, false));
  p.SetLocation(call.location);
  llvm::Value* memory = p.Allocate(type->length);
  p.Zero(memory, type->length);
  KernelPath current(p, p.Helper(BPF_FUNC_get_current_task, ir.getInt64Ty(), {}), "struct task_struct");
  llvm::Value* space = p.Allocate(8);
  ir.CreateStore(p.I64(0), space);
  InNamespace(p, KernelPath(current).Follow("thread_pid"),
              [&](KernelPath upid) { ir.CreateStore(upid.Follow("ns").address(), space); });
  KernelPath ns = current.At(ir.CreateLoad(ir.getInt64Ty(), space), "struct pid_namespace");
  KernelPath idr = ns.At(ns.AddressOf("idr"), "struct idr");
  llvm::Value* found = XarrayEntry(p, idr.At(idr.AddressOf("idr_rt"), "struct xarray"), id);
  p.If(ir.CreateICmpNE(found, p.I64(0)), [&] {
    KernelPath pid = current.At(found, "struct pid");
    llvm::Value* link = pid.ReadPointer(p.I64(pid.OffsetOf("tasks")));  // of PIDTYPE_PID
    p.If(ir.CreateICmpNE(link, p.I64(0)), [&] {
      llvm::Value* task = ir.CreateSub(link, p.I64(current.OffsetOf("pid_links")));
      p.Helper(BPF_FUNC_probe_read_kernel_str, ir.getInt64Ty(),
               {memory, p.I32(static_cast<uint32_t>(type->length)), current.At(task, "struct task_struct").AddressOf("comm")});
    });
  });
  return {memory, type};
}

}  // namespace kawk
