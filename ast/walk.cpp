#include "ast/walk.h"

namespace kawk {
namespace {

// Calls `walker.Walk` for the children of a node of each kind.
struct Children {
  const Walker& walker;

  void operator()(const IntLit&) const {}
  void operator()(const BoolLit&) const {}
  void operator()(const StrLit&) const {}
  void operator()(const Ident&) const {}
  void operator()(const ScratchVar&) const {}
  void operator()(const MapRef&) const {}
  void operator()(const Positional&) const {}
  void operator()(const Index& e) const {
    walker.Walk(e.base);
    walker.Walk(e.index);
  }
  void operator()(const Member& e) const { walker.Walk(e.base); }
  void operator()(const Call& e) const {
    for (const Expr* arg : e.args) walker.Walk(arg);
  }
  void operator()(const Unary& e) const { walker.Walk(e.operand); }
  void operator()(const Binary& e) const {
    walker.Walk(e.left);
    walker.Walk(e.right);
  }
  void operator()(const Ternary& e) const {
    walker.Walk(e.condition);
    walker.Walk(e.then);
    walker.Walk(e.otherwise);
  }
  void operator()(const Cast& e) const {
    walker.Walk(e.type);
    walker.Walk(e.operand);
  }
  void operator()(const TupleExpr& e) const {
    for (const Expr* element : e.elements) walker.Walk(element);
  }
  void operator()(const RecordExpr& e) const {
    for (const Expr* element : e.elements) walker.Walk(element);
  }
  void operator()(const SizeOf& e) const {
    walker.Walk(e.type);
    walker.Walk(e.operand);
  }
  void operator()(const OffsetOf& e) const {
    walker.Walk(e.type);
    walker.Walk(e.operand);
  }
  void operator()(const TypeOf& e) const {
    walker.Walk(e.type);
    walker.Walk(e.operand);
  }
  void operator()(const BlockExpr& e) const {
    for (const Stmt* stmt : e.statements) walker.Walk(stmt);
    walker.Walk(e.value);
  }

  void operator()(const ExprStmt& s) const { walker.Walk(s.expr); }
  void operator()(const Assign& s) const {
    walker.Walk(s.value);
    walker.Walk(s.target);
  }
  void operator()(const Discard& s) const { walker.Walk(s.expr); }
  void operator()(const Let& s) const {
    walker.Walk(s.type);
    walker.Walk(s.value);
  }
  void operator()(const If& s) const {
    walker.Walk(s.condition);
    walker.Walk(s.then);
    walker.Walk(s.otherwise);
  }
  void operator()(const While& s) const {
    walker.Walk(s.condition);
    walker.Walk(s.body);
  }
  void operator()(const ForRange& s) const {
    walker.Walk(s.from);
    walker.Walk(s.to);
    walker.Walk(s.body);
  }
  void operator()(const ForIn& s) const {
    walker.Walk(s.iterable);
    walker.Walk(s.body);
  }
  void operator()(const Unroll& s) const {
    walker.Walk(s.count);
    walker.Walk(s.body);
  }
  void operator()(const Break&) const {}
  void operator()(const Continue&) const {}
  void operator()(const Return& s) const { walker.Walk(s.value); }
  void operator()(const Block& s) const {
    for (const Stmt* stmt : s.statements) walker.Walk(stmt);
  }
};

}  // namespace

void Walker::Walk(const Expr* expr) const {
  if (expr == nullptr) return;
  if (on_expr) on_expr(*expr);
  VisitExpr(*expr, Children{*this});
}

void Walker::Walk(const Stmt* stmt) const {
  if (stmt == nullptr) return;
  if (on_stmt) on_stmt(*stmt);
  VisitStmt(*stmt, Children{*this});
}

void Walker::Walk(const TypeSpec* spec) const {
  for (; spec != nullptr; spec = spec->of_type) Walk(spec->of_expr);
}

void Walker::Walk(const Probe& probe) const {
  Walk(probe.predicate);
  Walk(probe.body);
}

}  // namespace kawk
