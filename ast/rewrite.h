// Walks a tree that may be changed on the way: every place that holds an expression is handed out, so that another one can
// be put there.
#pragma once

#include <functional>

#include "ast/nodes.h"

namespace kawk {

struct Rewriter {
  // Called before the children; false leaves them out.
  std::function<bool(Expr*& place)> on_expr;
  std::function<void(Stmt& stmt)> on_stmt = nullptr;
  std::function<void(TypeSpec& spec)> on_type = nullptr;

  void Rewrite(Expr*& place) const;  // null is skipped, here and below
  void Rewrite(Stmt* stmt) const;
  void Rewrite(TypeSpec* spec) const;
};

}  // namespace kawk
