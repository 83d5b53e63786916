// The registries: every function, builtin value, probe kind and configuration key of the language, one row each in the
// .def files. Checks, listing, help and docs come from the rows; names become ids here, once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kawk {

enum class FunctionId : uint16_t {
#define FUNCTION(id, name, signature, effect, flags, doc) id,
#include "stdlib/functions.def"
};
enum class BuiltinId : uint16_t {
#define BUILTIN(id, name, type, probes, doc) id,
#include "stdlib/builtins.def"
};
enum class ProbeKind : uint8_t {
#define PROBE(id, name, aliases, flags, syntax, doc) id,
#include "stdlib/probes.def"
};

enum class Effect : uint8_t { Kernel, Async, Compile, Aggregate };

// What an argument may be; a parameter is a set of these.
enum ParamClass : uint16_t {
  kInt = 1,
  kConstInt = 2,
  kStr = 4,
  kLiteral = 8,
  kBool = 16,
  kPtr = 32,
  kMap = 64,
  kStack = 128,
  kAny = 256,
  kType = 512,
};
struct Param {
  std::string name;
  uint16_t classes = 0;  // ORed ParamClass
  bool optional = false;
};
struct Signature {
  std::vector<Param> params;
  bool variadic = false;  // any number of kAny behind params
  std::string result;     // type text, "void" or "auto"
};

struct FunctionRow {
  FunctionId id;
  std::string_view name;
  std::string_view signature;
  Effect effect;
  uint32_t flags;
  std::string_view doc;
};
enum FunctionFlag : uint32_t { kUnsafe = 1, kEndsProbe = 2, kNeedsRegisters = 4, kNeedsTask = 8, kOnlyKprobe = 16 };

// A function that is a macro of library.bt. Its forms differ in the number of parameters.
struct LibraryMacro {
  struct Form {
    std::vector<std::string_view> params;
    std::string_view body;  // a block expression
  };
  std::string_view name;
  std::string_view signature;
  std::string_view doc;
  std::vector<Form> forms;
};

struct BuiltinRow {
  BuiltinId id;
  std::string_view name;
  std::string_view type;
  uint32_t probes;
  std::string_view doc;
};

struct ProbeRow {
  ProbeKind kind;
  std::string_view name;
  std::string_view aliases;
  uint32_t flags;
  std::string_view syntax;
  std::string_view doc;
};
enum ProbeFlag : uint32_t {
  kNone = 0,
  kHasArgs = 1,
  kHasArgN = 2,
  kHasRetval = 4,
  kHasFunc = 8,
  kWildcard = 16,
  kUserSpace = 32,
  kOnce = 64,
  kHasRegisters = 128,
  kHasContext = 256,
  kAnyProbe = ~0u,
};

// Rows by id, and ids by name; nullptr when there is no such name.
const FunctionRow& Row(FunctionId id);
const BuiltinRow& Row(BuiltinId id);
const ProbeRow& Row(ProbeKind kind);
const FunctionRow* FindFunction(std::string_view name);
const BuiltinRow* FindBuiltin(std::string_view name);
const ProbeRow* FindProbe(std::string_view name_or_alias);
const std::vector<FunctionRow>& AllFunctions();
const LibraryMacro* FindLibraryMacro(std::string_view name);
const std::vector<LibraryMacro>& AllLibraryMacros();
const std::vector<BuiltinRow>& AllBuiltins();
const std::vector<ProbeRow>& AllProbes();
// The parsed form of row.signature.
Signature ParseSignature(std::string_view text);

// The configuration with its defaults.
struct Config {
  using Int = uint64_t;
  using Bool = bool;
  using String = std::string;
#define CONFIG(id, type, value, values, doc) type id = value;
#include "stdlib/config.def"
};
struct ConfigRow {
  std::string_view name;
  std::string_view values;  // allowed words by `|`, or "least..most" of a number, or empty
  std::string_view doc;
};
const std::vector<ConfigRow>& AllConfigKeys();
// Sets one key from text. Returns what is wrong with the value, or nothing. The key must exist.
std::optional<std::string> SetConfig(Config& config, std::string_view key, std::string_view value);

}  // namespace kawk
