// printf formats: text → pieces.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ast/typed.h"

namespace kawk {

// Wider or more precise no number or text is shown.
inline constexpr int kWidestFormat = 65535;

struct ParsedFormat {
  std::vector<FormatSpec> specs;
  std::vector<std::string> unknown;  // what looks like a conversion but is none; it prints as it stands
  bool too_wide = false;             // a width or precision beyond kWidestFormat
  uint32_t arguments = 0;            // how many it takes
};

ParsedFormat ParseFormat(std::string_view text);
// Whether the conversion can print a value of this type.
bool CanPrint(const FormatSpec& spec, const Type* type);

}  // namespace kawk
