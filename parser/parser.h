// Text → syntax tree. Pure syntax: what a name means is decided later.
#pragma once

#include <cstdint>
#include <memory>

#include "ast/nodes.h"
#include "base/diagnostics.h"

namespace kawk {

// Parses sources.text(file). Always returns a tree; after errors (reported to `diagnostics`, several in one run) it
// holds what could be recovered and must not be compiled.
std::unique_ptr<Ast> Parse(const SourceMap& sources, uint32_t file, Diagnostics& diagnostics);

}  // namespace kawk
