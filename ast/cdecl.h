// C in scripts: `#define`, `#if…`, struct, union, enum and typedef, read by a small parser of declarations; no compiler is
// opened. Headers of the user's own are read in the same way. `#include` of others is passed over: the kernel's types come
// from BTF and the common macros from stdlib, and a name that is really missing is reported where it is used.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "ast/nodes.h"
#include "ast/type_source.h"
#include "ast/typed.h"
#include "base/diagnostics.h"

namespace kawk {

// Reads the definitions in order into `source`.
void ReadCDefinitions(const std::vector<CDefinition>& definitions, const ScriptInput& input, TypeSource& source,
                      Diagnostics& diagnostics);

// The parts of a header that say something about types and macros.
std::vector<CDefinition> SplitHeader(std::string_view text, uint32_t file);

}  // namespace kawk
