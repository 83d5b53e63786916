// The pipeline: script text → Image. One function that reads top to bottom.
#pragma once

#include <variant>

#include "cli/options.h"
#include "codegen/generate.h"

namespace kawk {

// Compiles options' script. Messages about the script go to standard error; the exit status is given when there is nothing
// to run: the script is wrong, or it was asked only for its options.
std::variant<GenerateOutput, int> Compile(const Options& options);

}  // namespace kawk
