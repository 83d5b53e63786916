// The syntax tree: plain structs in an arena, each with a dense id (for side tables) and its span. The parser builds
// it through Ast::New; after parsing only desugaring passes change it. Nothing here knows types or the machine.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/location.h"

namespace kawk {

enum class NodeKind : uint8_t {
#define EXPR(kind) kind,
#define STMT(kind) kind,
#include "ast/nodes.def"
};

struct NodeId {
  uint32_t value = 0;
  bool operator==(const NodeId&) const = default;
};

struct Node {
  virtual ~Node() = default;
  NodeKind kind;
  NodeId id;
  Location location;
};

struct Expr : Node {};
struct Stmt : Node {};
struct Block;

// `node` as a T, or null when it is of another kind (or null itself).
template <class T>
T* As(Node* node) {
  return node != nullptr && node->kind == T::kKind ? static_cast<T*>(node) : nullptr;
}
template <class T>
const T* As(const Node* node) {
  return node != nullptr && node->kind == T::kKind ? static_cast<const T*>(node) : nullptr;
}

// A type as written: `uint8`, `struct task_struct *`, `int32[4]*`, `string[64]`, `typeof($x)`. Postfixes apply left to right.
struct TypeSpec {
  struct Postfix {
    enum Kind : uint8_t { Pointer, Array } kind;
    uint64_t size = 0;  // Array: elements; `[]` leaves it 0 with inferred = true
    bool inferred = false;
  };
  Location location;
  std::string name;             // "uint8", "struct foo", "union u", "enum e", "unsigned long", a typedef; empty for typeof
  Expr* of_expr = nullptr;      // typeof(expr)
  TypeSpec* of_type = nullptr;  // typeof(type)
  std::vector<Postfix> postfixes;
};

enum class UnaryOp : uint8_t { Not, BitNot, Minus, Plus, Deref, AddressOf, PreInc, PreDec, PostInc, PostDec };
enum class BinaryOp : uint8_t { Add, Sub, Mul, Div, Mod, BitAnd, BitOr, BitXor, Shl, Shr, And, Or, Eq, Ne, Lt, Le, Gt, Ge };
// As written: "!", "++", "<<", …
const char* Spelling(UnaryOp op);
const char* Spelling(BinaryOp op);

#define NODE(kind) static constexpr NodeKind kKind = NodeKind::kind

struct IntLit : Expr {
  NODE(IntLit);
  uint64_t value = 0;  // as written, never negative: `-1` is Unary(Minus, 1)
};
struct BoolLit : Expr {
  NODE(BoolLit);
  bool value = false;
};
struct StrLit : Expr {
  NODE(StrLit);
  std::string value;  // unescaped bytes
};
// A bare name: builtin value, enum constant, #define or zero-argument macro. The resolver decides.
struct Ident : Expr {
  NODE(Ident);
  std::string name;
};
struct ScratchVar : Expr {
  NODE(ScratchVar);
  std::string name;  // with the `$`
};
struct MapRef : Expr {
  NODE(MapRef);
  std::string name;  // with the `@`; the bare map is "@"
};
struct Positional : Expr {
  NODE(Positional);
  uint32_t index = 0;  // 1 for `$1`; 0 for `$#`
};
// `base[index]`. `@m[a, b]` has a TupleExpr as its index.
struct Index : Expr {
  NODE(Index);
  Expr* base = nullptr;
  Expr* index = nullptr;
};
// `base.name`, `base->name`; a tuple's `.0` has the digits as its name.
struct Member : Expr {
  NODE(Member);
  Expr* base = nullptr;
  std::string name;
  Location name_location;
  bool arrow = false;
};
struct Call : Expr {
  NODE(Call);
  std::string name;
  Location name_location;
  std::vector<Expr*> args;
};
struct Unary : Expr {
  NODE(Unary);
  UnaryOp op = UnaryOp::Not;
  Expr* operand = nullptr;
};
struct Binary : Expr {
  NODE(Binary);
  BinaryOp op = BinaryOp::Add;
  Location op_location;
  Expr* left = nullptr;
  Expr* right = nullptr;
};
// `condition ? then : otherwise`; `a ?: b` has a null `then`. `if c { a } else { b }` as a value is one, too.
struct Ternary : Expr {
  NODE(Ternary);
  Expr* condition = nullptr;
  Expr* then = nullptr;
  Expr* otherwise = nullptr;
};
struct Cast : Expr {
  NODE(Cast);
  TypeSpec* type = nullptr;
  Expr* operand = nullptr;
};
// `(a, b)`, `(a,)`, `()`.
struct TupleExpr : Expr {
  NODE(TupleExpr);
  std::vector<Expr*> elements;
};
// `(name=expr, …)`.
struct RecordExpr : Expr {
  NODE(RecordExpr);
  std::vector<std::string> names;
  std::vector<Expr*> elements;
};
// Exactly one of type and operand is set, here and in OffsetOf and TypeOf. A bare name that need not be a type by its
// looks (`sizeof(foo)`, `sizeof(foo[4])`) is an Ident or Index operand; the resolver decides.
struct SizeOf : Expr {
  NODE(SizeOf);
  TypeSpec* type = nullptr;
  Expr* operand = nullptr;
};
struct OffsetOf : Expr {
  NODE(OffsetOf);
  TypeSpec* type = nullptr;
  Expr* operand = nullptr;
  std::vector<std::string> path;
};
// typeof(…) as an argument of a macro or function that takes a type.
struct TypeOf : Expr {
  NODE(TypeOf);
  TypeSpec* type = nullptr;
  Expr* operand = nullptr;
};
// `{ statements; value }`; value is null when the last statement ends with `;`.
struct BlockExpr : Expr {
  NODE(BlockExpr);
  const Call* library = nullptr;  // the call of a library macro whose body this is
  std::vector<Stmt*> statements;
  Expr* value = nullptr;
};

struct ExprStmt : Stmt {
  NODE(ExprStmt);
  Expr* expr = nullptr;
};
// `target = value` or, with compound set, `target op= value`.
struct Assign : Stmt {
  NODE(Assign);
  Expr* target = nullptr;  // ScratchVar, MapRef or Index of a MapRef when well-formed; else the checker complains
  Expr* value = nullptr;
  bool compound = false;
  BinaryOp op = BinaryOp::Add;
};
struct Discard : Stmt {
  NODE(Discard);
  Expr* expr = nullptr;
};
struct Let : Stmt {
  NODE(Let);
  std::string name;  // with the `$`
  Location name_location;
  TypeSpec* type = nullptr;  // may be null
  Expr* value = nullptr;     // may be null
};
struct If : Stmt {
  NODE(If);
  Expr* condition = nullptr;
  Block* then = nullptr;
  Stmt* otherwise = nullptr;  // Block, If or null
};
struct While : Stmt {
  NODE(While);
  Expr* condition = nullptr;
  Block* body = nullptr;
};
struct ForRange : Stmt {
  NODE(ForRange);
  std::string variable;  // with the `$`
  Location variable_location;
  Expr* from = nullptr;
  Expr* to = nullptr;
  Block* body = nullptr;
};
struct ForIn : Stmt {
  NODE(ForIn);
  std::string variable;
  Location variable_location;
  Expr* iterable = nullptr;
  Block* body = nullptr;
};
struct Unroll : Stmt {
  NODE(Unroll);
  Expr* count = nullptr;
  Block* body = nullptr;
};
struct Break : Stmt {
  NODE(Break);
};
struct Continue : Stmt {
  NODE(Continue);
};
struct Return : Stmt {
  NODE(Return);
  Expr* value = nullptr;  // may be null
};
struct Block : Stmt {
  NODE(Block);
  std::vector<Stmt*> statements;
};
#undef NODE

// An attach point as written; ast/attach_point.h parses it.
struct AttachPointText {
  Location location;
  std::string text;
  std::string name;  // `name=` in front, or empty
};
struct Probe {
  Location location;
  std::vector<AttachPointText> attach_points;
  Expr* predicate = nullptr;  // may be null
  Block* body = nullptr;
};
struct MacroParam {
  enum Kind : uint8_t { Variable, Expression, Map } kind;
  std::string name;  // "$v", "e" or "@m"
  Location location;
};
struct Macro {
  Location location;
  std::string name;
  std::vector<MacroParam> params;
  BlockExpr* body = nullptr;
};
// `let @m = hash(100);`
struct MapDecl {
  Location location;
  std::string name;
  std::string map_type;
  Location map_type_location;
  Expr* max_entries = nullptr;
};
struct ConfigEntry {
  Location location;
  std::string key;
  Location value_location;
  std::string value;  // as text: digits, a bare word or the string's bytes
};
struct Import {
  Location location;
  std::string path;
};
// One C definition or preprocessor line, verbatim.
struct CDefinition {
  Location location;
  std::string text;
  bool optional = false;  // of a header: what is not understood is left out
};

// A parsed script. Owns every node.
class Ast {
 public:
  template <class T>
  T* New(const Location& location) {
    auto node = std::make_unique<T>();
    T* raw = node.get();
    raw->kind = T::kKind;
    raw->id = NodeId{static_cast<uint32_t>(nodes_.size())};
    raw->location = location;
    nodes_.push_back(std::move(node));
    return raw;
  }
  TypeSpec* NewTypeSpec(const Location& location) {
    type_specs_.push_back(std::make_unique<TypeSpec>());
    type_specs_.back()->location = location;
    return type_specs_.back().get();
  }
  // Takes over another tree's nodes, with new ids; the lists below are the caller's to move.
  void AdoptNodes(Ast other) {
    for (std::unique_ptr<Node>& node : other.nodes_) {
      node->id = NodeId{static_cast<uint32_t>(nodes_.size())};
      nodes_.push_back(std::move(node));
    }
    for (std::unique_ptr<TypeSpec>& spec : other.type_specs_) type_specs_.push_back(std::move(spec));
  }
  // How many node ids exist: the size of a side table.
  uint32_t node_count() const { return static_cast<uint32_t>(nodes_.size()); }

