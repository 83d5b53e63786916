// What all programs of one script share while they are generated: the LLVM module, its debug info (which becomes BTF), the
// maps, the globals, and the Image as it grows.
#pragma once

#include <llvm/IR/DIBuilder.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "ast/typed.h"
#include "base/diagnostics.h"
#include "codegen/generate.h"
#include "runtime/image/image.h"

namespace kawk {

enum class FunctionKind : uint8_t {
  Program,   // (context), in a section of its own
  Unit,      // (context, u64 target), called by a program
  LoopBody,  // (u32 index, frame), called by the helper bpf_loop
  MapBody,   // (map, key, value, frame), called by the helper bpf_for_each_map_elem
};

struct FunctionFrame {
  llvm::Function* function = nullptr;
  llvm::DISubprogram* subprogram = nullptr;
};

class ModuleBuilder {
 public:
  ModuleBuilder(const Typed& typed, const SourceMap& sources, const GenerateOptions& options);

  llvm::LLVMContext& context() { return context_; }
  llvm::Module& module() { return *module_; }
  llvm::DIBuilder& debug() { return *debug_; }
  llvm::DIFile* file(uint32_t index) { return files_[index]; }
  llvm::DICompileUnit* compile_unit() { return compile_unit_; }
  const Typed& typed() const { return typed_; }
  const GenerateOptions& options() const { return options_; }
  image::Image& image() { return image_; }

  // The index of `type` in Image::types.
  image::TypeIndex TypeOf(const Type* type);
  // Debug type of the same size and layout.
  llvm::DIType* Debug(const Type* type);
  llvm::DIType* DebugInt(uint32_t bits, bool is_signed);

  // Globals: `kawk_globals` in .bss, at the offset.
  llvm::Constant* Global(uint32_t offset);
  // Whether the script clears or zeroes the map, so that it has epochs (see image::EpochState).
  bool HasEpochs(uint32_t map_index) const { return image_.maps[map_index].has_epochs; }
  uint32_t LossOffset(uint32_t program, image::LossCause cause) const;
  // A program's u64 that limits its reports of failed reads; there only with options().read_warnings.
  uint32_t ReadWarningsOffset(uint32_t program) const { return read_warnings_offset_ + program * 8; }

  // The map variable of a script's map (not Global storage), the ring, scratch, and a stack map for this limit.
  llvm::GlobalVariable* Map(uint32_t map_index) { return map_variables_[map_index]; }
  // For short keys; null: the map is one.
  llvm::GlobalVariable* ShortMap(uint32_t map_index) { return short_map_variables_[map_index]; }
  llvm::GlobalVariable* Ring();
  llvm::GlobalVariable* Scratch();
  // Where the kernel copies packets to: see image::kPacketMap.
  llvm::GlobalVariable* Packets();
  // A variable of the kernel, which libbpf finds by its name in BTF.
  llvm::GlobalVariable* KernelVariable(const std::string& name);
  // Every program says how much scratch it needs (bytes, without the in-use word).
  void NeedScratch(uint32_t bytes) { scratch_bytes_ = std::max(scratch_bytes_, bytes); }
  // Index into Image::stack_maps.
  uint32_t StackMap(bool user, uint32_t limit);
  llvm::GlobalVariable* StackMapVariable(uint32_t index) { return stack_variables_[index]; }

  // What dw_ustack unwinds by: see runtime/image/unwind.h.
  llvm::GlobalVariable* UnwindProcesses();
  llvm::GlobalVariable* UnwindTables();

  // The verifier must know the types of this program's arguments, for helpers that take only those.
  void NeedTypedContext(uint32_t program) { typed_contexts_.insert(program); }
  bool NeedsTypedContext(uint32_t program) const { return typed_contexts_.contains(program); }
  // This program asks which of its targets fired.
  void NeedCookies(uint32_t program) { with_cookies_.insert(program); }
  bool NeedsCookies(uint32_t program) const { return with_cookies_.contains(program); }

  // A function without a body.
  FunctionFrame MakeFunction(const std::string& name, FunctionKind kind, const Location& at);

  // Constant bytes in .rodata.
  llvm::Constant* Bytes(const std::string& bytes);

  uint32_t AddEvent(image::EventSpec event);

  // Call when all programs are generated: sizes what depends on them and finishes the debug info.
  void Finish();

 private:
  void MakeGlobals();
  void MakeMaps();
  llvm::GlobalVariable* MakeMap(const std::string& name, uint32_t type, llvm::DIType* key, llvm::DIType* value,
                                uint64_t max_entries, uint32_t flags = 0);
  llvm::DIType* DebugBytes(uint64_t size);
  llvm::DIType* DebugMembers(const Type* type);
  image::ValueType Lower(const Type* type);
  void AppendFields(const Type* type, uint32_t offset, std::vector<image::Field>& fields);

  const Typed& typed_;
  const GenerateOptions& options_;
  llvm::LLVMContext context_;
  std::unique_ptr<llvm::Module> module_;
  std::unique_ptr<llvm::DIBuilder> debug_;
  std::vector<llvm::DIFile*> files_;
  llvm::DICompileUnit* compile_unit_ = nullptr;
  image::Image image_;
  std::map<const Type*, image::TypeIndex> type_index_;
  std::vector<llvm::GlobalVariable*> map_variables_;
  std::vector<llvm::GlobalVariable*> short_map_variables_;
  std::vector<llvm::GlobalVariable*> stack_variables_;
  std::map<std::string, llvm::GlobalVariable*> kernel_variables_;
  llvm::GlobalVariable* globals_ = nullptr;
  llvm::GlobalVariable* ring_ = nullptr;
  llvm::GlobalVariable* packets_ = nullptr;
  llvm::GlobalVariable* unwind_processes_ = nullptr;
  llvm::GlobalVariable* unwind_tables_ = nullptr;
  std::set<uint32_t> typed_contexts_;
  std::set<uint32_t> with_cookies_;
  llvm::GlobalVariable* scratch_ = nullptr;
  uint32_t scratch_bytes_ = 0;
  uint32_t read_warnings_offset_ = 0;
};

// How a map is kept, decided by its types alone.
image::MapStorage StorageOf(const MapInfo& map);
// Number of buckets of a Hist or Lhist, of intervals of a Tseries.
uint32_t BucketsOf(const Type* type);
// A key's bytes rounded up to 8, where an extended key's bucket starts.
uint32_t PaddedKeySize(const Type* key);

}  // namespace kawk
