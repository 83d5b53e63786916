// Reading the kernel's structs.
#pragma once

#include <linux/bpf.h>

#include <cstdint>

#include "base/check.h"
#include "codegen/program.h"

namespace kawk {

// Follows pointers and reads fields of kernel structs, whose layout BTF tells.
class KernelPath {
 public:
  KernelPath(Program& p, llvm::Value* address, const char* of) : KernelPath(p, address, of, p.Allocate(8)) {}
  // `memory`: eight bytes to read into.
  KernelPath(Program& p, llvm::Value* address, const char* of, llvm::Value* memory)
      : p_(p), memory_(memory), address_(address), type_(Find(of)) {}
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
  llvm::Value* ReadU8(const char* field) { return p_.ir().CreateAnd(Read(Field(field).offset, 1), p_.I64(0xff)); }
  // A pointer at `bytes` from here.
  llvm::Value* ReadPointer(llvm::Value* bytes) const {
    KernelPath path = *this;
    path.address_ = p_.ir().CreateAdd(address_, bytes);
    return path.Read(0, 8);
  }
  uint64_t OffsetOf(const char* field) const { return Field(field).offset; }
  llvm::Value* ReadU32(const char* field) { return p_.ir().CreateTrunc(Read(Field(field).offset, 4), p_.ir().getInt32Ty()); }
  llvm::Value* AddressOf(const char* field) { return p_.ir().CreateAdd(address_, p_.I64(Field(field).offset)); }
  llvm::Value* address() const { return address_; }

 private:
  const Type* Find(const char* name) const {
    const Type* type = p_.typed().source->Find(name);
    CHECK(type != nullptr);  // the checker has looked
    return type;
  }
  const StructField& Field(const char* name) const {
    const StructField* field = type_->info->Find(name);
    CHECK(field != nullptr);
    return *field;
  }
  llvm::Value* Read(uint32_t offset, uint32_t bytes) const {
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

}  // namespace kawk
