// Where types and constants that the script only names come from: its own C definitions, then the kernel's BTF. Lazy: BTF
// is not read before a name is asked for that nothing else explains, and a struct's fields not before one is used.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ast/types.h"
#include "host/host.h"

namespace kawk {

// A name that stands for a value: an enumerator, or a macro.
struct NamedConstant {
  const Type* enumeration = nullptr;  // of an enumerator; null: an integer like a literal, or a string
  __int128 value = 0;
  std::optional<std::string> string;
};

// A `#define` that is no constant: expanded where it is used, as an expression.
struct CMacro {
  bool takes_arguments = false;
  std::vector<std::string> params;
  std::string text;
};

class TypeSource {
 public:
  // Both must live as long as any type of this source.
  TypeSource(Host& host, TypeTable& types) : host_(host), types_(types) {}
  TypeSource(const TypeSource&) = delete;

  TypeTable& types() { return types_; }
  Host& host() { return host_; }

  // Called once, when a name is asked for that nothing explains: may define more. Returns what to tell the user when the
  // name is unknown after that, too.
  void OnMissing(std::function<std::string()> read) { on_missing_ = std::move(read); }
  bool reads_headers() const { return on_missing_ != nullptr; }
  bool ReadMissing();  // false: there is nothing (more) to read
  const std::string& header_problem() const { return header_problem_; }

  // What the script defines; `name` is "struct foo", "union u", "enum e" or a typedef's name.
  void Define(const std::string& name, const Type* type);
  void DefineConstant(const std::string& name, NamedConstant constant);
  // While on, only what is not known yet is defined.
  void FillOnly(bool on) { fill_only_ = on; }

  void DefineMacro(const std::string& name, CMacro macro);
  void Undefine(const std::string& name) { macros_.erase(name), constants_.erase(name); }
  bool has_macros() const { return !macros_.empty(); }
  const CMacro* FindMacro(const std::string& name) const;
  // Notes that the script has a body for this name; false when it has had one.
  bool DefineOnce(const std::string& name) { return bodies_.insert(name).second; }

  // A type by its name in C or in the language; null when there is none.
  const Type* Find(const std::string& name);
  std::optional<NamedConstant> FindConstant(const std::string& name);
  // What a variable of the kernel is, by BTF: BTF_KIND_STRUCT, …, without modifiers and typedefs; 0: not known.
  uint32_t KindOfVariable(const std::string& name);
  // The arguments of a raw tracepoint as a struct whose members lie in slots of 8 bytes; null when BTF does not know it.
  // `module`: whose it is; empty: the kernel's own.
  const Type* RawTracepointArgs(const std::string& module, const std::string& event);
  // The same of a function of the kernel.
  const Type* FunctionArgs(const std::string& module, const std::string& function);
  // What it returns (None: nothing), and where that is in the context of fexit, behind the arguments; null when BTF does not
  // know the function.
  struct ReturnValue {
    const Type* type = nullptr;
    uint32_t offset = 0;
  };
  ReturnValue FunctionResult(const std::string& module, const std::string& function);

  // The types of this program hide the kernel's of the same name while it is set; empty: none.
  void SetProgram(std::string path) { program_ = std::move(path); }
  const Type* FromDebug(DebugInfo& program, uint32_t number);
  // The parameters of a function of a program as a struct, in the order of the function.
  const Type* DebugArguments(DebugInfo& program, const std::string& name, const std::vector<const DebugParameter*>& parameters);

 private:
  // A type in the kernel's BTF, or in a module's, which goes on where the kernel's ends.
  struct BtfId {
    const ::btf* btf;
    uint32_t id;
    auto operator<=>(const BtfId&) const = default;
  };
  BtfId FindFunction(const std::string& module, const std::string& name);  // id 0: not there
  const Type* Arguments(const std::string& struct_name, BtfId function, uint32_t skipped);
  struct Enumerator {
    uint32_t type;
    int64_t value;
  };

  bool KnowsValue(const std::string& name) const;
  const Type* FindInBtf(const std::string& name);
  const Type* FromBtf(BtfId of);
  const Type* FindInProgram(const std::string& name);
  const Type* DebugStruct(DebugInfo& program, const DebugType& type);
  const Type* MakeStruct(BtfId of);
  const Type* MakeEnum(BtfId of);
  const Type* MakePointer(BtfId pointee);
  const Type* MakeArray(BtfId of);
  const Type* MakeInt(BtfId of);
  void LoadFields(BtfId of, std::vector<StructField>& fields);
  void IndexEnumerators();

  Host& host_;
  TypeTable& types_;
  std::map<std::string, const Type*, std::less<>> known_;  // null: looked for and not found
  std::map<std::string, NamedConstant, std::less<>> constants_;
  std::map<std::string, CMacro, std::less<>> macros_;
  std::set<std::string> bodies_;
  std::function<std::string()> on_missing_;
  std::string header_problem_;
  bool fill_only_ = false;
  std::map<BtfId, const Type*> by_id_;
  std::string program_;
  std::map<std::pair<DebugInfo*, uint32_t>, const Type*> by_number_;
  std::map<std::string, const Type*, std::less<>> of_kernel_;  // as known_, what BTF has
  bool indexed_ = false;
  std::unordered_map<std::string_view, Enumerator> enumerators_;
};

}  // namespace kawk
