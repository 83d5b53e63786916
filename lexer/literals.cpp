#include "lexer/literals.h"

#include <string>

namespace kawk {
namespace {

struct Suffix {
  std::string_view name;
  uint64_t factor;
};

constexpr uint64_t kSecond = 1'000'000'000;
constexpr Suffix kSuffixes[] = {
    {"", 1},
    {"ns", 1},
    {"us", 1000},
    {"ms", 1'000'000},
    {"s", kSecond},
    {"m", 60 * kSecond},
    {"h", 3600 * kSecond},
    {"d", 86400 * kSecond},
    {"u", 1},
    {"l", 1},
    {"ul", 1},
    {"lu", 1},
    {"ll", 1},
    {"ull", 1},
    {"llu", 1},
};

// C's suffixes come in both cases, durations in lower case only: `5M` is no time.
const Suffix* FindSuffix(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) {
    if (c == 'U' || c == 'L') c = static_cast<char>(c + ('a' - 'A'));
  }
  for (const Suffix& suffix : kSuffixes) {
    if (suffix.name == lower) return &suffix;
  }
  return nullptr;
}

int DigitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 99;
}

// Takes the digits of `base` and underscores off the front of `text`. False when there is no digit, when the digits end
// in an underscore, or (with *overflow set) when they do not fit.
bool TakeDigits(std::string_view* text, unsigned base, uint64_t* value, bool* overflow) {
  *value = 0;
  bool any = false;
  size_t i = 0;
  for (; i < text->size(); ++i) {
    const char c = (*text)[i];
    if (c == '_') continue;
    const unsigned digit = static_cast<unsigned>(DigitOf(c));
    if (digit >= base) break;
    any = true;
    if (__builtin_mul_overflow(*value, base, value) || __builtin_add_overflow(*value, digit, value)) *overflow = true;
  }
  const bool trailing = i > 0 && (*text)[i - 1] == '_';
  text->remove_prefix(i);
  return any && !trailing;
}

}  // namespace

IntegerError ParseInteger(std::string_view text, uint64_t* value) {
  unsigned base = 10;
  bool overflow = false;
  std::string_view rest = text;
  if (rest.starts_with("0x") || rest.starts_with("0X")) {
    base = 16;
    rest.remove_prefix(2);
  } else if (rest.size() > 1 && rest[0] == '0' && (rest[1] == '_' || DigitOf(rest[1]) < 10)) {
    base = 8;
  }
  if (!TakeDigits(&rest, base, value, &overflow)) return IntegerError::Malformed;
  if (base == 10 && !rest.empty() && (rest[0] == 'e' || rest[0] == 'E')) {
    rest.remove_prefix(1);
    uint64_t exponent = 0;
    bool huge = false;
    if (!TakeDigits(&rest, 10, &exponent, &huge)) return IntegerError::Malformed;
    if (*value == 0) exponent = 0;
    if (huge || exponent > 19) overflow = true;
    for (uint64_t i = 0; i < exponent && !overflow; ++i) overflow = __builtin_mul_overflow(*value, uint64_t{10}, value);
  }
  const Suffix* suffix = FindSuffix(rest);
  if (suffix == nullptr || (base == 16 && suffix->factor != 1)) return IntegerError::Malformed;
  if (__builtin_mul_overflow(*value, suffix->factor, value)) overflow = true;
  return overflow ? IntegerError::OutOfRange : IntegerError::None;
}

int ParseEscape(std::string_view escape) {
  switch (escape[0]) {
    case 'n': return '\n';
    case 't': return '\t';
    case 'r': return '\r';
    case 'e': return '\033';
    case '\\':
    case '"':
    case '\'': return escape[0];
    default: break;
  }
  const unsigned base = escape[0] == 'x' ? 16 : 8;
  uint64_t value = 0;
  bool overflow = false;
  if (base == 16) escape.remove_prefix(1);
  if (escape.empty() || !TakeDigits(&escape, base, &value, &overflow) || !escape.empty() || value > 0xff) return -1;
  return static_cast<int>(value);
}

}  // namespace kawk
