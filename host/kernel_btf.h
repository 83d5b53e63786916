// The kernel's BTF: types by name, raw tracepoints and their arguments.
#pragma once

#include <cstdarg>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

struct btf;
struct btf_dump;

namespace kawk {

struct BtfDeleter {
  void operator()(::btf* types) const;
};
using BtfHandle = std::unique_ptr<::btf, BtfDeleter>;

// Finds types of one BTF by name: a hash table of type ids, built in one pass over the types. libbpf's own search compares
// the name with every type's, each time.
class BtfNameIndex {
 public:
  // Of functions alone, or of everything else: half of the kernel's types are functions that few scripts ask for.
  enum class Content { Types, Functions };
  BtfNameIndex(const ::btf* types, Content content);
  // The first id with this name and kind (BTF_KIND_…), or 0.
  uint32_t Find(std::string_view name, uint32_t kind) const;

 private:
  const ::btf* types_;
  std::vector<uint32_t> slots_;  // ids; open addressing, 0 is free
};

// The bytes of a BTF file: mapped where the kernel can (6.16 and later, without a copy), read otherwise.
class BtfBytes {
 public:
  BtfBytes() = default;
  BtfBytes(const BtfBytes&) = delete;
  BtfBytes& operator=(const BtfBytes&) = delete;
  ~BtfBytes();
  void Open(const std::string& path);  // stays empty when there is none
  std::string_view view() const { return view_; }

 private:
  std::string copy_;
  std::string_view view_;
};

class KernelBtf {
 public:
  // `path` is the kernel's BTF, and its folder holds those of the modules.
  explicit KernelBtf(std::string path) : path_(std::move(path)) {}

  const ::btf* Get();
  uint32_t Find(const std::string& name, uint32_t kind);
  // Of a module that is loaded; null when it has none.
  const ::btf* Module(const std::string& name);
  // "module:event" of every raw tracepoint, with the module "vmlinux" for the kernel's own; sorted.
  const std::vector<std::string>& RawTracepoints();
  std::vector<std::string> Iterators();

 private:
  std::string_view Bytes();

  std::string path_;
  bool opened_ = false;
  BtfBytes bytes_;
  bool tried_ = false;
  BtfHandle types_;
  std::map<std::string, BtfHandle> modules_;  // they rest on types_
  std::optional<BtfNameIndex> type_index_;
  std::optional<BtfNameIndex> function_index_;
  std::optional<std::vector<std::string>> raw_tracepoints_;
};

// The function of this name among a module's own types, or 0.
uint32_t FindModuleFunction(const ::btf* module, const std::string& name);

// Names of the raw tracepoints that the types of a BTF file speak of, sorted and unique; what is malformed ends the walk.
// `base_strings`: the length of the string section of the base of a module's BTF, or 0.
std::vector<std::string> RawTracepointNames(std::string_view bytes, uint32_t base_strings);
// What `struct bpf_iter__NAME` there is, sorted; each has a function `bpf_iter_NAME` that programs attach to.
std::vector<std::string> IteratorNames(std::string_view bytes);
std::vector<std::string> IteratorNames(const ::btf* types);
// The declarations of functions in C, as the types are spelled in BTF. Holds libbpf's dumper, which costs some milliseconds
// to make; `types` must outlive it.
class BtfPrinter {
 public:
  explicit BtfPrinter(const ::btf* types);
  BtfPrinter(const BtfPrinter&) = delete;  // the dumper holds our address
  BtfPrinter& operator=(const BtfPrinter&) = delete;
  // A type without a name: "struct file *".
  std::string TypeText(uint32_t id);

  // A struct, union or enum with all its members, as C; `title` is how it begins: "struct foo".
  std::string Definition(uint32_t id, const std::string& title);

  struct Argument {
    std::string name;
    std::string type;
  };
  struct Function {
    bool known = false;
    std::vector<Argument> arguments;
    std::string result;  // empty for void
  };
  // The function with this id; not `known` for any other type.
  Function Describe(uint32_t id);

 private:
  static void Append(void* context, const char* format, va_list arguments);

  const ::btf* types_;
  std::string text_;
  std::unique_ptr<::btf_dump, void (*)(::btf_dump*)> dump_;
};

}  // namespace kawk
