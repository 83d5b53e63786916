// Walks every expression and statement below a node, parents first. For passes that look for something; those that
// compute something per kind use VisitExpr and VisitStmt.
#pragma once

#include <functional>

#include "ast/nodes.h"

namespace kawk {

struct Walker {
  std::function<void(const Expr&)> on_expr = nullptr;
  std::function<void(const Stmt&)> on_stmt = nullptr;

  void Walk(const Expr* expr) const;  // null is skipped, here and below
  void Walk(const Stmt* stmt) const;
  void Walk(const TypeSpec* spec) const;
  void Walk(const Probe& probe) const;
};

}  // namespace kawk
