// path(): the path of a file is walked up from the file, name by name and mount by mount, to the root that the process has, as
// d_path() of the kernel does. The kernel lends its own only to few probes.
#include <linux/bpf.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include "codegen/functions.h"
#include "codegen/kernel_path.h"

namespace kawk {
namespace {

constexpr uint32_t kMostNames = 512;
constexpr uint64_t kNameMask = 255;  // NAME_MAX
constexpr uint64_t kWord = 8;
constexpr std::string_view kDeleted = " (deleted)";

// What the turns share, on the program's stack.
struct Climb {
  uint64_t dentry, mount;  // mount: of the vfsmount in it
  uint64_t root_dentry, root_mount;
  uint64_t at;  // where the path begins in the buffer: it is written from its end
  uint64_t buffer;
  uint64_t word;  // to read into
  uint64_t stop;
};

class Climber {
 public:
  // `size`: of the buffer, a power of two; behind it there is room for one more name.
  Climber(Program& p, llvm::Value* climb, uint64_t size) : p_(p), ir_(p.ir()), climb_(climb), size_(size) {}

  llvm::Value* Slot(uint64_t offset) { return p_.At(climb_, offset); }
  llvm::Value* Get(uint64_t offset) { return ir_.CreateLoad(ir_.getInt64Ty(), Slot(offset)); }
  void Set(uint64_t offset, llvm::Value* value) { ir_.CreateStore(value, Slot(offset)); }
  KernelPath Struct(llvm::Value* address, const char* of) { return {p_, address, of, Slot(offsetof(Climb, word))}; }
  llvm::Value* InBuffer(llvm::Value* at) {
    llvm::Value* buffer = ir_.CreateLoad(ir_.getPtrTy(), Slot(offsetof(Climb, buffer)));
    return ir_.CreateInBoundsGEP(ir_.getInt8Ty(), buffer, {p_.Bound(at, size_ - 1)});
  }

  // One name, or one step out of a mount. i1: this was the last.
  llvm::Value* Turn() {
    Set(offsetof(Climb, stop), p_.I64(1));
    llvm::Value* dentry = Get(offsetof(Climb, dentry));
    llvm::Value* mount = Get(offsetof(Climb, mount));
    llvm::Value* at_root = ir_.CreateAnd(ir_.CreateICmpEQ(dentry, Get(offsetof(Climb, root_dentry))),
                                         ir_.CreateICmpEQ(mount, Get(offsetof(Climb, root_mount))));
    p_.If(ir_.CreateNot(at_root), [&] {
      llvm::Value* top = Struct(mount, "struct vfsmount").Follow("mnt_root").address();
      llvm::Value* parent = Struct(dentry, "struct dentry").Follow("d_parent").address();
      llvm::Value* leaves = ir_.CreateOr(ir_.CreateICmpEQ(dentry, top), ir_.CreateICmpEQ(dentry, parent));
      p_.If(leaves, [&] { LeaveMount(mount); }, [&] { Prepend(dentry, parent); });
    });
    return ir_.CreateICmpNE(Get(offsetof(Climb, stop)), p_.I64(0));
  }

  // To where the mount hangs, unless it hangs nowhere.
  void LeaveMount(llvm::Value* mount) {
    KernelPath inner = Struct(mount, "struct mount");
    llvm::Value* distance = p_.I64(inner.OffsetOf("mnt"));
    KernelPath self = Struct(ir_.CreateSub(mount, distance), "struct mount");
    llvm::Value* outer = KernelPath(self).Follow("mnt_parent").address();
    p_.If(ir_.CreateAnd(ir_.CreateICmpNE(outer, self.address()), ir_.CreateICmpNE(outer, p_.I64(0))), [&] {
      Set(offsetof(Climb, dentry), KernelPath(self).Follow("mnt_mountpoint").address());
      Set(offsetof(Climb, mount), ir_.CreateAdd(outer, distance));
      Set(offsetof(Climb, stop), p_.I64(0));
    });
  }

