// The pipeline of the front end behind the parser, top to bottom.
#include "ast/analyse.h"

#include <algorithm>

#include "ast/cdecl.h"
#include "ast/passes/passes.h"

namespace kawk {
namespace {

// The first unit of a probe has the probe's own tree.
bool LeavesOut(const Ast& ast, const std::vector<ProbeUnit>& units) {
  return std::any_of(ast.probes.begin(), ast.probes.end(), [&](const Probe& probe) {
    return std::none_of(units.begin(), units.end(), [&](const ProbeUnit& unit) { return unit.probe == &probe; });
  });
}

}  // namespace

Typed Analyse(Ast& ast, const ScriptInput& input, Config config, Host& host, Diagnostics& diagnostics) {
  Typed typed;
  typed.types = std::make_unique<TypeTable>();
  typed.source = std::make_unique<TypeSource>(host, *typed.types);
  // What the script says in C comes before all types.
  ReadCDefinitions(ast.c_definitions, input, *typed.source, diagnostics);
  // Then the configuration: it says what missing probes are and how long strings may be.
  typed.config = ApplyConfig(ast.config, std::move(config), input, diagnostics);
  ExpandMacros(ast, input, *typed.source, diagnostics);
  typed.options = CollectOptions(ast, input, diagnostics);
  Desugar(ast, typed.config, diagnostics);
  // The probes: which trees there are, and what `args` is in each.
  typed.units = ExpandProbes(ast, input, typed.config, host, *typed.source, typed.clones, diagnostics);
  typed.partial = LeavesOut(ast, typed.units);
  // From here on the tree stays as it is, and everything found out is in side tables.
  typed.exprs.resize(ast.node_count());
  typed.lets.assign(ast.node_count(), -1);
  typed.c_functions = ResolveCFunctions(input, *typed.source);
  ResolveNames(ast, input, *typed.source, typed, diagnostics);
  InferTypes(input, *typed.source, typed, diagnostics);
  ApplyMapDecls(ast, *typed.source, typed, diagnostics);
  CheckRules(input, typed, diagnostics);
  typed.source->OnMissing(nullptr);  // the input is the caller's
  return typed;
}

std::string DumpTyped(const Ast& ast, const Typed& typed) {
  return Dump(ast, [&](const Expr& expr) { return ToString(typed.TypeOf(&expr)); });
}

}  // namespace kawk
