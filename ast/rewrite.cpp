#include "ast/rewrite.h"

namespace kawk {
namespace {

// One overload per kind with children. Nodes are the Ast's and not const; VisitExpr only ever shows them as such.
struct Places {
  const Rewriter& rewriter;

  template <class T>
  void operator()(const T& node) const {
    Go(const_cast<T&>(node));
  }

 private:
  template <class T>
  void Go(T&) const {}  // leaves
  template <class T>
  void All(std::vector<T*>& list) const {
    for (T*& item : list) rewriter.Rewrite(item);
  }

  void Go(Index& e) const { rewriter.Rewrite(e.base), rewriter.Rewrite(e.index); }
  void Go(Member& e) const { rewriter.Rewrite(e.base); }
  void Go(Call& e) const { All(e.args); }
  void Go(Unary& e) const { rewriter.Rewrite(e.operand); }
  void Go(Binary& e) const { rewriter.Rewrite(e.left), rewriter.Rewrite(e.right); }
  void Go(Ternary& e) const { rewriter.Rewrite(e.condition), rewriter.Rewrite(e.then), rewriter.Rewrite(e.otherwise); }
  void Go(Cast& e) const { rewriter.Rewrite(e.type), rewriter.Rewrite(e.operand); }
  void Go(TupleExpr& e) const { All(e.elements); }
  void Go(RecordExpr& e) const { All(e.elements); }
  void Go(SizeOf& e) const { rewriter.Rewrite(e.type), rewriter.Rewrite(e.operand); }
  void Go(OffsetOf& e) const { rewriter.Rewrite(e.type), rewriter.Rewrite(e.operand); }
  void Go(TypeOf& e) const { rewriter.Rewrite(e.type), rewriter.Rewrite(e.operand); }
  void Go(BlockExpr& e) const { All(e.statements), rewriter.Rewrite(e.value); }

  void Go(ExprStmt& s) const { rewriter.Rewrite(s.expr); }
  void Go(Assign& s) const { rewriter.Rewrite(s.value), rewriter.Rewrite(s.target); }
  void Go(Discard& s) const { rewriter.Rewrite(s.expr); }
  void Go(Let& s) const { rewriter.Rewrite(s.type), rewriter.Rewrite(s.value); }
  void Go(If& s) const { rewriter.Rewrite(s.condition), rewriter.Rewrite(s.then), rewriter.Rewrite(s.otherwise); }
  void Go(While& s) const { rewriter.Rewrite(s.condition), rewriter.Rewrite(s.body); }
  void Go(ForRange& s) const { rewriter.Rewrite(s.from), rewriter.Rewrite(s.to), rewriter.Rewrite(s.body); }
  void Go(ForIn& s) const { rewriter.Rewrite(s.iterable), rewriter.Rewrite(s.body); }
  void Go(Unroll& s) const { rewriter.Rewrite(s.count), rewriter.Rewrite(s.body); }
  void Go(Return& s) const { rewriter.Rewrite(s.value); }
  void Go(Block& s) const { All(s.statements); }
};

}  // namespace

void Rewriter::Rewrite(Expr*& place) const {
  if (place == nullptr || !on_expr(place)) return;
  VisitExpr(*place, Places{*this});
}

void Rewriter::Rewrite(Stmt* stmt) const {
  if (stmt == nullptr) return;
  if (on_stmt) on_stmt(*stmt);
  VisitStmt(*stmt, Places{*this});
}

void Rewriter::Rewrite(TypeSpec* spec) const {
  for (; spec != nullptr; spec = spec->of_type) {
    if (on_type) on_type(*spec);
    Rewrite(spec->of_expr);
  }
}

}  // namespace kawk
