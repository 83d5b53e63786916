// C text → words, numbers, strings and punctuation, without comments: what ast/cdecl.cpp parses.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kawk {

struct CToken {
  enum Kind : uint8_t { End, Word, Number, String, Punctuation } kind = End;
  std::string text;  // String: unescaped bytes
  size_t at = 0;     // where it begins in the text
};

std::vector<CToken> LexC(std::string_view text);

}  // namespace kawk
