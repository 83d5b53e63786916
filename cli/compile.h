// The pipeline: script text → Image. One function that reads top to bottom.
#pragma once

#include <optional>
#include <string>

#include "cli/options.h"
#include "codegen/generate.h"

namespace kawk {

// Compiles options' script. Messages about the script go to standard error; nothing is returned when it is wrong.
std::optional<GenerateOutput> Compile(const Options& options);

}  // namespace kawk
