// C in scripts: `#define`, `#if…`, struct, union, enum and typedef, read by a small parser of declarations; no compiler is
// opened. `#include` lines are passed over: the kernel's types come from BTF and the common macros from stdlib, and a name
// that is really missing is reported where it is used.
#pragma once

#include <vector>

#include "ast/nodes.h"
#include "ast/type_source.h"
#include "base/diagnostics.h"

namespace kawk {

// Reads the definitions in order into `source`.
void ReadCDefinitions(const std::vector<CDefinition>& definitions, TypeSource& source, Diagnostics& diagnostics);

}  // namespace kawk
