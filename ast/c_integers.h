// Integer types of C by their names, without asking anybody: what the compiler's ABI or the kernel's conventions fix.
#pragma once

#include <cstdint>
#include <string_view>

#include "ast/types.h"

namespace kawk {

// `int`, `long unsigned int`, `__u32`, `uint64_t`, `size_t` …; null for other names. `char` is an int8.
const Type* CInteger(std::string_view name, TypeTable& types);

}  // namespace kawk
