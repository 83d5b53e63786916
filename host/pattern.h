// Patterns without copies; see MatchesPattern in host.h.
#pragma once

#include <string_view>

namespace kawk {

bool PatternMatches(std::string_view pattern, std::string_view text);

}  // namespace kawk
