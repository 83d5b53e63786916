// -l: what can be attached to, or what a script attaches to.
#pragma once

#include "cli/options.h"

namespace kawk {

// The exit status; an Error was printed.
int List(const Options& options);

}  // namespace kawk
