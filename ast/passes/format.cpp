// A conversion is % flags width .precision length letter; width and precision may be `*`, an argument. What does not fit that is
// text, as in the peer: `100%\n` prints.
#include "ast/passes/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace kawk {
namespace {

// What a conversion prints.
enum class Takes : uint8_t { Number, Character, Address, Anything, Bytes };
struct ConversionRow {
  std::string_view name;
  Takes takes;
};
// Longer names first: `rx` before `r`.
constexpr std::array kConversions = {
    ConversionRow{"gr", Takes::Number}, ConversionRow{"rx", Takes::Bytes},    ConversionRow{"rh", Takes::Bytes},
    ConversionRow{"r", Takes::Bytes},   ConversionRow{"d", Takes::Number},    ConversionRow{"i", Takes::Number},
    ConversionRow{"u", Takes::Number},  ConversionRow{"x", Takes::Number},    ConversionRow{"X", Takes::Number},
    ConversionRow{"o", Takes::Number},  ConversionRow{"c", Takes::Character}, ConversionRow{"s", Takes::Anything},
    ConversionRow{"p", Takes::Address},
};
constexpr std::array<std::string_view, 8> kLengths = {"hh", "h", "ll", "l", "j", "z", "t", "L"};

const ConversionRow* FindConversion(std::string_view text) {
  for (const ConversionRow& row : kConversions) {
    if (text.starts_with(row.name)) return &row;
  }
  return nullptr;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  ParsedFormat Read() {
    while (at_ < text_.size()) {
      if (text_[at_] != '%') {
        literal_ += text_[at_++];
      } else if (text_.substr(at_).starts_with("%%")) {
        literal_ += '%';
        at_ += 2;
      } else if (!ReadConversion()) {
        literal_ += text_[at_++];
      }
    }
    if (!literal_.empty() || parsed_.specs.empty()) parsed_.specs.push_back({.literal = std::move(literal_)});
    parsed_.arguments = args_;
    return std::move(parsed_);
  }

 private:
  bool ReadConversion() {
    size_t i = at_ + 1;
    FormatSpec spec;
    while (i < text_.size() && std::string_view("-+ #0").find(text_[i]) != std::string_view::npos) spec.flags += text_[i++];
    uint32_t args = args_;
    if (!ReadStar(i, spec.width_arg, args)) spec.width = ReadNumber(i);
    if (i < text_.size() && text_[i] == '.') {
      ++i;
      if (!ReadStar(i, spec.precision_arg, args)) spec.precision = std::max(ReadNumber(i), 0);
    }
    const std::string_view rest = text_.substr(std::min(i, text_.size()));
    for (const std::string_view length : kLengths) {
      if (rest.starts_with(length) && FindConversion(rest.substr(length.size())) != nullptr) {
        spec.length = length;
        break;
      }
    }
    const ConversionRow* conversion = FindConversion(rest.substr(spec.length.size()));
    if (rest.starts_with('%')) {  // `%5%` is a percent sign, too
      literal_ += '%';
      at_ = i + 1;
      return true;
    }
    if (conversion == nullptr) {
      if (!rest.empty() && std::isalpha(static_cast<unsigned char>(rest[0])) != 0) {
        parsed_.unknown.emplace_back(text_.substr(at_, i + 1 - at_));
      }
      return false;
    }
    spec.conversion = conversion->name;
    spec.literal = std::move(literal_);
    spec.arg = args++;
    args_ = args;
    parsed_.too_wide |= spec.width > kWidestFormat || spec.precision > kWidestFormat;
    literal_.clear();
    at_ = i + spec.length.size() + spec.conversion.size();
    parsed_.specs.push_back(std::move(spec));
    return true;
  }

  bool ReadStar(size_t& i, int& arg, uint32_t& args) const {
    if (i >= text_.size() || text_[i] != '*') return false;
    ++i;
    arg = static_cast<int>(args++);
    return true;
  }

  // Digits at `i`, or -1.
  int ReadNumber(size_t& i) {
    constexpr int kWidest = kWidestFormat + 1;
    int number = -1;
    for (; i < text_.size() && text_[i] >= '0' && text_[i] <= '9'; ++i) {
      number = std::min(std::max(number, 0) * 10 + (text_[i] - '0'), kWidest);
    }
    return number;
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string literal_;
  uint32_t args_ = 0;
  ParsedFormat parsed_;
};

}  // namespace

ParsedFormat ParseFormat(std::string_view text) { return Reader(text).Read(); }

bool CanPrint(const FormatSpec& spec, const Type* type) {
  const ConversionRow* row = FindConversion(spec.conversion);
  const bool counted = type->is(TypeKind::Count) || type->is(TypeKind::Sum) || type->is(TypeKind::Min) ||
                       type->is(TypeKind::Max) || type->is(TypeKind::Avg);
  switch (row->takes) {
    case Takes::Number: return type->IsScalar() || counted;
    case Takes::Character: return type->is(TypeKind::Int) || type->is(TypeKind::Enum);
    case Takes::Address: return type->is(TypeKind::Int) || type->is(TypeKind::Pointer);
    case Takes::Anything: return !type->is(TypeKind::None) && !type->IsBucketed();
    case Takes::Bytes: return type->is(TypeKind::Buffer);
  }
  UNREACHABLE("conversion");
}

}  // namespace kawk
