// Constant expressions: value and type of `$a = EXPR`.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/ast/analysis.h"

namespace kawk {
namespace {

std::string Folded(const std::string& expr) {
  const auto analysis = AnalyseScript("BEGIN { $a = " + expr + "; }");
  if (analysis->diagnostics.has_errors()) return std::string(NameOf(analysis->diagnostics.all()[0].id));
  const Assign* assign = As<Assign>(analysis->ast->probes[0].body->statements[0]);
  const ExprInfo& info = analysis->typed.Info(assign->value);
  if (info.string) return fmt::format("\"{}\" {}", *info.string, ToString(info.type));
  if (!info.integer) return ToString(info.type);
  if (info.type->is_signed) return fmt::format("{} {}", static_cast<int64_t>(*info.integer), ToString(info.type));
  return fmt::format("{} {}", *info.integer, ToString(info.type));
}

TEST(Fold, Table) {
  const std::pair<const char*, const char*> rows[] = {
      {"1 + 2", "3 int8"},
      {"127 + 1", "128 int16"},
      {"1 - 2", "-1 int8"},
      {"100 * 100", "10000 int16"},
      {"-5 / 2", "-2 int8"},
      {"-5 % 3", "-2 int8"},
      {"1 << 40", "1099511627776 int64"},
      {"-1 >> 1", "-1 int8"},
      {"-1 & 3", "3 int8"},
      {"5 | -1", "-1 int8"},
      {"~5", "18446744073709551610 uint64"},
      {"-(-5)", "5 int8"},
      {"!5", "0 bool"},
      {"1 < -1", "0 bool"},
      {"18446744073709551615 > -1", "1 bool"},
      {"1 && 0", "0 bool"},
      {"3 ? 4 : 500", "4 int8"},
      {"9223372036854775807 + 1", "9223372036854775808 uint64"},
      {"-9223372036854775808", "-9223372036854775808 int64"},
      {"\"a\" + \"b\"", "\"ab\" string[3]"},
      {"\"a\" == \"a\"", "1 bool"},
      {"(uint8)300", "44 uint8"},
      {"(int8)200", "-56 int8"},
      {"(bool)7", "1 bool"},
      {"pid + 1", "uint64"},
      {"18446744073709551615 + 1", "FoldOverflow"},
      {"1 - 18446744073709551615", "FoldOverflow"},
      {"9223372036854775807 * 4", "FoldOverflow"},
      {"-9223372036854775808 - 1", "FoldOverflow"},
      {"1 / 0", "DivisionByZero"},
      {"1 % 0", "DivisionByZero"},
      {"1 << 64", "ShiftOutOfRange"},
      {"1 >> -1", "ShiftOutOfRange"},
      {"pid / 0", "uint64"},
  };
  for (const auto& [expr, expected] : rows) EXPECT_EQ(Folded(expr), expected) << expr;
}

// Constants in an operation have the other side's type, so that codegen compares like with like.
TEST(Fold, ConstantsAdapt) {
  const auto analysis = AnalyseScript("BEGIN { $a = nsecs < 1; }");
  const Assign* assign = As<Assign>(analysis->ast->probes[0].body->statements[0]);
  const Binary* less = As<Binary>(assign->value);
  EXPECT_EQ(ToString(analysis->typed.TypeOf(less->right)), "uint64");
  EXPECT_EQ(ToString(analysis->typed.Info(less).operands), "uint64");
}

}  // namespace
}  // namespace kawk
