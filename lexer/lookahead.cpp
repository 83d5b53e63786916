#include "lexer/lookahead.h"

#include <algorithm>
#include <array>

namespace kawk {
namespace {

constexpr size_t kMaxTypeText = 4096;  // how far a `typeof(…)` is looked through, so that nesting stays cheap

bool IsWordStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

char At(std::string_view text, size_t at) { return at < text.size() ? text[at] : '\0'; }

std::string_view Word(std::string_view text, size_t at) {
  size_t end = at;
  if (IsWordStart(At(text, at))) {
    while (IsWordStart(At(text, end)) || IsDigit(At(text, end))) ++end;
  }
  return text.substr(std::min(at, text.size()), end - at);
}

constexpr std::array<std::string_view, 9> kCWords = {"char",   "const",  "int",      "long",    "short",
                                                     "signed", "struct", "unsigned", "volatile"};
constexpr std::array<std::string_view, 22> kTypeWords = {
    "bool", "buffer", "char",   "double", "float", "inet",  "int",    "int16",  "int32",    "int64",     "int8",
    "long", "short",  "string", "uchar",  "uint",  "ulong", "ushort", "unchar", "unsigned", "timestamp", "void",
};

template <size_t N>
bool Contains(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// u8, s64, __le32, uint16, u_char, pid_t, …: names that stand for types throughout the kernel and this language.
bool LooksLikeType(std::string_view word, const TypeNames& types) {
  if (types.contains(word) || Contains(kTypeWords, word)) return true;
  if (word.ends_with("_t") || word.starts_with("__") || word.starts_with("u_")) return true;
  if (word.starts_with("uint")) word.remove_prefix(3);  // leaves the t, as in `t16`
  if (word.size() < 2 || (word[0] != 'u' && word[0] != 's' && word[0] != 't')) return false;
  const std::string_view bits = word.substr(1);
  return bits == "8" || bits == "16" || bits == "32" || bits == "64" || bits == "128";
}

// The position behind the `)` that closes what was opened just before `at`; npos when it is not near.
size_t SkipParens(std::string_view text, size_t at) {
  const size_t limit = std::min(text.size(), at + kMaxTypeText);
  int depth = 1;
  for (; at < limit; ++at) {
    if (text[at] == '(') ++depth;
    if (text[at] == ')' && --depth == 0) return at + 1;
    if (text[at] == ';' || text[at] == '{') break;
  }
  return std::string_view::npos;
}

// What stands between the parentheses, as far as it can be a type.
struct TypeText {
  enum Certainty { NotAType, Maybe, Surely } certainty = NotAType;
  std::string_view name;
  size_t end = 0;  // of the first thing behind it
};

TypeText ReadType(std::string_view text, size_t at) {
  TypeText type;
  at = SkipBlank(text, at);
  type.name = Word(text, at);
  if (type.name.empty()) return type;
  type.certainty = TypeText::Maybe;
  if (type.name == "struct" || type.name == "union" || type.name == "enum") {
    type.certainty = TypeText::Surely;
    return type;
  }
  at = SkipBlank(text, at + type.name.size());
  if (type.name == "typeof" && At(text, at) == '(') {
    at = SkipParens(text, at + 1);
    if (at == std::string_view::npos) return TypeText{};
    type.certainty = TypeText::Surely;
    at = SkipBlank(text, at);
  }
  while (Contains(kCWords, type.name) && IsWordStart(At(text, at))) {
    type.certainty = TypeText::Surely;
    at = SkipBlank(text, at + Word(text, at).size());
  }
  for (;;) {
    if (At(text, at) == '*') {
      type.certainty = TypeText::Surely;
      ++at;
    } else if (At(text, at) == '[') {
      at = SkipBlank(text, at + 1);
      if (At(text, at) == ']') type.certainty = TypeText::Surely;
      while (IsDigit(At(text, at))) ++at;
      at = SkipBlank(text, at);
      if (At(text, at) != ']') return TypeText{};
      ++at;
    } else {
      break;
    }
    at = SkipBlank(text, at);
  }
  type.end = at;
  return type;
}

}  // namespace

size_t SkipBlank(std::string_view text, size_t at) {
  while (at < text.size()) {
    const char c = text[at];
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v') {
      ++at;
    } else if (c == '/' && At(text, at + 1) == '/') {
      at = std::min(text.find('\n', at), text.size());
    } else if (c == '/' && At(text, at + 1) == '*') {
      const size_t end = text.find("*/", at + 2);
      at = end == std::string_view::npos ? text.size() : end + 2;
    } else {
      break;
    }
  }
  return at;
}

bool StartsCast(std::string_view text, size_t at, const TypeNames& types, bool in_condition) {
  const TypeText type = ReadType(text, at);
  if (type.certainty == TypeText::NotAType) return false;
  if (type.end == 0) return true;  // struct, union, enum: nothing else starts so
  if (At(text, type.end) != ')') return false;
  const size_t behind = SkipBlank(text, type.end + 1);
  const char c = At(text, behind);
  const char next = At(text, behind + 1);
  const bool sure = type.certainty == TypeText::Surely || LooksLikeType(type.name, types);
  if (type.certainty == TypeText::Surely && type.name != "typeof") return true;
  if (in_condition && !sure) return false;
  if (IsWordStart(c) || IsDigit(c)) return true;
  switch (c) {
    case '$':
    case '@':
    case '"':
    case '\'':
    case '(':
    case '~': return true;
    case '!': return next != '=';
    case '+':
    case '*': return next != '=' && sure;
    case '-': return next != '=' && next != '>' && sure;
    case '&': return next != '=' && next != '&' && sure;
    default: return false;
  }
}

bool StartsType(std::string_view text, size_t at, const TypeNames& types) {
  const TypeText type = ReadType(text, at);
  if (type.certainty == TypeText::NotAType) return false;
  if (type.end == 0) return true;
  const char c = At(text, type.end);
  if (c != ')' && c != ',') return false;
  return type.certainty == TypeText::Surely || LooksLikeType(type.name, types);
}

std::string_view DeclaredType(std::string_view definition) {
  const std::string_view keyword = Word(definition, 0);
  if (keyword != "typedef") return Word(definition, SkipBlank(definition, keyword.size()));
  size_t end = definition.find_last_of(';');
  if (end == std::string_view::npos) end = definition.size();
  while (end > 0 && !IsWordStart(definition[end - 1]) && !IsDigit(definition[end - 1])) --end;
  size_t begin = end;
  while (begin > 0 && (IsWordStart(definition[begin - 1]) || IsDigit(definition[begin - 1]))) --begin;
  return definition.substr(begin, end - begin);
}

}  // namespace kawk
