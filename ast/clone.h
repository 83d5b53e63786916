// Copies of trees, with node ids of their own.
#pragma once

#include "ast/nodes.h"

namespace kawk {

Expr* CloneExpr(Ast& ast, const Expr* expr);  // null for null, here and below
Stmt* CloneStmt(Ast& ast, const Stmt* stmt);
Block* CloneBlock(Ast& ast, const Block* block);

}  // namespace kawk
