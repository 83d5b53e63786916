// Wrong calls of every function of the registry, made from its row: with too few and too many arguments, with an argument of a
// class that a parameter does not take, where the function may not stand, and without --unsafe. Each must be told, by name.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <map>

#include "stdlib/registry.h"
#include "tests/ast/analysis.h"

namespace kawk {
namespace {

// An expression of each class, and the classes that it is of.
struct Sample {
  const char* text;
  uint16_t classes;
};
constexpr Sample kSamples[] = {
    {"3", kInt | kConstInt | kAny}, {"\"abc\"", kStr | kLiteral | kAny},       {"curtask", kPtr | kAny}, {"@m", kMap | kAny},
    {"kstack", kStack | kAny},      {"true", kBool | kInt | kConstInt | kAny}, {"(1, \"x\")", kAny},
};

const char* SampleOf(uint16_t classes) {
  for (const Sample& sample : kSamples) {
    if ((sample.classes & classes & ~uint16_t{kAny}) != 0) return sample.text;
  }
  return "3";
}

// What the parameter does not take; null: it takes anything.
const char* WrongFor(uint16_t classes) {
  if ((classes & (kAny | kType)) != 0) return nullptr;
  const char* wrong = nullptr;
  for (const Sample& sample : kSamples) {
    if ((sample.classes & classes) == 0) wrong = sample.text;
  }
  return wrong;
}

std::string Script(const FunctionRow& row, const std::vector<std::string>& args) {
  const std::string call = fmt::format("{}({})", row.name, fmt::join(args, ", "));
  const bool aggregate = row.effect == Effect::Aggregate;
  const bool value = ParseSignature(row.signature).result != "void";
  const char* probe = (row.flags & kOnlyKprobe) != 0 ? "kprobe:vfs_read" : "interval:1s";
  if ((row.flags & kNeedsTask) != 0) probe = "tracepoint:syscalls:sys_enter_openat";
  return fmt::format("BEGIN {{ @m[1] = 1; }} {} {{ {}{}; }}", probe, aggregate ? "@a = " : value ? "_ = " : "", call);
}

// Whether an error names the function.
bool IsTold(const FunctionRow& row, const std::string& script, Diag* which = nullptr) {
  const auto analysis = AnalyseScript(script);
  for (const Diagnostic& diagnostic : analysis->diagnostics.all()) {
    if (SeverityOf(diagnostic.id) != Severity::Error) continue;
    if (which != nullptr) *which = diagnostic.id;
    if (diagnostic.message.find(fmt::format("`{}`", row.name)) != std::string::npos) return true;
  }
  return false;
}

std::vector<std::string> GoodArguments(const Signature& signature, size_t count) {
  std::vector<std::string> args;
  for (size_t i = 0; i < count; ++i) args.emplace_back(i < signature.params.size() ? SampleOf(signature.params[i].classes) : "3");
  return args;
}

TEST(EveryCall, WrongNumberOfArguments) {
  for (const FunctionRow& row : AllFunctions()) {
    const Signature signature = ParseSignature(row.signature);
    size_t least = 0;
    for (const Param& param : signature.params) least += param.optional ? 0 : 1;
    if (least > 0) {
      const std::string few = Script(row, GoodArguments(signature, least - 1));
      EXPECT_TRUE(IsTold(row, few)) << few << "\n" << AnalyseScript(few)->Messages();
    }
    if (signature.variadic) continue;
    const std::string many = Script(row, GoodArguments(signature, signature.params.size() + 1));
    EXPECT_TRUE(IsTold(row, many)) << many << "\n" << AnalyseScript(many)->Messages();
  }
}

TEST(EveryCall, WrongKindOfArgument) {
  int tried = 0;
  for (const FunctionRow& row : AllFunctions()) {
    const Signature signature = ParseSignature(row.signature);
    for (size_t i = 0; i < signature.params.size(); ++i) {
      const char* wrong = WrongFor(signature.params[i].classes);
      if (wrong == nullptr) continue;
      std::vector<std::string> args = GoodArguments(signature, signature.params.size());
      args[i] = wrong;
      const std::string script = Script(row, args);
      EXPECT_TRUE(IsTold(row, script)) << script << "\n" << AnalyseScript(script)->Messages();
      ++tried;
    }
  }
  EXPECT_GT(tried, 60);
}

TEST(EveryCall, WrongPlace) {
  for (const FunctionRow& row : AllFunctions()) {
    if ((row.flags & (kNeedsRegisters | kNeedsTask | kOnlyKprobe)) == 0) continue;
    const Signature signature = ParseSignature(row.signature);
    const std::vector<std::string> args = GoodArguments(signature, signature.params.size());
    const std::string script = fmt::format("BEGIN {{ {}({}); }}", row.name, fmt::join(args, ", "));
    EXPECT_TRUE(IsTold(row, script)) << script << "\n" << AnalyseScript(script)->Messages();
  }
}

TEST(EveryCall, UnsafeWithoutTheFlag) {
  for (const FunctionRow& row : AllFunctions()) {
    if ((row.flags & kUnsafe) == 0) continue;
    const Signature signature = ParseSignature(row.signature);
    const std::string script = Script(row, GoodArguments(signature, signature.params.size()));
    Diag which{};
    EXPECT_TRUE(IsTold(row, script, &which)) << script;
    EXPECT_EQ(which, Diag::UnsafeFunction) << script << "\n" << AnalyseScript(script)->Messages();
  }
}

// Values stand alone: with something in parentheses that is none of their modes they are told, too.
TEST(EveryCall, ValuesTakeNoArguments) {
  for (const BuiltinRow& row : AllBuiltins()) {
    if (row.name.find('(') != std::string_view::npos) continue;
    const std::string script = fmt::format("BEGIN {{ print({}(1, 2, 3)); }}", row.name);
    EXPECT_TRUE(AnalyseScript(script)->diagnostics.has_errors()) << script;
  }
}

}  // namespace
}  // namespace kawk
