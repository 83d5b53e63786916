// Syntax tree → Typed: expand · resolve · type · check, in this order; each pass is a file in ast/passes/.
#pragma once

#include "ast/nodes.h"
#include "ast/typed.h"
#include "base/diagnostics.h"
#include "host/host.h"

namespace kawk {

// Analyses `ast` (desugaring and cloning change it) for the machine that `host` describes. After errors in `diagnostics`
// the result must not be compiled, only dumped.
Typed Analyse(Ast& ast, const ScriptInput& input, Config config, Host& host, Diagnostics& diagnostics);

// For -d types: ` :: type` behind each expression.
std::string DumpTyped(const Ast& ast, const Typed& typed);

}  // namespace kawk
