// A script compiled before is not compiled again.
#pragma once

#include <variant>

#include "cli/options.h"
#include "codegen/generate.h"

namespace kawk {

// As Compile, from the compile cache where that has the script. What the cache cannot do never stops a script; -v tells.
std::variant<GenerateOutput, int> Recall(const Options& options);

}  // namespace kawk
