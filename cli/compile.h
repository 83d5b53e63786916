// The pipeline: script text → Image. One function that reads top to bottom.
#pragma once

#include <string>
#include <variant>

#include "cache/witness.h"
#include "cli/options.h"
#include "codegen/generate.h"

namespace kawk {

// Compiles options' script, whose text is `text`. Messages about the script go to standard error; the exit status is given
// when there is nothing to run: the script is wrong, or it was asked only for its options. `witness` hears what the result
// depends on beside `options` and `text`; `said` collects the messages.
std::variant<GenerateOutput, int> Compile(const Options& options, std::string text, Witness& witness, std::string& said);

// Whether messages are coloured.
bool UseColor();

}  // namespace kawk
