// Which maps are kept in two: short keys in one, all others in the other.
#pragma once

#include <vector>

#include "ast/typed.h"

namespace kawk {

// By index of the map: whether it has a short map beside it (see image::kShortKeyBytes). Only string keys differ so much in
// size that it pays; maps that the script walks through, points into or reads across CPUs stay one map of the kernel.
std::vector<bool> SplitMaps(const Typed& typed);

}  // namespace kawk
