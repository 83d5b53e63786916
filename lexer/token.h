// Tokens: what the lexer hands to the parser.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/location.h"

namespace kawk {

enum class TokenKind : uint8_t {
#define TOKEN(id, description) id,
#include "lexer/tokens.def"
};

struct Token {
  TokenKind kind = TokenKind::END_OF_FILE;
  Location location;
  std::string text;      // as written; for STRING the unescaped bytes
  uint64_t integer = 0;  // INTEGER: the value, with a duration suffix already applied
};

// How error messages call this kind of token, e.g. "`)`" or "identifier".
std::string_view Describe(TokenKind kind);

}  // namespace kawk
