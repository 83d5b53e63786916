// What the passes make of a syntax tree: names resolved to ids, a type for every expression, probes expanded to what will be
// attached. The code generator reads this and the tree, and asks no further questions.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ast/c_headers.h"
#include "ast/nodes.h"
#include "ast/type_source.h"
#include "ast/types.h"
#include "base/result.h"
#include "host/host.h"
#include "stdlib/registry.h"

namespace kawk {

// One thing to attach to. Exact: no wildcard is left.
struct AttachTarget {
  ProbeKind kind = ProbeKind::Begin;
  std::string name;  // canonical: "tracepoint:syscalls:sys_enter_openat"; what `probe` gives
  Location location;
  std::string group;       // tracepoint category, kernel module
  std::string target;      // event or function name: what `func` gives
  std::string path;        // binary
  uint64_t offset = 0;     // file offset (uprobe), bytes behind the function's start (kprobe), address (watchpoint)
  uint64_t period = 0;     // interval, profile: ns; software, hardware: events; watchpoint: bytes
  uint64_t frequency = 0;  // profile:hz, in samples a second
  uint64_t config = 0;     // software, hardware: PERF_COUNT_…; watchpoint: HW_BREAKPOINT_…; self: the signal
  uint64_t tracepoint_id = 0;
  uint64_t semaphore_offset = 0;  // usdt: in the file; 0: none
  bool by_pattern = false;        // one of what a wildcard matched: may be left out where it cannot be attached
  bool same_probe = false;        // usdt: one more place of the probe before it
  std::string argument_text;      // usdt: as the note has it
  std::vector<UsdtArgument> arguments;
  uint64_t address = 0;  // uprobe, uretprobe: of `offset`, as in the symbol table
};

// One program to generate: a probe's body for targets that give its expressions the same types. Where targets differ in
// this (args of different tracepoints), the probe's tree is cloned, so that every node id belongs to one unit only.
struct ProbeUnit {
  const Probe* probe = nullptr;  // predicate and body to generate (possibly a clone, owned by the Ast)
  ProbeKind kind = ProbeKind::Begin;
  std::vector<AttachTarget> targets;
  const Type* args = nullptr;                       // Struct type of `args`, or null
  TypeSource::ReturnValue retval;                   // fexit
  std::vector<std::vector<DebugPiece>> arg_pieces;  // uprobe: where the fields of `args` are
  uint32_t probes = 0;                              // how many the targets are for the user
};

// How format pieces of printf stand: see image::FormatPiece, which this becomes.
struct FormatSpec {
  std::string literal;  // text before the conversion, escapes done
  std::string flags;
  int width = -1;
  int precision = -1;
  std::string length;
  std::string conversion;  // empty: only the literal
  uint32_t arg = 0;
  int width_arg = -1;  // `*`: the argument that says it; -1: none
  int precision_arg = -1;
};

struct MapInfo {
  std::string name;           // "@x"
  const Type* key = nullptr;  // null: scalar
  const Type* value = nullptr;
  const MapDecl* decl = nullptr;
  Location first_use;
  bool written = false;      // somewhere in the script
  uint64_t max_entries = 0;  // by a declaration; 0: the default
  bool lru = false;
};

// A scratch variable; one per `let` or first assignment in a scope.
struct VariableInfo {
  std::string name;
  const Type* type = nullptr;
};

struct ExprInfo {
  const Type* type = nullptr;
  const Type* operands = nullptr;  // Binary: what both operands are converted to first; null: as they are
  // Set where the value is known: folded integers (sign-extended bits), bools and strings. Code generation must use it.
  std::optional<uint64_t> integer;
  std::optional<std::string> string;
  // What names mean.
  std::optional<BuiltinId> builtin;        // Ident (and Call, for builtins that take arguments: kstack(3))
  std::optional<FunctionId> function;      // Call
  int variable = -1;                       // ScratchVar: into variables
  int map = -1;                            // MapRef: into maps
  const StructField* field = nullptr;      // Member of a struct or of args; offsets within anonymous members added
  AddressSpace space = AddressSpace::Bpf;  // Struct and Array expressions, fields: where the object's bytes are
  int c_function = -1;                     // Call: into c_functions
  int format = -1;                         // Call of printf and its kin: into formats
};

// An option of the script itself: what getopt() asks for.
struct ScriptOption {
  using Value = std::variant<bool, __int128, std::string>;
  std::string name;
  Value fallback;
  Value value;  // of the command line, or the fallback
  std::string description;
  Location location;  // of the first getopt() of it
};

// A CFunction with its types.
struct CFunctionInfo {
  std::string name;
  const Type* result = nullptr;
  std::vector<std::string> names;
  std::vector<const Type*> params;
};

struct Typed {
  std::vector<ExprInfo> exprs;  // by NodeId
  std::vector<int> lets;        // by NodeId of Let and ForRange/ForIn: into variables; else -1
  std::vector<MapInfo> maps;    // in order of name
  std::vector<VariableInfo> variables;
  std::vector<std::vector<FormatSpec>> formats;
  std::vector<ProbeUnit> units;  // in source order
  std::vector<CFunctionInfo> c_functions;
  std::vector<ScriptOption> options;  // in source order
  bool partial = false;               // some probe has nothing to attach to and is left out; its maps may be undefined elsewhere
  Config config;
  std::unique_ptr<TypeTable> types;
  std::unique_ptr<TypeSource> source;  // reads the fields of structs when they are asked for: the host must still live then
  std::map<const Expr*, std::vector<int64_t>> user_objects;  // of uaddr(): by target, the distance from its instruction
  std::vector<std::unique_ptr<Probe>> clones;  // probes of units beyond the first of a probe; their trees are the Ast's

