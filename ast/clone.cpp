// One overload per kind of node; a new kind does not compile until it has one.
#include "ast/clone.h"

namespace kawk {
namespace {

class Cloner {
 public:
  explicit Cloner(Ast& ast) : ast_(ast) {}

  Expr* Copy(const Expr* expr) {
    return expr == nullptr ? nullptr : VisitExpr(*expr, [this](const auto& node) -> Expr* { return Make(node); });
  }
  Stmt* Copy(const Stmt* stmt) {
    return stmt == nullptr ? nullptr : VisitStmt(*stmt, [this](const auto& node) -> Stmt* { return Make(node); });
  }
  Block* Copy(const Block* block) { return block == nullptr ? nullptr : Make(*block); }

 private:
  // A new node with the same fields; what it points to is still shared.
  template <class T>
  T* Shallow(const T& from) {
    T* to = ast_.New<T>(from.location);
    const NodeId id = to->id;
    *to = from;
    to->id = id;
    return to;
  }
  template <class T>
  void CopyAll(std::vector<T*>& list) {
    for (T*& item : list) item = Copy(item);
  }
  TypeSpec* Copy(const TypeSpec* spec) {
    if (spec == nullptr) return nullptr;
    TypeSpec* to = ast_.NewTypeSpec(spec->location);
    *to = *spec;
    to->of_expr = Copy(spec->of_expr);
    to->of_type = Copy(spec->of_type);
    return to;
  }

  IntLit* Make(const IntLit& e) { return Shallow(e); }
  BoolLit* Make(const BoolLit& e) { return Shallow(e); }
  StrLit* Make(const StrLit& e) { return Shallow(e); }
  Ident* Make(const Ident& e) { return Shallow(e); }
  ScratchVar* Make(const ScratchVar& e) { return Shallow(e); }
  MapRef* Make(const MapRef& e) { return Shallow(e); }
  Positional* Make(const Positional& e) { return Shallow(e); }
  Index* Make(const Index& e) {
    Index* to = Shallow(e);
    to->base = Copy(e.base);
    to->index = Copy(e.index);
    return to;
  }
  Member* Make(const Member& e) {
    Member* to = Shallow(e);
    to->base = Copy(e.base);
    return to;
  }
  Call* Make(const Call& e) {
    Call* to = Shallow(e);
    CopyAll(to->args);
    return to;
  }
  Unary* Make(const Unary& e) {
    Unary* to = Shallow(e);
    to->operand = Copy(e.operand);
    return to;
  }
  Binary* Make(const Binary& e) {
    Binary* to = Shallow(e);
    to->left = Copy(e.left);
    to->right = Copy(e.right);
    return to;
  }
  Ternary* Make(const Ternary& e) {
    Ternary* to = Shallow(e);
    to->condition = Copy(e.condition);
    to->then = Copy(e.then);
    to->otherwise = Copy(e.otherwise);
    return to;
  }
  Cast* Make(const Cast& e) {
    Cast* to = Shallow(e);
    to->type = Copy(e.type);
    to->operand = Copy(e.operand);
    return to;
  }
  TupleExpr* Make(const TupleExpr& e) {
    TupleExpr* to = Shallow(e);
    CopyAll(to->elements);
    return to;
  }
  RecordExpr* Make(const RecordExpr& e) {
    RecordExpr* to = Shallow(e);
    CopyAll(to->elements);
    return to;
  }
  // SizeOf, OffsetOf and TypeOf: a type or an operand.
  template <class T>
  T* MakeOfType(const T& e) {
    T* to = Shallow(e);
    to->type = Copy(e.type);
    to->operand = Copy(e.operand);
    return to;
  }
  SizeOf* Make(const SizeOf& e) { return MakeOfType(e); }
  OffsetOf* Make(const OffsetOf& e) { return MakeOfType(e); }
  TypeOf* Make(const TypeOf& e) { return MakeOfType(e); }
  BlockExpr* Make(const BlockExpr& e) {
    BlockExpr* to = Shallow(e);
    CopyAll(to->statements);
    to->value = Copy(e.value);
    return to;
  }

  ExprStmt* Make(const ExprStmt& s) {
    ExprStmt* to = Shallow(s);
    to->expr = Copy(s.expr);
    return to;
  }
  Assign* Make(const Assign& s) {
    Assign* to = Shallow(s);
    to->target = Copy(s.target);
    to->value = Copy(s.value);
    return to;
  }
  Discard* Make(const Discard& s) {
    Discard* to = Shallow(s);
    to->expr = Copy(s.expr);
    return to;
  }
  Let* Make(const Let& s) {
    Let* to = Shallow(s);
    to->type = Copy(s.type);
    to->value = Copy(s.value);
    return to;
  }
  If* Make(const If& s) {
    If* to = Shallow(s);
    to->condition = Copy(s.condition);
    to->then = Copy(s.then);
    to->otherwise = Copy(s.otherwise);
    return to;
  }
  While* Make(const While& s) {
    While* to = Shallow(s);
    to->condition = Copy(s.condition);
    to->body = Copy(s.body);
    return to;
  }
  ForRange* Make(const ForRange& s) {
    ForRange* to = Shallow(s);
    to->from = Copy(s.from);
    to->to = Copy(s.to);
    to->body = Copy(s.body);
    return to;
  }
  ForIn* Make(const ForIn& s) {
    ForIn* to = Shallow(s);
    to->iterable = Copy(s.iterable);
    to->body = Copy(s.body);
    return to;
  }
  Unroll* Make(const Unroll& s) {
    Unroll* to = Shallow(s);
    to->count = Copy(s.count);
    to->body = Copy(s.body);
    return to;
  }
  Break* Make(const Break& s) { return Shallow(s); }
  Continue* Make(const Continue& s) { return Shallow(s); }
  Return* Make(const Return& s) {
    Return* to = Shallow(s);
    to->value = Copy(s.value);
    return to;
  }
  Block* Make(const Block& s) {
    Block* to = Shallow(s);
    CopyAll(to->statements);
    return to;
  }

  Ast& ast_;
};

}  // namespace

Expr* CloneExpr(Ast& ast, const Expr* expr) { return Cloner(ast).Copy(expr); }
Stmt* CloneStmt(Ast& ast, const Stmt* stmt) { return Cloner(ast).Copy(stmt); }
Block* CloneBlock(Ast& ast, const Block* block) { return Cloner(ast).Copy(block); }

}  // namespace kawk
