// Names of numbers that scripts expect from headers: see constants.def.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace kawk {

std::optional<int64_t> FindHeaderConstant(std::string_view name);

}  // namespace kawk
