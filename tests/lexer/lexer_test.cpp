// {input, tokens}: `KIND text` per token, separated by two spaces, without the end of the file.
#include "lexer/lexer.h"

#include <gtest/gtest.h>

#include <string>

#include "lexer/literals.h"

namespace kawk {
namespace {

constexpr const char* kNames[] = {
#define TOKEN(id, description) #id,
#include "lexer/tokens.def"
};

std::string Lex(std::string_view text) {
  Diagnostics diagnostics;
  Lexer lexer(text, 0, diagnostics);
  std::string out;
  for (Token token = lexer.Next(); token.kind != TokenKind::END_OF_FILE; token = lexer.Next()) {
    out += out.empty() ? "" : "  ";
    out += kNames[static_cast<size_t>(token.kind)];
    switch (token.kind) {
      case TokenKind::IDENT:
      case TokenKind::STRING:
      case TokenKind::SCRATCH:
      case TokenKind::MAP:
      case TokenKind::ATTACH_POINT:
      case TokenKind::PROBE_NAME:
      case TokenKind::C_DEFINITION: out += ' ' + token.text; break;
      case TokenKind::INTEGER:
      case TokenKind::POSITIONAL: out += fmt::format(" {}", token.integer); break;
      default: break;
    }
  }
  return out;
}

struct LexCase {
  const char* input;
  const char* tokens;
};

constexpr LexCase kRoot[] = {
    {"", ""},
    {" // c\n/* d\n */ ", ""},
    {"BEGIN", "ATTACH_POINT BEGIN"},
    {"kprobe:f,k:g", "ATTACH_POINT kprobe:f  COMMA  ATTACH_POINT k:g"},
    {"u:/x:cpp:\"a b\",U:*:*{", "ATTACH_POINT u:/x:cpp:\"a b\"  COMMA  ATTACH_POINT U:*:*  LBRACE"},
    {"n=k:f x = k:g", "PROBE_NAME n  ATTACH_POINT k:f  PROBE_NAME x  ATTACH_POINT k:g"},
    {"BEGIN/1/{", "ATTACH_POINT BEGIN  PREDICATE_OPEN  INTEGER 1  PREDICATE_CLOSE  LBRACE"},
    {"k:f/1/{", "ATTACH_POINT k:f/1/  LBRACE"},
    {"k:f /a / 2/ // c\n{", "ATTACH_POINT k:f  PREDICATE_OPEN  IDENT a  SLASH  INTEGER 2  PREDICATE_CLOSE  LBRACE"},
    {"config = { a = b }", "CONFIG  ASSIGN  LBRACE  IDENT a  ASSIGN  IDENT b  RBRACE"},
    {"config:x", "ATTACH_POINT config:x"},
    {"import \"a\" macro f(", "IMPORT  STRING a  MACRO  IDENT f  LPAREN"},
    {"let @m = hash(1); let", "LET_MAP  MAP @m  ASSIGN  IDENT hash  LPAREN  INTEGER 1  RPAREN  SEMICOLON  LET_MAP"},
    {"struct a { int x; } b:c", "C_DEFINITION struct a { int x; };  ATTACH_POINT b:c"},
    {"#define A \\\n B\nk:f", "C_DEFINITION #define A \\\n B  ATTACH_POINT k:f"},
    {"structure:x", "ATTACH_POINT structure:x"},
};

TEST(Lexer, Root) {
  for (const LexCase& c : kRoot) EXPECT_EQ(Lex(c.input), c.tokens) << c.input;
}

constexpr LexCase kCode[] = {
    {"1 1..2 $x.0.1 a.if",
     "INTEGER 1  INTEGER 1  DOT_DOT  INTEGER 2  SCRATCH $x  DOT  INTEGER 0  DOT  INTEGER 0  IDENT a  DOT  IDENT if"},
    {"$x $1 $# @ @y", "SCRATCH $x  POSITIONAL 1  POSITIONAL 0  MAP @  MAP @y"},
    {"'a' '\\'' \"a\\\"b\"", "INTEGER 97  INTEGER 39  STRING a\"b"},
    {"a->b --c -d", "IDENT a  ARROW  IDENT b  DECREMENT  IDENT c  MINUS  IDENT d"},
    {"<<= << <= <", "SHL_ASSIGN  SHL  LE  LT"},
    {"if iff struct if", "IF  IDENT iff  STRUCT  IDENT if"},
    {"(a)1; (a)-1; (u8)-1; f(a)(1)",
     "CAST_OPEN  IDENT a  RPAREN  INTEGER 1  SEMICOLON  LPAREN  IDENT a  RPAREN  MINUS  INTEGER 1  SEMICOLON  CAST_OPEN  IDENT "
     "u8  "
     "RPAREN  MINUS  INTEGER 1  SEMICOLON  IDENT f  LPAREN  IDENT a  RPAREN  LPAREN  INTEGER 1  RPAREN"},
    {"sizeof(u8) sizeof(x)", "SIZEOF  TYPE_OPEN  IDENT u8  RPAREN  SIZEOF  LPAREN  IDENT x  RPAREN"},
    {"= { 1 } { 2 }", "ASSIGN  BLOCK_OPEN  INTEGER 1  RBRACE  LBRACE  INTEGER 2  RBRACE"},
    {"= if; if", "ASSIGN  IF_VALUE  SEMICOLON  IF"},
    {"a / b { / c", "IDENT a  SLASH  IDENT b  LBRACE  SLASH  IDENT c"},
    {"` \x01\x02 é", "INVALID  INVALID  INVALID"},
};

TEST(Lexer, Code) {
  for (const LexCase& c : kCode) {
    EXPECT_EQ(Lex(std::string("BEGIN{") + c.input), std::string("ATTACH_POINT BEGIN  LBRACE  ") + c.tokens) << c.input;
  }
}

TEST(Lexer, Locations) {
  Diagnostics diagnostics;
  Lexer lexer("k:f\r\n{ /* x\n */ \"a\\n\"\n  é $x", 3, diagnostics);
  const Location expected[] = {
      {3, {1, 1}, {1, 4}}, {3, {2, 1}, {2, 2}}, {3, {3, 5}, {3, 10}},  // attach point, brace, string
      {3, {4, 3}, {4, 5}}, {3, {4, 6}, {4, 8}}, {3, {4, 8}, {4, 8}},   // é, $x, end
  };
  for (const Location& location : expected) EXPECT_EQ(lexer.Next().location, location);
  EXPECT_EQ(lexer.Next().kind, TokenKind::END_OF_FILE);
}

struct IntegerCase {
  const char* text;
  IntegerError error;
  uint64_t value;
};

constexpr IntegerCase kIntegers[] = {
    {"0", IntegerError::None, 0},
    {"017", IntegerError::None, 15},
    {"0_17", IntegerError::None, 15},
    {"010ms", IntegerError::None, 8'000'000},
    {"0x_fF", IntegerError::None, 255},
    {"0x1dUL", IntegerError::None, 29},
    {"1__0", IntegerError::None, 10},
    {"1E3", IntegerError::None, 1000},
    {"1e3ms", IntegerError::None, 1'000'000'000},
    {"0e99", IntegerError::None, 0},
    {"7llu", IntegerError::None, 7},
    {"2d", IntegerError::None, 172'800'000'000'000},
    {"18446744073709551615", IntegerError::None, UINT64_MAX},
    {"18446744073709551616", IntegerError::OutOfRange, 0},
    {"1e20", IntegerError::OutOfRange, 0},
    {"300000d", IntegerError::OutOfRange, 0},
    {"08", IntegerError::Malformed, 0},
    {"0x", IntegerError::Malformed, 0},
    {"0x1ms", IntegerError::Malformed, 0},
    {"1_", IntegerError::Malformed, 0},
    {"1e", IntegerError::Malformed, 0},
    {"5M", IntegerError::Malformed, 0},
    {"5xyz", IntegerError::Malformed, 0},
};

TEST(Lexer, Integers) {
  for (const IntegerCase& c : kIntegers) {
    uint64_t value = 0;
    EXPECT_EQ(ParseInteger(c.text, &value), c.error) << c.text;
    EXPECT_EQ(c.error == IntegerError::None ? value : 0, c.value) << c.text;
  }
}

}  // namespace
}  // namespace kawk
