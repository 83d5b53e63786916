// The registries: every row is well formed and found by each of its names.
#include "stdlib/registry.h"

#include <gtest/gtest.h>

#include <set>

#include "stdlib/perf_events.h"

namespace kawk {
namespace {

TEST(Registry, EveryFunctionIsFoundAndParses) {
  for (const FunctionRow& row : AllFunctions()) {
    SCOPED_TRACE(row.name);
    ASSERT_EQ(FindFunction(row.name), &row);
    EXPECT_EQ(Row(row.id).name, row.name);
    EXPECT_FALSE(row.doc.empty());
    const Signature signature = ParseSignature(row.signature);
    EXPECT_FALSE(signature.result.empty());
    for (const Param& param : signature.params) EXPECT_NE(param.classes, 0) << param.name;
  }
  EXPECT_EQ(FindFunction("no_such_function"), nullptr);
  EXPECT_EQ(FindFunction(""), nullptr);
}

TEST(Registry, EveryBuiltinIsFound) {
  for (const BuiltinRow& row : AllBuiltins()) {
    SCOPED_TRACE(row.name);
    ASSERT_EQ(FindBuiltin(row.name), &row);
    EXPECT_EQ(Row(row.id).name, row.name);
    EXPECT_FALSE(row.type.empty());
    EXPECT_FALSE(row.doc.empty());
    EXPECT_NE(row.probes, 0u);
  }
  EXPECT_EQ(FindBuiltin("nosuch"), nullptr);
}

TEST(Registry, EveryProbeIsFoundByNameAndAlias) {
  for (const ProbeRow& row : AllProbes()) {
    SCOPED_TRACE(row.name);
    ASSERT_EQ(FindProbe(row.name), &row);
    EXPECT_EQ(Row(row.kind).name, row.name);
    EXPECT_FALSE(row.syntax.empty());
    EXPECT_FALSE(row.doc.empty());
  }
  EXPECT_EQ(FindProbe("t")->kind, ProbeKind::Tracepoint);
  EXPECT_EQ(FindProbe("begin")->kind, ProbeKind::Begin);
  EXPECT_EQ(FindProbe("ur")->kind, ProbeKind::Uretprobe);
  EXPECT_EQ(FindProbe("nosuch"), nullptr);
}

TEST(Registry, ConfigKeysAreUnique) {
  std::set<std::string_view> names;
  for (const ConfigRow& row : AllConfigKeys()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_FALSE(row.doc.empty()) << row.name;
  }
}

// "name:classes" per parameter, `?` behind optional ones, then the tail and the result.
std::string Dump(const Signature& signature) {
  std::string text;
  for (const Param& param : signature.params) {
    text += param.name + ":" + std::to_string(param.classes) + (param.optional ? "? " : " ");
  }
  return text + (signature.variadic ? "... " : "") + "-> " + signature.result;
}

TEST(Signature, Table) {
  const struct {
    const char* text;
    const char* dump;
  } table[] = {
      {"() auto", "-> auto"},
      {"(n: int) uint64", "n:1 -> uint64"},
      {"(format: literal, ...any) void", "format:8 ... -> void"},
      {"(...any) void", "... -> void"},
      {"(value: map|any, [top: const_int], [div: const_int]) void", "value:320 top:2? div:2? -> void"},
      {"( a : ptr | int | str , [ b : stack ] ) string[16]", "a:37 b:128? -> string[16]"},
      {"(t: type, b: bool) uint8[6]", "t:512 b:16 -> uint8[6]"},
  };
  for (const auto& row : table) EXPECT_EQ(Dump(ParseSignature(row.text)), row.dump) << row.text;
}

TEST(SignatureDeathTest, MalformedRowsAreOurBugs) {
  const char* table[] = {
      "",
      "()",
      "(",
      "(a) void",
      "(a:) void",
      "(a: integer) void",
      "(a: int|int) void",
      "(a: int, a: int) void",
      "(a: int,) void",
      "([a: int], b: int) void",
      "([a: int) void",
      "(...any, a: int) void",
      "(...int) void",
      "(a: int) void ",
      "a: int",
  };
  for (const char* text : table) EXPECT_DEATH(ParseSignature(text), "") << text;
}

TEST(PerfEvents, NamesAndAliases) {
  std::set<std::pair<PerfEventType, std::string_view>> seen;
  for (PerfEventType type : {PerfEventType::Software, PerfEventType::Hardware}) {
    for (std::string_view name : PerfEventNames(type)) {
      EXPECT_TRUE(seen.insert({type, name}).second) << name;
      ASSERT_NE(FindPerfEvent(type, name), nullptr) << name;
    }
  }
  EXPECT_EQ(FindPerfEvent(PerfEventType::Software, "cs")->name, "context-switches");
  EXPECT_EQ(FindPerfEvent(PerfEventType::Software, "faults")->default_count, 100u);
  EXPECT_EQ(FindPerfEvent(PerfEventType::Hardware, "cycles")->config, 0u);
  EXPECT_EQ(FindPerfEvent(PerfEventType::Hardware, "cs"), nullptr);
  EXPECT_EQ(FindPerfEvent(PerfEventType::Software, ""), nullptr);
}

}  // namespace
}  // namespace kawk
