// Any bytes at all: no crash, no hang, no tree too high to walk.
#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <sstream>
#include <vector>

#include "tests/parser/parse.h"

namespace kawk {
namespace {

std::string Repeat(std::string_view text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

std::string Tour() {
  std::ifstream in(KAWK_TEST_DATA "/tour.bt");
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// Parses and walks the tree; the checks are that it comes back.
void Survive(std::string text) {
  const Parsed parsed(std::move(text));
  Dump(*parsed.ast);
  parsed.diagnostics.Render(parsed.sources, true, false);
}

TEST(ParserLimits, NestedTooDeep) {
  constexpr int kMany = 100'000;
  const std::string cases[] = {
      "BEGIN { " + Repeat("(", kMany) + "1" + Repeat(")", kMany) + " }",
      "BEGIN " + Repeat("{", kMany),
      "BEGIN { " + Repeat("!", kMany) + "1 }",
      "BEGIN { 1" + Repeat(" + 1", kMany) + " }",
      "BEGIN { $x" + Repeat(".a", kMany) + " }",
      "BEGIN { " + Repeat("1 ? 2 : ", kMany) + "3 }",
      "BEGIN { if 1 { } " + Repeat("else if 1 { } ", kMany) + " }",
      "BEGIN { " + Repeat("(typeof(", kMany) + " }",
      "BEGIN { $x = " + Repeat("if 1 { 2 } else ", kMany) + "{ 3 } }",
  };
  for (const std::string& text : cases) {
    const Parsed parsed(text);
    ASSERT_EQ(parsed.diagnostics.all().size(), 1u) << text.substr(0, 40);
    EXPECT_EQ(parsed.diagnostics.all()[0].id, Diag::NestedTooDeep) << text.substr(0, 40);
    EXPECT_EQ(Dump(*parsed.ast), "");
  }
}

TEST(ParserLimits, NestedDeepEnough) {
  ParseScript("BEGIN { 1" + Repeat(" + 1", 450) + " }");
  ParseScript("BEGIN { " + Repeat("(", 450) + "1" + Repeat(")", 450) + " }");
  ParseScript("BEGIN { " + Repeat("if 1 { ", 200) + Repeat("}", 200) + " }");
}

TEST(ParserLimits, FewErrorsOfMany) {
  EXPECT_EQ(Parsed("BEGIN { " + Repeat("1 2; ", 1000) + " }").diagnostics.all().size(), 20u);
  EXPECT_LE(Parsed("BEGIN { " + Repeat("` ", 1000) + " }").diagnostics.all().size(), 21u);
}

TEST(ParserLimits, LongAndOdd) {
  constexpr int kMany = 10'000;
  for (const char* piece : {"(",  "[",    "{",    ")",        "]",     "}",     ";",          ",",         "/",        "\"",
                            "'",  "\\",   "#",    "$",        "@",     "a ",    "a,",         "/*",        "//",       "9",
                            "1e", "\r\n", "\xff", "\xc3\xa9", "for (", "else ", "struct a {", "kprobe:\"", "(typeof(", "'a"}) {
    Survive(Repeat(piece, kMany));
    Survive("BEGIN { " + Repeat(piece, kMany));
    Survive("BEGIN { print(\"" + Repeat(piece, kMany));
    Survive("kprobe:f / " + Repeat(piece, kMany));
  }
  Survive(std::string(kMany, '\0'));
  Survive("BEGIN { " + std::string(kMany, '\0') + " }");
}

TEST(ParserLimits, LineEndsAndMarks) {
  EXPECT_EQ(ParseScript("#define X 1\r\nBEGIN\r\n{\r\n  1;\r\n}\r\n"), "c `#define X 1`, probe BEGIN(int 1)");
  EXPECT_EQ(ParseScript("\xEF\xBB\xBF#!/usr/bin/kawk\nBEGIN { 1 }"), ParseScript("BEGIN { 1 }"));
  EXPECT_EQ(ParseScript(""), "");
  EXPECT_EQ(ParseErrors(std::string("BEGIN { 1\0 }", 12)), "1:10-11 unexpected character `\\x00`");
}

TEST(ParserLimits, Tour) { EXPECT_NE(ParseScript(Tour()), ""); }

// A fixed sequence of random mutations of a valid script.
TEST(ParserLimits, Mutations) {
  const std::string tour = Tour();
  const char* pieces[] = {"{",      "}",    "(",         ")",        "[", "]",   ";",     ",",     "/",       "\"",       "'",
                          "/*",     "*/",   "@",         "$",        "=", "if ", "else ", "BEGIN", "struct ", "typedef ", "#",
                          "macro ", "let ", "config = ", "(uint64)", "?", ":",   "..",    "\\",    "->"};
  std::mt19937 random(42);
  for (int round = 0; round < 2000; ++round) {
    std::string text = tour;
    for (unsigned changes = random() % 6 + 1; changes > 0; --changes) {
      const size_t at = random() % (text.size() + 1);
      switch (random() % 5) {
        case 0: text.insert(at, 1, static_cast<char>(random())); break;
        case 1: text.erase(at, random() % 20); break;
        case 2: text.insert(at, pieces[random() % std::size(pieces)]); break;
        case 3: text.insert(at, tour.substr(random() % tour.size(), random() % 100)); break;
        case 4:
          if (random() % 8 == 0) text.resize(at);
          break;
      }
    }
    Survive(std::move(text));
  }
}

}  // namespace
}  // namespace kawk
