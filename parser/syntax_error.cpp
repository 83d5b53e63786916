#include "parser/syntax_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <string_view>

namespace kawk {
namespace {

using T = TokenKind;

TokenSet SetOf(std::initializer_list<T> kinds) {
  TokenSet set;
  for (const T kind : kinds) set.set(static_cast<size_t>(kind));
  return set;
}

bool Has(const TokenSet& set, T kind) { return set.test(static_cast<size_t>(kind)); }
void Drop(TokenSet* set, T kind) { set->reset(static_cast<size_t>(kind)); }

// What starts an expression …
TokenSet Operands() {
  return SetOf({T::IDENT,      T::INTEGER,  T::STRING,    T::SCRATCH,      T::MAP,    T::POSITIONAL, T::TRUE_,
                T::FALSE_,     T::SIZEOF,   T::OFFSETOF,  T::CONTAINER_OF, T::TYPEOF, T::LPAREN,     T::CAST_OPEN,
                T::BLOCK_OPEN, T::IF_VALUE, T::COMPTIME,  T::PLUS,         T::MINUS,  T::STAR,       T::AMP,
                T::NOT,        T::TILDE,    T::INCREMENT, T::DECREMENT});
}

// … what starts other statements …
TokenSet Statements() {
  return SetOf({T::LET, T::IF, T::WHILE, T::FOR, T::UNROLL, T::BREAK, T::CONTINUE, T::RETURN, T::LBRACE, T::SEMICOLON});
}

// … and what may follow an expression: always possible, hardly ever what is missing.
TokenSet Operators() {
  return SetOf({T::LBRACKET,   T::DOT,        T::ARROW,      T::QUESTION,   T::DOT_DOT,    T::ASSIGN,    T::ADD_ASSIGN,
                T::SUB_ASSIGN, T::MUL_ASSIGN, T::DIV_ASSIGN, T::MOD_ASSIGN, T::AND_ASSIGN, T::OR_ASSIGN, T::XOR_ASSIGN,
                T::SHL_ASSIGN, T::SHR_ASSIGN, T::INCREMENT,  T::DECREMENT,  T::PLUS,       T::MINUS,     T::STAR,
                T::SLASH,      T::PERCENT,    T::AMP,        T::PIPE,       T::CARET,      T::AND_AND,   T::OR_OR,
                T::EQ,         T::NE,         T::LT,         T::LE,         T::GT,         T::GE,        T::SHL,
                T::SHR,        T::LPAREN,     T::IDENT});
}

bool Closes(T kind) {
  return kind == T::RPAREN || kind == T::RBRACKET || kind == T::RBRACE || kind == T::SEMICOLON || kind == T::END_OF_FILE;
}

// The few things worth naming, most general first.
std::vector<std::string> Alternatives(TokenSet expected, const Token& guilty) {
  std::vector<std::string> names;
  if (Has(expected, T::ATTACH_POINT) && Has(expected, T::MACRO)) return {"a probe"};
  if (Has(expected, T::LET) && Has(expected, T::WHILE)) {
    if (guilty.kind == T::END_OF_FILE && Has(expected, T::RBRACE)) return {"`}`"};
    names.push_back("a statement");
    expected &= ~(Statements() | Operands());
  } else if (Has(expected, T::INTEGER) && Has(expected, T::LPAREN)) {
    names.push_back("an expression");
    expected &= ~Operands();
  } else if (Has(expected, T::PLUS)) {  // behind an expression
    const TokenSet rest = expected & ~Operators();
    if (rest.any()) expected = rest;
  } else if (Has(expected, T::PREDICATE_OPEN)) {
    return {"`{`"};
  } else if (Has(expected, T::ATTACH_POINT)) {
    return {"attach point"};
  } else if (Has(expected, T::INTEGER) && Has(expected, T::STRING)) {
    return {"a value"};
  } else if (Has(expected, T::STAR)) {  // behind a type
    expected &= ~SetOf({T::STAR, T::LBRACKET, T::IDENT});
  } else if (Has(expected, T::STRUCT)) {
    names.push_back("a type");
    expected &= ~SetOf({T::STRUCT, T::UNION, T::ENUM, T::TYPEOF, T::IDENT});
  }
  if (Has(expected, T::SEMICOLON) && Has(expected, T::RBRACE)) {
    Drop(&expected, guilty.kind == T::END_OF_FILE ? T::SEMICOLON : T::RBRACE);
  }
  const bool closer = Has(expected, T::RPAREN) || Has(expected, T::RBRACKET);
  if (closer && Closes(guilty.kind)) Drop(&expected, T::COMMA);
  for (size_t i = 0; i < expected.size(); ++i) {
    if (!expected.test(i)) continue;
    std::string name(Describe(static_cast<T>(i)));
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
  }
  return names;
}

std::string Guilty(const Token& token) {
  switch (token.kind) {
    case T::STRING:
    case T::C_DEFINITION:
    case T::END_OF_FILE: return std::string(Describe(token.kind));
    default: return fmt::format("`{}`", token.text);
  }
}

std::string At(const Location& location) { return fmt::format("{}:{}", location.begin.line, location.begin.column); }

bool IsOneOf(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// A statement where a probe should be: "print(1)", "@x", "if".
bool LooksLikeStatement(std::string_view text) {
  return text.find('(') != std::string_view::npos || text.starts_with('@') || text.starts_with('$') ||
         IsOneOf(text, {"if", "for", "while", "return", "print", "printf", "exit", "unroll"});
}

std::string RootHint(const ErrorContext& context) {
  const Token& previous = context.previous;
  if (context.guilty.kind == T::RBRACE) return "this `}` closes nothing";
  if (context.guilty.kind == T::LBRACE && previous.kind != T::MACRO) return "name the event in front, for example `BEGIN {`";
  if (previous.kind != T::ATTACH_POINT) return "";
  if (IsOneOf(previous.text, {"fn", "function", "def", "func"})) return "functions are written `macro name($a, b) { … }`";
  if (LooksLikeStatement(previous.text)) return "statements stand inside a probe, for example `BEGIN { … }`";
  if (context.guilty.kind == T::ATTACH_POINT) return "several attach points are separated by `,`";
  return "";
}

// An event named inside of a block: the block before it was not closed.
std::string ProbeInsideHint(const ErrorContext& context) {
  const Token& previous = context.previous;
  if (context.brackets.empty() || previous.kind != T::IDENT) return "";
  const bool own = IsOneOf(previous.text, {"BEGIN", "END", "begin", "end"}) && context.guilty.kind == T::LBRACE;
  const bool spec = context.guilty.kind == T::COLON && context.before_previous.kind != T::QUESTION;
  if (!own && !spec) return "";
  for (auto it = context.brackets.rbegin(); it != context.brackets.rend(); ++it) {
    if (it->kind == T::LBRACE) {
      return fmt::format("a probe cannot stand inside another: is the `{{` at {} closed?", At(it->location));
    }
  }
  return "";
}

// A bracket that does not close the one that is open.
std::string BracketHint(const ErrorContext& context) {
  const T guilty = context.guilty.kind;
  if (context.brackets.empty() || !Closes(guilty)) return "";
  const OpenBracket& open = context.brackets.back();
  const bool brace = open.kind == T::LBRACE || open.kind == T::BLOCK_OPEN;
  if (brace && (guilty == T::RPAREN || guilty == T::RBRACKET)) return fmt::format("this {} closes nothing", Describe(guilty));
  if (brace && guilty != T::END_OF_FILE) return "";
  if (guilty == (open.kind == T::LBRACKET ? T::RBRACKET : T::RPAREN)) return "";
  return fmt::format("the {} at {} is not closed", Describe(open.kind), At(open.location));
}

std::string WordHint(const ErrorContext& context) {
  const Token& guilty = context.guilty;
  if (guilty.kind == T::STRUCT || guilty.kind == T::UNION || guilty.kind == T::ENUM) {
    return fmt::format("a type is passed as `typeof({} …)`, a variable declared as `let $x: {} …`", guilty.text, guilty.text);
  }
  if (context.previous.kind == T::IDENT && context.previous.text == "not") return "not is written `!`";
  if (guilty.kind != T::IDENT) return "";
  if (guilty.text == "and") return "and is written `&&`";
  if (guilty.text == "or") return "or is written `||`";
  const bool statement = context.Inside(T::LBRACE) || context.Inside(T::BLOCK_OPEN);
  if (context.previous.kind == T::IDENT && statement && context.previous.location.begin.line == guilty.location.begin.line) {
    return fmt::format("variables start with `$`: `${}`, or with a type `let ${}: {} = …`", guilty.text, guilty.text,
                       context.previous.text);
  }
  return "";
}

}  // namespace

std::string DescribeSyntaxError(const TokenSet& expected, const ErrorContext& context) {
  const std::vector<std::string> names = Alternatives(expected, context.guilty);
  if (names.empty() || names.size() > 4) return fmt::format("unexpected {}", Guilty(context.guilty));
  std::string list = names[0];
  for (size_t i = 1; i < names.size(); ++i) list += (i + 1 == names.size() ? " or " : ", ") + names[i];
  if (context.guilty.kind == T::END_OF_FILE) return fmt::format("expected {} at the end of the file", list);
  return fmt::format("expected {} before {}", list, Guilty(context.guilty));
}

std::string HintFor(const TokenSet& expected, const ErrorContext& context) {
  const T guilty = context.guilty.kind;
  const bool inside = context.Inside(T::LPAREN) || context.Inside(T::LBRACKET) || context.in_predicate;
  if (context.brackets.empty() && !context.in_predicate && (Has(expected, T::LBRACE) || Has(expected, T::ATTACH_POINT))) {
    return RootHint(context);
  }
  if (!context.brackets.empty() && context.brackets.back().for_header && !Has(expected, T::RPAREN)) {
    return "loops are written `for ($i : 0..10) { … }` or `for ($kv : @map) { … }`";
  }
  if (std::string hint = ProbeInsideHint(context); !hint.empty()) return hint;
  if (guilty == T::ASSIGN && (inside || Has(expected, T::LBRACE)))
    return "`==` compares; an assignment is a statement of its own";
  if (guilty == T::ASSIGN && Has(expected, T::SEMICOLON)) return "an assignment is a statement of its own";
  if (guilty == T::COMMA && Has(expected, T::SEMICOLON)) {
    const bool first = context.before_previous.kind == T::LBRACE && context.brackets.size() == 1;  // of `kprobe:{a,b}`
    return first ? "several attach points are written out: `kprobe:a, kprobe:b`" : "write `;` instead";
  }
  if (guilty == T::ELSE && context.previous.kind == T::SEMICOLON) return "no `;` between `}` and `else`";
  if (std::string hint = BracketHint(context); !hint.empty()) return hint;
  if (Has(expected, T::LBRACE) && !Has(expected, T::LET)) return "bodies are written in braces: `{ … }`";
  if (std::string hint = WordHint(context); !hint.empty()) return hint;
  const uint32_t line = context.previous.location.end.line;
  if (Has(expected, T::SEMICOLON) && !Has(expected, T::LET) && line < context.guilty.location.begin.line) {
    return fmt::format("a `;` is missing at the end of line {}", line);
  }
  return "";
}

}  // namespace kawk
