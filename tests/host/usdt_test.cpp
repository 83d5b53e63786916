#include "host/usdt.h"

#include <gtest/gtest.h>

namespace kawk {
namespace {

using Place = UsdtArgument::Place;

UsdtArgument One(const char* text) {
  const auto parsed = ParseUsdtArguments(text);
  EXPECT_TRUE(parsed && parsed->arguments.size() == 1) << text;
  return parsed && !parsed->arguments.empty() ? parsed->arguments[0] : UsdtArgument{};
}

TEST(UsdtArguments, Constants) {
  const UsdtArgument argument = One("-4@$-5");
  EXPECT_EQ(argument.place, Place::Constant);
  EXPECT_EQ(argument.size, 4u);
  EXPECT_TRUE(argument.is_signed);
  EXPECT_EQ(argument.value, -5);
}

TEST(UsdtArguments, Registers) {
  EXPECT_EQ(One("8@%rax").base, "rax");
  EXPECT_EQ(One("-4@%edi").base, "rdi");
  EXPECT_EQ(One("2@%r9w").base, "r9");
  EXPECT_EQ(One("1@%r10b").base, "r10");
  EXPECT_EQ(One("1@%sil").base, "rsi");
  const UsdtArgument high = One("1@%ah");
  EXPECT_EQ(high.base, "rax");
  EXPECT_EQ(high.shift, 8u);
}

TEST(UsdtArguments, Memory) {
  const UsdtArgument simple = One("8@-8(%rbp)");
  EXPECT_EQ(simple.place, Place::Memory);
  EXPECT_EQ(simple.base, "rbp");
  EXPECT_EQ(simple.value, -8);
  const UsdtArgument indexed = One("4@0x10(%rdi,%rcx,4)");
  EXPECT_EQ(indexed.index, "rcx");
  EXPECT_EQ(indexed.scale, 4u);
  EXPECT_EQ(indexed.value, 16);
  const UsdtArgument no_base = One("4@8(,%rcx,8)");
  EXPECT_EQ(no_base.base, "");
  EXPECT_EQ(no_base.index, "rcx");
}

TEST(UsdtArguments, Symbols) {
  const auto parsed = ParseUsdtArguments("-4@counter(%rip) 8@table+24(%rip)");
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->symbols.size(), 2u);
  EXPECT_EQ(parsed->symbols[0].name, "counter");
  EXPECT_EQ(parsed->symbols[1].name, "table");
  EXPECT_EQ(parsed->symbols[1].argument, 1u);
  EXPECT_EQ(parsed->arguments[1].value, 24);
}

TEST(UsdtArguments, FloatingPoint) {
  EXPECT_TRUE(One("8f@%xmm0").is_float);
  EXPECT_TRUE(One("8@%xmm1").is_float);
}

TEST(UsdtArguments, None) {
  const auto parsed = ParseUsdtArguments("");
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->arguments.empty());
}

TEST(UsdtArguments, Malformed) {
  for (const char* text : {"4", "4@", "@%eax", "3@%eax", "4@%foo", "4@8(%rax", "4@(%rax,%rbx,9)", "4@%eax,", "4@name", "x@y",
                           "4@name(%rax)", "1@$1 1@$1 1@$1 1@$1 1@$1 1@$1 1@$1 1@$1 1@$1 1@$1 1@$1 1@$1 1@$1"}) {
    EXPECT_FALSE(ParseUsdtArguments(text)) << text;
  }
}

}  // namespace
}  // namespace kawk
