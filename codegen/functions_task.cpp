// What the kernel's struct task_struct says of a task: its parent, its leader, their names and ids.
#include <linux/bpf.h>

#include "base/check.h"
#include "codegen/functions.h"

namespace kawk {
namespace {

// How deep below the tracer's pid namespace a task is looked for.
constexpr uint64_t kMostLevels = 4;

// Follows pointers and reads fields of kernel structs, whose layout BTF tells.
class KernelPath {
 public:
  KernelPath(Program& p, llvm::Value* address, const char* of)
      : p_(p), memory_(p.Allocate(8)), address_(address), type_(Find(of)) {}
  // The same for another struct, with the same memory to read into.
  KernelPath At(llvm::Value* address, const char* of) const {
    KernelPath path = *this;
    path.address_ = address;
    path.type_ = Find(of);
    return path;
  }

  // Reads a pointer field and goes where it leads.
  KernelPath& Follow(const char* field) {
    const StructField& found = Field(field);
    address_ = Read(found.offset, 8);
    type_ = found.type->element;
    return *this;
  }
  llvm::Value* ReadU32(const char* field) { return p_.ir().CreateTrunc(Read(Field(field).offset, 4), p_.ir().getInt32Ty()); }
  llvm::Value* AddressOf(const char* field) { return p_.ir().CreateAdd(address_, p_.I64(Field(field).offset)); }
  llvm::Value* address() const { return address_; }

 private:
  const Type* Find(const char* name) const {
    const Type* type = p_.typed().source->Find(name);
    CHECK(type != nullptr);  // the checker has looked
    return type;
  }
  const StructField& Field(const char* name) {
    const StructField* field = type_->info->Find(name);
    CHECK(field != nullptr);
    return *field;
  }
  llvm::Value* Read(uint32_t offset, uint32_t bytes) {
    p_.ir().CreateStore(p_.I64(0), memory_);
    p_.Helper(BPF_FUNC_probe_read_kernel, p_.ir().getInt64Ty(),
              {memory_, p_.I32(bytes), p_.ir().CreateAdd(address_, p_.I64(offset))});
    return p_.ir().CreateLoad(p_.ir().getInt64Ty(), memory_);
  }

  Program& p_;
  llvm::Value* memory_;
  llvm::Value* address_;
  const Type* type_;
};

KernelPath Task(Program& p, const Call& call) {
  llvm::Value* task = call.args.empty() ? p.Helper(BPF_FUNC_get_current_task, p.ir().getInt64Ty(), {})
                                        : p.Scalar(call.args[0], p.typed().types->Int(64, false));
  p.SetLocation(call.location);
  return {p, task, "struct task_struct"};
}

// A task's id as the tracer's pid namespace shows it, as `pid` does; 0 when it is not seen from there. A struct pid holds
// one number for each namespace from the initial one down to its own.
llvm::Value* IdInNamespace(Program& p, KernelPath task) {
  auto& ir = p.ir();
  KernelPath pid = task.Follow("thread_pid");
  llvm::Value* result = p.Allocate(8);
  ir.CreateStore(p.I64(0), result);
  llvm::Value* numbers = pid.AddressOf("numbers");
  auto* ino = ir.CreateLoad(ir.getInt64Ty(), p.module().Global(offsetof(image::ProgramState, pid_ns_ino)));
  const auto number = [&](llvm::Value* upid) {
    ir.CreateStore(ir.CreateZExt(pid.At(upid, "struct upid").ReadU32("nr"), ir.getInt64Ty()), result);
  };
  p.If(
      ir.CreateICmpEQ(ino, p.I64(0)), [&] { number(numbers); },
      [&] {
        const uint64_t size = SizeOfType(p.typed().source->Find("struct upid"));
        llvm::Value* level = ir.CreateZExt(pid.ReadU32("level"), ir.getInt64Ty());
        for (uint64_t up = 0; up < kMostLevels; ++up) {
          p.If(ir.CreateICmpUGE(level, p.I64(up)), [&] {
            llvm::Value* upid = ir.CreateAdd(numbers, ir.CreateMul(ir.CreateSub(level, p.I64(up)), p.I64(size)));
            KernelPath ns = pid.At(upid, "struct upid").Follow("ns");
            llvm::Value* inum = ns.At(ns.AddressOf("ns"), "struct ns_common").ReadU32("inum");
            p.If(ir.CreateICmpEQ(ir.CreateZExt(inum, ir.getInt64Ty()), ino), [&] { number(upid); });
          });
        }
      });
  return ir.CreateTrunc(ir.CreateLoad(ir.getInt64Ty(), result), ir.getInt32Ty());
}

Value CommOf(Program& p, KernelPath task, const Call& call) {
  const Type* type = p.typed().TypeOf(&call);
  llvm::Value* memory = p.Allocate(type->length);
  p.Zero(memory, type->length);
  p.Helper(BPF_FUNC_probe_read_kernel_str, p.ir().getInt64Ty(),
           {memory, p.I32(static_cast<uint32_t>(type->length)), task.AddressOf("comm")});
  return {memory, type};
}

}  // namespace

// The parent is the thread that made this one; its process is that of its leader.
Value EmitPpidCall(Program& p, const Call& call) {
  KernelPath task = Task(p, call);
  return {IdInNamespace(p, task.Follow("real_parent").Follow("group_leader")), p.typed().TypeOf(&call)};
}
Value EmitPcommCall(Program& p, const Call& call) {
  KernelPath task = Task(p, call);
  return CommOf(p, task.Follow("real_parent"), call);
}
Value EmitLeaderTidCall(Program& p, const Call& call) {
  KernelPath task = Task(p, call);
  return {IdInNamespace(p, task.Follow("group_leader")), p.typed().TypeOf(&call)};
}
Value EmitLeaderCommCall(Program& p, const Call& call) {
  KernelPath task = Task(p, call);
  return CommOf(p, task.Follow("group_leader"), call);
}

}  // namespace kawk
