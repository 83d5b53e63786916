// printf formats: text → pieces.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ast/typed.h"

namespace kawk {

struct ParsedFormat {
  std::vector<FormatSpec> specs;
  std::vector<std::string> unknown;  // what looks like a conversion but is none; it prints as it stands
};

ParsedFormat ParseFormat(std::string_view text);
// How many of the specs take an argument.
size_t CountArguments(const std::vector<FormatSpec>& specs);
// Whether the conversion can print a value of this type.
bool CanPrint(const FormatSpec& spec, const Type* type);

}  // namespace kawk
