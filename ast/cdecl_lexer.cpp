#include "ast/cdecl_lexer.h"

#include <cctype>

namespace kawk {
namespace {

bool IsWord(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// Behind white space, comments and line continuations.
size_t SkipSpace(std::string_view text, size_t at) {
  while (at < text.size()) {
    const std::string_view rest = text.substr(at);
    if (std::isspace(static_cast<unsigned char>(rest[0])) != 0 || rest.starts_with("\\\n")) {
      ++at;
    } else if (rest.starts_with("//")) {
      at = text.find('\n', at);
    } else if (rest.starts_with("/*")) {
      at = text.find("*/", at);
      if (at != std::string_view::npos) at += 2;
    } else {
      break;
    }
    if (at == std::string_view::npos) return text.size();
  }
  return at;
}

char Unescape(char c) {
  switch (c) {
    case 'n': return '\n';
    case 't': return '\t';
    case 'r': return '\r';
    case '0': return '\0';
    default: return c;
  }
}

size_t LexString(std::string_view text, size_t at, std::string& out) {
  const char quote = text[at++];
  for (; at < text.size() && text[at] != quote; ++at) {
    if (text[at] == '\\' && at + 1 < text.size()) {
      out += Unescape(text[++at]);
    } else {
      out += text[at];
    }
  }
  return at + 1;
}

}  // namespace

std::vector<CToken> LexC(std::string_view text) {
  std::vector<CToken> tokens;
  for (size_t at = SkipSpace(text, 0); at < text.size(); at = SkipSpace(text, at)) {
    CToken& token = tokens.emplace_back();
    const size_t begin = at;
    token.at = at;
    if (IsWord(text[at])) {
      token.kind = std::isdigit(static_cast<unsigned char>(text[at])) != 0 ? CToken::Number : CToken::Word;
      while (at < text.size() && IsWord(text[at])) ++at;
      token.text = text.substr(begin, at - begin);
    } else if (text[at] == '"') {
      token.kind = CToken::String;
      at = LexString(text, at, token.text);
    } else if (text[at] == '\'') {
      std::string bytes;
      at = LexString(text, at, bytes);
      token.kind = CToken::Number;
      token.text = std::to_string(bytes.empty() ? 0 : bytes[0]);
    } else {
      token.kind = CToken::Punctuation;
      for (const std::string_view two : {"<<", ">>", "==", "!=", "<=", ">=", "&&", "||", "..."}) {
        if (text.substr(at).starts_with(two)) token.text = two;
      }
      if (token.text.empty()) token.text = text.substr(at, 1);
      at += token.text.size();
    }
  }
  tokens.emplace_back().at = text.size();
  return tokens;
}

}  // namespace kawk
