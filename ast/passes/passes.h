// The passes in the order in which Analyse runs them. Each is a function whose inputs and outputs are its parameters.
#pragma once

#include <memory>
#include <vector>

#include "ast/nodes.h"
#include "ast/type_source.h"
#include "ast/typed.h"
#include "base/diagnostics.h"
#include "host/host.h"

namespace kawk {

// The defaults in `config` with the script's config block and then the environment laid over them.
Config ApplyConfig(const std::vector<ConfigEntry>& entries, Config config, const ScriptInput& input, Diagnostics& diagnostics);

// Calls of macros, the script's, the library's and C's → copies of their bodies.
void ExpandMacros(Ast& ast, const ScriptInput& input, TypeSource& source, Diagnostics& diagnostics);

// Several spellings of one thing → one of them: `pid()` → `pid`, `config.x` → its value.
void Desugar(Ast& ast, const Config& config, Diagnostics& diagnostics);

// Attach points → what exists on this machine → one unit per program. Clones trees into `ast`; the clones' probes go to
// `clones`.
std::vector<ProbeUnit> ExpandProbes(Ast& ast, const ScriptInput& input, const Config& config, Host& host, TypeSource& source,
                                    std::vector<std::unique_ptr<Probe>>& clones, Diagnostics& diagnostics);

// Calls of getopt() → the script's options, with their values.
std::vector<ScriptOption> CollectOptions(const Ast& ast, const ScriptInput& input, Diagnostics& diagnostics);

// The functions of imported C, with their types.
std::vector<CFunctionInfo> ResolveCFunctions(const ScriptInput& input, TypeSource& source);

// Names → ids: fills builtin, function, variable and map of `typed.exprs`, `typed.lets`, the names of `typed.maps` and
// `typed.variables`, and the values of positional parameters.
void ResolveNames(const Ast& ast, const ScriptInput& input, TypeSource& source, Typed& typed, Diagnostics& diagnostics);

// Types of expressions, variables and maps, and the values of constant expressions.
void InferTypes(const ScriptInput& input, TypeSource& source, Typed& typed, Diagnostics& diagnostics);

// What `let @m = …` says of maps: their size and kind.
void ApplyMapDecls(const Ast& ast, TypeSource& source, Typed& typed, Diagnostics& diagnostics);

// The rules that do not change a type: what calls take, where statements may stand, what formats ask for. Fills
// `typed.formats`.
void CheckRules(const ScriptInput& input, Typed& typed, Diagnostics& diagnostics);

}  // namespace kawk
