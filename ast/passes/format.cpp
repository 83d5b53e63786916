// A conversion is % flags width .precision length letter. What does not fit that is text, as in the peer: `100%\n` prints.
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
constexpr std::array<std::string_view, 7> kLengths = {"hh", "h", "ll", "l", "j", "z", "t"};

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
    return std::move(parsed_);
  }

 private:
  bool ReadConversion() {
    size_t i = at_ + 1;
    FormatSpec spec;
    while (i < text_.size() && std::string_view("-+ #0").find(text_[i]) != std::string_view::npos) spec.flags += text_[i++];
    spec.width = ReadNumber(i);
    if (i < text_.size() && text_[i] == '.') {
      ++i;
      spec.precision = std::max(ReadNumber(i), 0);
    }
    const std::string_view rest = text_.substr(std::min(i, text_.size()));
    for (const std::string_view length : kLengths) {
      if (rest.starts_with(length) && FindConversion(rest.substr(length.size())) != nullptr) {
        spec.length = length;
        break;
      }
    }
    const ConversionRow* conversion = FindConversion(rest.substr(spec.length.size()));
    if (conversion == nullptr) {
      if (!rest.empty() && std::isalpha(static_cast<unsigned char>(rest[0])) != 0) {
        parsed_.unknown.emplace_back(text_.substr(at_, i + 1 - at_));
      }
      return false;
    }
    spec.conversion = conversion->name;
    spec.literal = std::move(literal_);
    spec.arg = args_++;
    literal_.clear();
    at_ = i + spec.length.size() + spec.conversion.size();
    parsed_.specs.push_back(std::move(spec));
    return true;
  }

  // Digits at `i`, or -1. Absurd widths are cut short.
  int ReadNumber(size_t& i) {
    constexpr int kWidest = 9999;
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

size_t CountArguments(const std::vector<FormatSpec>& specs) {
  return static_cast<size_t>(
      std::count_if(specs.begin(), specs.end(), [](const FormatSpec& s) { return !s.conversion.empty(); }));
}

bool CanPrint(const FormatSpec& spec, const Type* type) {
  const ConversionRow* row = FindConversion(spec.conversion);
  const bool counted = type->is(TypeKind::Count) || type->is(TypeKind::Sum) || type->is(TypeKind::Min) ||
                       type->is(TypeKind::Max) || type->is(TypeKind::Avg);
  switch (row->takes) {
    case Takes::Number: return type->IsScalar() || counted;
    case Takes::Character: return type->is(TypeKind::Int) || type->is(TypeKind::Enum);
    case Takes::Address: return type->is(TypeKind::Int) || type->is(TypeKind::Pointer);
    case Takes::Anything: return !type->is(TypeKind::None);
    case Takes::Bytes: return type->is(TypeKind::Buffer);
  }
  UNREACHABLE("conversion");
}

}  // namespace kawk