  void Prepend(llvm::Value* dentry, llvm::Value* parent) {
    KernelPath entry = Struct(dentry, "struct dentry");
    KernelPath name = Struct(entry.AddressOf("d_name"), "struct qstr");
    llvm::Value* length = ir_.CreateAnd(ir_.CreateZExt(name.ReadU32("len"), ir_.getInt64Ty()), p_.I64(kNameMask));
    llvm::Value* text = name.Follow("name").address();
    llvm::Value* at = ir_.CreateSub(Get(offsetof(Climb, at)), ir_.CreateAdd(length, p_.I64(1)));
    p_.If(ir_.CreateICmpSGE(at, p_.I64(0)), [&] {
      llvm::Value* size = ir_.CreateTrunc(p_.Bound(length, kNameMask), ir_.getInt32Ty());
      llvm::Value* to = ir_.CreateConstInBoundsGEP1_64(ir_.getInt8Ty(), InBuffer(at), 1);
      p_.Helper(BPF_FUNC_probe_read_kernel, ir_.getInt64Ty(), {to, size, text});
      ir_.CreateStore(ir_.getInt8('/'), InBuffer(at));
      Set(offsetof(Climb, at), at);
      Set(offsetof(Climb, dentry), parent);
      Set(offsetof(Climb, stop), p_.I64(0));
    });
  }

