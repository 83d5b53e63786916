// Text → syntax tree. Pure syntax: what a name means is decided later.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "ast/nodes.h"
#include "base/diagnostics.h"

namespace kawk {

// Parses sources.text(file). Always returns a tree; after errors (reported to `diagnostics`, several in one run) it
// holds what could be recovered and must not be compiled.
std::unique_ptr<Ast> Parse(const SourceMap& sources, uint32_t file, Diagnostics& diagnostics);

// Parses the text of one expression into `ast`, all of it placed at `at`. Null when it is none.
Expr* ParseExpression(Ast& ast, const std::string& text, const Location& at);

}  // namespace kawk