  const ExprInfo& Info(const Expr* expr) const { return exprs[expr->id.value]; }
  ExprInfo& Info(const Expr* expr) { return exprs[expr->id.value]; }
  const Type* TypeOf(const Expr* expr) const { return Info(expr).type; }
};

// `--name=value` or `--name` behind the `--` of the command line.
struct NamedParameter {
  std::string name;
  std::optional<std::string> value;
};
inline constexpr std::string_view kHelpOption = "help";  // asks for the script's options

// A header that `#include` named, as it stands in the SourceMap.
struct IncludedHeader {
  uint32_t file = 0;
  std::string_view text;
  std::string path = {};
};
// `quoted`: `"x.h"`, not `<x.h>`; `from`: the file that includes it. Nothing when it is not found.
using HeaderFinder = std::function<std::optional<IncludedHeader>(const std::string& name, bool quoted, uint32_t from)>;

// A function of imported C, with types as the language writes them.
struct CFunction {
  struct Param {
    std::string name;
    std::string type;
  };
  std::string name;
  std::string result;
  std::vector<Param> params;
};

// Which probes take part: all but tests and benchmarks, or only those.
enum class RunMode : uint8_t { Trace, Test, Bench };

// What the user gave beside the script.
struct ScriptInput {
  std::vector<std::string> positional;  // $1 is [0]
  std::vector<NamedParameter> named = {};
  int pid = 0;          // -p
  std::string command;  // -c
  bool unsafe = false;
  std::vector<CFunction> c_functions = {};
  HeaderFinder find_header = nullptr;
  // What lines of `#include` and `#define` declare, read by a compiler of C.
  std::function<Result<HeaderDeclarations>(const std::string& text)> read_headers = nullptr;
  // Parses the text of a C macro; null when it is no expression. See parser/parser.h.
  std::function<Expr*(Ast& ast, const std::string& text, const Location& at)> parse_expression = nullptr;
  RunMode mode = RunMode::Trace;
  std::string probe_filter;  // a regular expression for the names of tests and benchmarks; empty: all
  // Looks an environment variable up, for configuration; may be empty. See stdlib/environment.h.
  std::function<const char*(const char* name)> environment = nullptr;
};

}  // namespace kawk