 private:
  Program& p_;
  llvm::IRBuilder<>& ir_;
  llvm::Value* climb_;
  uint64_t size_;
};

llvm::Value* AddressOfPath(Program& p, const Expr* expr) {
  const Type* type = p.typed().TypeOf(expr);
  if (type->is(TypeKind::Struct) && p.HasPlace(expr)) return p.AddressOf(p.PlaceOf(expr));
  const Value value = p.Evaluate(expr);
  return type->is(TypeKind::Struct) ? p.AsInteger(value.v) : p.Convert(value.v, value.type, p.typed().types->Int(64, false));
}

// Files that no folder has: a pipe, a socket, what an anonymous inode stands for. Their file systems begin with these letters.
void NameWithoutFolder(Program& p, Climber& climber, KernelPath entry, llvm::Value* memory, const Type* type, llvm::Value* done) {
  auto& ir = p.ir();
  llvm::Value* kind = KernelPath(entry).Follow("d_sb").Follow("s_type").Follow("name").address();
  llvm::Value* word = climber.Slot(offsetof(Climb, word));
  ir.CreateStore(p.I64(0), word);
  p.Helper(BPF_FUNC_probe_read_kernel, ir.getInt64Ty(), {word, p.I32(4), kind});
  llvm::Value* letters = ir.CreateTrunc(ir.CreateLoad(ir.getInt64Ty(), word), ir.getInt32Ty());
  struct Row {
    const char* letters;
    const char* format;
  };
  for (const Row& row : {Row{"pipe", "pipe:[%lu]"}, Row{"sock", "socket:[%lu]"}, Row{"anon", "anon_inode:%s"}}) {
    const bool numbered = std::string_view(row.format).ends_with("[%lu]");
    uint32_t wanted = 0;
    std::memcpy(&wanted, row.letters, sizeof wanted);
    p.If(ir.CreateICmpEQ(letters, p.I32(wanted)), [&] {
      KernelPath name = climber.Struct(entry.AddressOf("d_name"), "struct qstr");
      KernelPath inode = KernelPath(entry).Follow("d_inode");
      llvm::Value* argument = numbered ? inode.ReadPointer(p.I64(inode.OffsetOf("i_ino"))) : name.Follow("name").address();
      ir.CreateStore(argument, word);
      p.Helper(BPF_FUNC_snprintf, ir.getInt64Ty(),
               {memory, p.I32(static_cast<uint32_t>(type->length)), p.module().Bytes(std::string(row.format) + '\0'), word,
                p.I32(kWord)});
      ir.CreateStore(ir.getInt64(1), done);
    });
  }
}

}  // namespace

Value EmitPathCall(Program& p, const Call& call) {
  auto& ir = p.ir();
  auto* word = ir.getInt64Ty();
  const Type* type = p.typed().TypeOf(&call);
  const uint64_t size = std::bit_ceil(std::max<uint64_t>(type->length + kDeleted.size(), kNameMask + 1));
  llvm::Value* path = AddressOfPath(p, call.args[0]);
  p.SetLocation(call.location);
  llvm::Value* memory = p.Allocate(LengthMask(type->length) + 1);
  p.Zero(memory, type->length);
  llvm::Value* climb = p.AllocateStack(sizeof(Climb));
  llvm::Value* done = p.Allocate(8);
  ir.CreateStore(p.I64(0), done);
  Climber climber(p, climb, size);
  ir.CreateStore(p.AllocateScratch(size + kNameMask + 1), climber.Slot(offsetof(Climb, buffer)));
  const KernelPath from = climber.Struct(path, "struct path");
  climber.Set(offsetof(Climb, dentry), KernelPath(from).Follow("dentry").address());
  climber.Set(offsetof(Climb, mount), KernelPath(from).Follow("mnt").address());
  KernelPath entry = climber.Struct(climber.Get(offsetof(Climb, dentry)), "struct dentry");
  llvm::Value* special = KernelPath(entry).Follow("d_op").Follow("d_dname").address();
  p.If(ir.CreateICmpNE(special, p.I64(0)), [&] { NameWithoutFolder(p, climber, entry, memory, type, done); });
  p.If(ir.CreateAnd(ir.CreateICmpEQ(ir.CreateLoad(word, done), p.I64(0)), ir.CreateICmpNE(entry.address(), p.I64(0))), [&] {
    llvm::Value* task = p.Helper(BPF_FUNC_get_current_task, word, {});
    KernelPath root = climber.Struct(climber.Struct(task, "struct task_struct").Follow("fs").AddressOf("root"), "struct path");
    climber.Set(offsetof(Climb, root_dentry), KernelPath(root).Follow("dentry").address());
    climber.Set(offsetof(Climb, root_mount), KernelPath(root).Follow("mnt").address());
    // A file that was removed, but for the root of a file system, is in no hash list any more: its back pointer is null.
    llvm::Value* listed = entry.ReadPointer(p.I64(entry.OffsetOf("d_hash") + kWord));
    llvm::Value* parent = KernelPath(entry).Follow("d_parent").address();
    llvm::Value* deleted = ir.CreateAnd(ir.CreateICmpEQ(listed, p.I64(0)), ir.CreateICmpNE(parent, entry.address()));
    const uint64_t end = size - 1;
    climber.Set(offsetof(Climb, at), p.I64(end));
    ir.CreateStore(ir.getInt8(0), climber.InBuffer(p.I64(end)));
    p.If(deleted, [&] {
      const uint64_t at = end - kDeleted.size();
      climber.Set(offsetof(Climb, at), p.I64(at));
      p.Copy(climber.InBuffer(p.I64(at)), p.module().Bytes(std::string(kDeleted)), kDeleted.size());
    });
    llvm::Value* before = climber.Get(offsetof(Climb, at));
    p.Loop(p.FreshName("path"), kMostNames, climb,
           [&](llvm::Value*, llvm::Value* shared) { return Climber(p, shared, size).Turn(); });
    llvm::Value* at = climber.Get(offsetof(Climb, at));
    p.If(ir.CreateICmpEQ(at, before), [&] {
      llvm::Value* only = ir.CreateSub(at, p.I64(1));
      ir.CreateStore(ir.getInt8('/'), climber.InBuffer(only));
      climber.Set(offsetof(Climb, at), only);
    });
    p.Helper(BPF_FUNC_probe_read_kernel_str, word,
             {memory, p.I32(static_cast<uint32_t>(type->length)), climber.InBuffer(climber.Get(offsetof(Climb, at)))});
  });
  return {memory, type};
}

}  // namespace kawk