  std::vector<CDefinition> c_definitions;
  std::vector<ConfigEntry> config;
  std::vector<Import> imports;
  std::vector<Import> c_sources;  // imported .bpf.c files, by their whole paths
  std::vector<MapDecl> map_decls;
  std::vector<Macro> macros;
  std::vector<Probe> probes;

 private:
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<std::unique_ptr<TypeSpec>> type_specs_;
};

// Calls `visitor(const Kind&)` for the node's own kind and returns what it returns. A visitor without an overload for
// some kind does not compile.
template <class Visitor>
decltype(auto) VisitExpr(const Expr& expr, Visitor&& visitor) {
  switch (expr.kind) {
#define EXPR(kind) \
  case NodeKind::kind: return visitor(static_cast<const kind&>(expr));
#include "ast/nodes.def"
    default: break;
  }
  UNREACHABLE("not an expression");
}
template <class Visitor>
decltype(auto) VisitStmt(const Stmt& stmt, Visitor&& visitor) {
  switch (stmt.kind) {
#define STMT(kind) \
  case NodeKind::kind: return visitor(static_cast<const kind&>(stmt));
#include "ast/nodes.def"
    default: break;
  }
  UNREACHABLE("not a statement");
}

// The tree in an indented form, one node a line; `annotate` (may be null) adds text behind an expression (`-d types`).
std::string Dump(const Ast& ast, const std::function<std::string(const Expr&)>& annotate = nullptr);

}  // namespace kawk
