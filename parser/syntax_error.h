// What is said about a token that the grammar cannot take: what was expected, and the obvious way out if there is one.
#pragma once

#include <bitset>
#include <string>
#include <vector>

#include "lexer/token.h"

namespace kawk {

using TokenSet = std::bitset<256>;  // indexed by TokenKind

// A bracket that is still open. `for_header` is the one of `for (`.
struct OpenBracket {
  TokenKind kind;
  Location location;
  bool for_header = false;
};

// The place of an error: the tokens around it and the brackets open there.
struct ErrorContext {
  Token before_previous;
  Token previous;
  Token guilty;
  std::vector<OpenBracket> brackets;
  bool in_predicate = false;
  bool in_header = false;  // behind an attach point, before the predicate or body

  bool Inside(TokenKind bracket) const { return !brackets.empty() && brackets.back().kind == bracket; }
};

// "expected `;` before `x`"
std::string DescribeSyntaxError(const TokenSet& expected, const ErrorContext& context);
// The way out, or empty.
std::string HintFor(const TokenSet& expected, const ErrorContext& context);

}  // namespace kawk
