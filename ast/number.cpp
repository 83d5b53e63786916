// Numbers in attach points and positional parameters. The lexer has its own reader, with messages; here a text that is no
// number is simply something else.
#include <array>
#include <limits>
#include <string>

#include "ast/attach_point.h"

namespace kawk {
namespace {

struct DurationUnit {
  std::string_view suffix;
  uint64_t nanoseconds;
};
constexpr std::array kUnits = {
    DurationUnit{"ns", 1},
    DurationUnit{"us", 1000},
    DurationUnit{"ms", 1000000},
    DurationUnit{"s", 1000000000},
    DurationUnit{"m", 60ull * 1000000000},
    DurationUnit{"h", 3600ull * 1000000000},
    DurationUnit{"d", 86400ull * 1000000000},
};

std::optional<uint64_t> Multiply(uint64_t a, uint64_t b) {
  uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

int DigitValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 99;
}

std::optional<uint64_t> ParseDigits(std::string_view text, unsigned base) {
  if (text.empty() || text.front() == '_') return std::nullopt;
  uint64_t value = 0;
  for (const char c : text) {
    if (c == '_') continue;
    const int digit = DigitValue(c);
    if (digit >= static_cast<int>(base)) return std::nullopt;
    const std::optional<uint64_t> shifted = Multiply(value, base);
    if (!shifted || __builtin_add_overflow(*shifted, static_cast<uint64_t>(digit), &value)) return std::nullopt;
  }
  return value;
}

}  // namespace

std::optional<uint64_t> ParseNumber(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) return ParseDigits(text.substr(2), 16);
  if (text.size() > 1 && text.front() == '0') return ParseDigits(text.substr(1), 8);
  const size_t e = text.find_first_of("eE");
  if (e == std::string_view::npos) return ParseDigits(text, 10);
  std::optional<uint64_t> value = ParseDigits(text.substr(0, e), 10);
  const std::optional<uint64_t> exponent = ParseDigits(text.substr(e + 1), 10);
  if (!exponent || *exponent > 19) return std::nullopt;
  for (uint64_t i = 0; i < *exponent && value; ++i) value = Multiply(*value, 10);
  return value;
}

std::optional<uint64_t> ParseDuration(std::string_view text) {
  for (const DurationUnit& unit : kUnits) {
    if (!text.ends_with(unit.suffix)) continue;
    if (const std::optional<uint64_t> count = ParseNumber(text.substr(0, text.size() - unit.suffix.size()))) {
      return Multiply(*count, unit.nanoseconds);
    }
  }
  return std::nullopt;
}

}  // namespace kawk
