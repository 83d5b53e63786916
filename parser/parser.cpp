#include "parser/parser.h"

#include "ast/clone.h"
#include "ast/rewrite.h"
#include "parser/builder.h"
#include "parser/grammar.h"
#include "parser/token_source.h"

namespace kawk {

std::unique_ptr<Ast> Parse(const SourceMap& sources, uint32_t file, Diagnostics& diagnostics) {
  auto ast = std::make_unique<Ast>();
  TokenSource tokens(sources.text(file), file, diagnostics);
  Builder build(*ast, tokens);
  Grammar(tokens, build).parse();
  // What was built may be too high even to be dumped.
  if (tokens.too_deep()) return std::make_unique<Ast>();
  return ast;
}

Expr* ParseExpression(Ast& ast, const std::string& text, const Location& at) {
  SourceMap sources;
  Diagnostics diagnostics;
  const uint32_t file = sources.Add("expression", "begin { _ = " + text + "\n; }");
  std::unique_ptr<Ast> whole = Parse(sources, file, diagnostics);
  const bool one = !diagnostics.has_errors() && whole->probes.size() == 1 && whole->probes[0].body->statements.size() == 1;
  const Discard* statement = one ? As<Discard>(whole->probes[0].body->statements[0]) : nullptr;
  if (statement == nullptr) return nullptr;
  Expr* expr = CloneExpr(ast, statement->expr);
  Rewriter place;
  place.on_expr = [&](Expr*& node) {
    node->location = at;
    if (Call* call = As<Call>(node)) call->name_location = at;
    if (Member* member = As<Member>(node)) member->name_location = at;
    if (Binary* binary = As<Binary>(node)) binary->op_location = at;
    if (Cast* cast = As<Cast>(node)) cast->type->location = at;
    return true;
  };
  place.on_stmt = [&](Stmt& node) { node.location = at; };
  place.Rewrite(expr);
  return expr;
}

}  // namespace kawk
