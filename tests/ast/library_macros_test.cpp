// The macros of library.bt: each form is a block, its parameters are those of the signature, and it calls functions only.
#include <gtest/gtest.h>

#include <set>

#include "ast/rewrite.h"
#include "tests/ast/analysis.h"

namespace kawk {
namespace {

TEST(LibraryMacros, EveryFormParsesAndFitsItsSignature) {
  for (const LibraryMacro& macro : AllLibraryMacros()) {
    SCOPED_TRACE(macro.name);
    EXPECT_EQ(FindFunction(macro.name), nullptr);
    EXPECT_EQ(FindBuiltin(macro.name), nullptr);
    const Signature signature = ParseSignature(macro.signature);
    std::set<size_t> counts, allowed;
    for (size_t i = 0; i <= signature.params.size(); ++i) {
      if (i == signature.params.size() || signature.params[i].optional) allowed.insert(i);
    }
    for (const LibraryMacro::Form& form : macro.forms) {
      counts.insert(form.params.size());
      for (size_t i = 0; i < form.params.size(); ++i) EXPECT_EQ(form.params[i], signature.params[i].name);
      Ast ast;
      Expr* body = ParseExpression(ast, std::string(form.body), Location{0, {7, 3}, {7, 9}});
      ASSERT_NE(As<BlockExpr>(body), nullptr) << form.body;
      Rewriter look;
      look.on_expr = [&](Expr*& place) {
        EXPECT_EQ(place->location.begin.line, 7u);
        if (const Call* call = As<Call>(place)) {
          EXPECT_NE(FindFunction(call->name), nullptr) << call->name;
        }
        return true;
      };
      look.Rewrite(body);
    }
    EXPECT_EQ(counts, allowed);
    EXPECT_EQ(counts.size(), macro.forms.size());
  }
}

TEST(LibraryMacros, AMacroOfTheScriptBeatsTheLibrarys) {
  const auto analysis = AnalyseScript(
      "macro is_err(a) { a == 5 } macro pcomm(a, b) { a + b } BEGIN { print(is_err(5)); print(pcomm(1, 2)); print(pcomm); }");
  EXPECT_EQ(analysis->Messages(), "");
  // Where none of its forms fits, the library's do.
  EXPECT_NE(AnalyseScript("macro pcomm(a, b) { a + b } BEGIN { print(pcomm(1, 2, 3)); }")->Messages().find("at most 1 argument"),
            std::string::npos);
  // A library macro's body calls functions, not what the script calls so.
  EXPECT_EQ(AnalyseScript("macro errorf(a, b) { 5 } BEGIN { assert(1 == 1, \"message\"); }")->Messages(), "");
}

}  // namespace
}  // namespace kawk
