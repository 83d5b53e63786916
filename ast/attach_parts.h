// What stands behind the kind of an attach point, by kind.
#pragma once

#include <string>
#include <vector>

#include "ast/attach_point.h"

namespace kawk {

// What the parsers share: the row, the parts behind the kind, and where to complain.
struct Parts {
  const ProbeRow& row;
  std::vector<std::string> parts;
  Diagnostics& diagnostics;
};

// Fills `point`; false after an error, which is in `diagnostics`.
bool ParseParts(const Parts& in, AttachPoint& point);

}  // namespace kawk
