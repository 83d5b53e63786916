// `import`: other files of a script, brought into one tree before any name is looked at; and the headers that `#include`
// names.
#pragma once

#include <string>
#include <vector>

#include "ast/nodes.h"
#include "ast/typed.h"
#include "base/diagnostics.h"
#include "cache/witness.h"

namespace kawk {

// Brings what `ast` imports into it, each file once: what is imported stands before what imports it. Relative paths begin
// where the importing file is; those of the root (file 0) at `script`, which is a path, or empty for a program of -e.
void LoadImports(Ast& ast, const std::string& script, SourceMap& sources, Witness& witness, Diagnostics& diagnostics);

// Finds headers of `#include`: beside the including file when quoted, then in `folders`. Keeps what it reads in `sources`.
// The Witness of both hears which files were read, or missed.
HeaderFinder FindHeadersIn(const std::vector<std::string>& folders, const std::string& script, SourceMap& sources,
                           Witness& witness);

}  // namespace kawk
