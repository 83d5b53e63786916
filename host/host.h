// Facts about this machine: tracepoints, kernel functions, BTF, ELF symbols, features. Lazy: nothing is read before it is
// asked for. An interface, so that tests run on a machine made of data (tests/fakes/).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "host/debug_info.h"

struct btf;

namespace kawk {

// One field of a tracepoint's record, as its format file says.
struct TracepointField {
  std::string name;
  std::string type;     // C text without the name: "const char *", "__data_loc char[]", "char[16]", "unsigned long"
  uint32_t offset = 0;  // bytes from the start of the record
  uint32_t size = 0;    // bytes
  bool is_signed = false;
  bool data_loc = false;      // a u32: offset in the low, length in the high half, of bytes elsewhere in the record
  bool rel_data_loc = false;  // the same, but the offset counts from behind this field
};
struct TracepointFormat {
  std::string category;
  std::string event;
  uint32_t id = 0;
  std::vector<TracepointField> fields;  // without the common_ ones
};

// A function in an ELF file.
struct ElfSymbol {
  std::string name;
  uint64_t address = 0;      // as in the symbol table
  uint64_t file_offset = 0;  // what uprobes take
  uint64_t size = 0;
};

// A variable or a function, seen from a place in the same binary.
struct ElfObject {
  int64_t distance = 0;  // bytes from the place to it, as both are mapped
  uint64_t size = 0;     // 0: the symbol table does not say
};

// An argument of a USDT probe, as its note says where it is when the probe fires.
struct UsdtArgument {
  enum class Place : uint8_t { Constant, Register, Memory };
  Place place = Place::Constant;
  uint32_t size = 8;  // bytes: 1, 2, 4 or 8
  bool is_signed = false;
  bool is_float = false;  // in a register that programs cannot read, or of a type they cannot use
  // Registers by the name of their 64 bits: "rdi", "r8". Memory is at base + index * scale + value; either may be empty.
  std::string base;
  std::string index;
  uint32_t scale = 1;
  uint32_t shift = 0;  // Register: bits to the right
  int64_t value = 0;   // Constant: it; Memory: what is added
};
// One place of a USDT probe.
struct UsdtProbe {
  std::string provider;
  std::string name;
  uint64_t file_offset = 0;
  uint64_t semaphore_offset = 0;  // in the file; 0: none
  std::string argument_text;      // as in the note
  std::vector<UsdtArgument> arguments;
};

class Host {
 public:
  virtual ~Host() = default;

  // --- tracepoints (tracefs) ---
  virtual Result<TracepointFormat> ReadTracepoint(const std::string& category, const std::string& event) = 0;
  // "category:event" for all that match the two patterns (fnmatch without special `/`), sorted.
  virtual Result<std::vector<std::string>> MatchTracepoints(const std::string& category, const std::string& event) = 0;
  // Names of raw tracepoints matching the pattern ("module:event" where it is a module's), sorted.
  virtual Result<std::vector<std::string>> MatchRawTracepoints(const std::string& pattern) = 0;

  // --- kernel functions ---
  // Traceable functions matching; "module:function" for those of modules, sorted.
  virtual Result<std::vector<std::string>> MatchKernelFunctions(const std::string& module, const std::string& function) = 0;

  // The address of a symbol of the kernel or of a module.
  virtual Result<uint64_t> KernelAddress(const std::string& name) = 0;

  // --- binaries ---
  // The file an attach point means: a path, a name in PATH, a library by its name through the loader's cache
  // ("libc", "libc.so.6", "c"?). With pid, relative to that process's root.
  virtual Result<std::string> FindBinary(const std::string& name, int pid) = 0;
  virtual Result<std::vector<std::string>> MatchBinaries(const std::string& pattern, int pid) = 0;
  // Function symbols (FUNC and IFUNC, of .symtab and .dynsym, defined) whose name matches the pattern, sorted by name.
  virtual Result<std::vector<ElfSymbol>> MatchSymbols(const std::string& path, const std::string& pattern) = 0;
  // File offset of an address of the symbol table.
  virtual Result<uint64_t> FileOffset(const std::string& path, uint64_t address) = 0;

  // The variable or function of this name, seen from the place that stands at `file_offset`.
  virtual Result<ElfObject> FindObject(const std::string& path, const std::string& name, uint64_t file_offset) = 0;
  // USDT probes whose provider and name match, by provider, name and place.
  virtual Result<std::vector<UsdtProbe>> MatchUsdt(const std::string& path, const std::string& provider,
                                                   const std::string& name) = 0;

  // Function symbols whose name in the source (`ns::f(int)`, or without the parameters `ns::f`) matches the pattern.
  virtual Result<std::vector<ElfSymbol>> MatchDemangled(const std::string& path, const std::string& pattern) = 0;
  // The debug information of a program; owned by the host.
  virtual Result<DebugInfo*> OpenDebugInfo(const std::string& path) = 0;

  // --- cgroups ---
  // The id of the cgroup of version 2 whose folder this is.
  virtual Result<uint64_t> CgroupId(const std::string& path) = 0;

  // --- types ---
  // The kernel's BTF, loaded at the first call; null when the kernel has none. Owned by the host.
  virtual const ::btf* KernelBtf() = 0;
  // A module's BTF, whose first types are the kernel's; null when there is none. Owned by the host.
  virtual const ::btf* ModuleBtf(const std::string& module) = 0;
  // Id of the type of this kind (BTF_KIND_STRUCT, …) and name in KernelBtf, by an index of names; 0 when absent.
  virtual uint32_t FindBtfType(const std::string& name, uint32_t kind) = 0;
  // Whether programs of this type (enum bpf_prog_type) may call the kernel function with this id in KernelBtf. Asks the
  // verifier.
  virtual bool AllowsKfunc(uint32_t id, uint32_t program_type) = 0;
  // The iterators that the kernel's BTF names ("task", "task_file"), sorted.
  virtual std::vector<std::string> Iterators() = 0;
};

// This machine.
std::unique_ptr<Host> MakeHost();

// Whether `text` matches a pattern of `*`, `?` and `[abc]`.
bool MatchesPattern(const std::string& pattern, const std::string& text);
bool HasWildcard(const std::string& text);

}  // namespace kawk
