// Macros: a call becomes a block with a copy of the macro's body, in which the parameters stand for the arguments. The
// body's own variables get names that no script can write, so that they meet nobody else's. A `#define` is an expression
// that sees the names of where it is used. The library's macros are parsed where they are used, as if they stood there; a
// macro of the script beats them, and does not reach into them.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "ast/clone.h"
#include "ast/passes/arguments.h"
#include "ast/passes/passes.h"
#include "ast/rewrite.h"

namespace kawk {
namespace {

constexpr int kMostExpansions = 10000;
constexpr size_t kMostNodes = 200'000;  // of the whole tree: each level of calls may double it

bool Takes(const MacroParam& param, const Expr* argument) {
  switch (param.kind) {
    case MacroParam::Variable: return As<ScratchVar>(argument) != nullptr;
    case MacroParam::Map: return As<MapRef>(argument) != nullptr;
    case MacroParam::Expression: return true;
  }
  UNREACHABLE("macro parameter");
}

const char* Taken(MacroParam::Kind kind) {
  switch (kind) {
    case MacroParam::Variable: return "a variable";
    case MacroParam::Map: return "a map";
    case MacroParam::Expression: return "a value";
  }
  UNREACHABLE("macro parameter");
}

// "add(a, $b)"
std::string Signature(const Macro& macro) {
  std::vector<std::string> names;
  for (const MacroParam& param : macro.params) names.push_back(param.name);
  return fmt::format("{}({})", macro.name, fmt::join(names, ", "));
}

std::string Count(size_t arguments) { return fmt::format("{} argument{}", arguments, arguments == 1 ? "" : "s"); }

bool SameSignature(const Macro& a, const Macro& b) {
  return std::equal(a.params.begin(), a.params.end(), b.params.begin(), b.params.end(),
                    [](const MacroParam& x, const MacroParam& y) { return x.kind == y.kind; });
}

class MacroExpander {
 public:
  MacroExpander(Ast& ast, const ScriptInput& input, TypeSource& source, Diagnostics& diagnostics)
      : ast_(ast), input_(input), source_(source), diagnostics_(diagnostics) {
    for (const Macro& macro : ast.macros) {
      std::vector<const Macro*>& overloads = macros_[macro.name];
      const bool again =
          std::any_of(overloads.begin(), overloads.end(), [&](const Macro* m) { return SameSignature(*m, macro); });
      if (again) diagnostics.Emit(Diag::MacroRedefined, macro.location, macro.name);
      overloads.push_back(&macro);
      CheckReach(macro);
    }
  }

  void Run() {
    for (Probe& probe : ast_.probes) {
      Expand(probe.predicate);
      Expander().Rewrite(probe.body);
    }
  }

 private:
  using Arguments = std::map<std::string, Expr*>;

  Rewriter Expander() {
    return {.on_expr = [this](Expr*& place) { return ExpandAt(place); }};
  }
  void Expand(Expr*& place) { Expander().Rewrite(place); }

  bool ExpandAt(Expr*& place) {
    Call* call = As<Call>(place);
    const Ident* ident = As<Ident>(place);
    if (call == nullptr && ident == nullptr) return true;
    const std::string& name = call != nullptr ? call->name : ident->name;
    const auto found = macros_.find(name);
    const LibraryMacro* library = source_.FindMacro(name) == nullptr ? FindLibraryMacro(name) : nullptr;
    if (found == macros_.end() && library == nullptr) return ExpandDefine(place, name);
    std::vector<Expr*> arguments;
    if (call != nullptr) arguments = call->args;
    for (Expr*& argument : arguments) Expand(argument);  // as seen by the caller
    const Macro* macro = found != macros_.end() ? Choose(found->second, arguments) : nullptr;
    if (macro == nullptr && library != nullptr) return ExpandLibrary(place, *library, std::move(arguments));
    if (macro == nullptr) {
      ReportArguments(*place, found->second, arguments);
      place = ast_.New<IntLit>(place->location);  // something that few complain about
      return false;
    }
    if (std::find(open_.begin(), open_.end(), macro) != open_.end() || ++expansions_ > kMostExpansions) {
      diagnostics_.Emit(Diag::MacroRecursion, place->location, name);
      place = ast_.New<IntLit>(place->location);
      return false;
    }
    if (ast_.node_count() > kMostNodes) {
      diagnostics_.Emit(Diag::MacroTooLarge, place->location, name);
      place = ast_.New<IntLit>(place->location);
      return false;
    }
    place = Instantiate(*macro, arguments);
    open_.push_back(macro);
    for (Stmt* stmt : static_cast<BlockExpr*>(place)->statements) Expander().Rewrite(stmt);
    Expand(static_cast<BlockExpr*>(place)->value);
    open_.pop_back();
    return false;
  }

  bool ExpandLibrary(Expr*& place, const LibraryMacro& macro, std::vector<Expr*> arguments) {
    Call* call = ast_.New<Call>(place->location);
    call->name = macro.name;
    call->name_location = place->location;
    call->args = std::move(arguments);
    const auto form = std::find_if(macro.forms.begin(), macro.forms.end(),
                                   [&](const LibraryMacro::Form& f) { return f.params.size() == call->args.size(); });
    place = ast_.New<IntLit>(call->location);  // if anything is wrong
    if (form == macro.forms.end()) return CheckArity(*call, ParseSignature(macro.signature), diagnostics_), false;
    auto* block = As<BlockExpr>(input_.parse_expression(ast_, std::string(form->body), call->location));
    CHECK(block != nullptr);  // a test parses them all
    block->library = call;
    Arguments by_name;
    for (size_t i = 0; i < call->args.size(); ++i) by_name[std::string(form->params[i])] = call->args[i];
    place = Fill(block, by_name, true);
    return false;
  }

  // A name of C's preprocessor; within itself it is just a name.
  bool ExpandDefine(Expr*& place, std::string name) {
    const CMacro* macro = source_.FindMacro(name);
    const Call* call = As<Call>(place);
    if (macro == nullptr && source_.reads_headers() && FindBuiltin(name) == nullptr && FindFunction(name) == nullptr) {
      if (call == nullptr ? source_.FindConstant(name).has_value() : !source_.ReadMissing()) return true;
      macro = source_.FindMacro(name);
    }
    if (macro == nullptr || (macro->takes_arguments && call == nullptr)) return true;
    if (std::find(open_defines_.begin(), open_defines_.end(), name) != open_defines_.end()) return true;
    if (!macro->takes_arguments && call != nullptr) {  // another name for a function
      Expr* other = ++expansions_ > kMostExpansions ? nullptr : Parse(*macro, *place);
      const Ident* function = As<Ident>(other);
      if (function == nullptr) return true;
      static_cast<Call*>(place)->name = function->name;
      open_defines_.push_back(name);
      const bool below = ExpandAt(place);
      open_defines_.pop_back();
      return below;
    }
    std::vector<Expr*> arguments;
    if (macro->takes_arguments) arguments = call->args;
    for (Expr*& argument : arguments) Expand(argument);
    const Location at = place->location;
    if (arguments.size() != macro->params.size()) {
      diagnostics_.EmitWithHint(Diag::MacroArgumentCount, at, fmt::format("write `{}({})`", name, fmt::join(macro->params, ", ")),
                                name, Count(macro->params.size()), arguments.size());
      place = ast_.New<IntLit>(at);
      return false;
    }
    Expr* body = ++expansions_ > kMostExpansions ? nullptr : Parse(*macro, *place);
    if (body == nullptr) {
      diagnostics_.Emit(Diag::MacroNoExpression, at, name, macro->text);
      place = ast_.New<IntLit>(at);
      return false;
    }
    Arguments by_name;
    for (size_t i = 0; i < arguments.size(); ++i) by_name[macro->params[i]] = arguments[i];
    open_defines_.push_back(std::move(name));
    place = body;
    Substitute(place, by_name);
    open_defines_.pop_back();
    return false;
  }

  // Arguments into the body, where what else is a macro is expanded.
  void Substitute(Expr*& place, const Arguments& by_name) {
    Rewriter substitute;
    substitute.on_expr = [&](Expr*& node) {
      const Ident* ident = As<Ident>(node);
      const auto found = ident != nullptr ? by_name.find(ident->name) : by_name.end();
      if (found == by_name.end()) return ExpandAt(node);
      node = CloneExpr(ast_, found->second);
      return false;
    };
    substitute.Rewrite(place);
  }

  Expr* Parse(const CMacro& macro, const Expr& use) {
    return input_.parse_expression ? input_.parse_expression(ast_, macro.text, use.location) : nullptr;
  }

  // Why none of the macros of that name takes these arguments: their number, the first that does not fit, or no one reason.
  void ReportArguments(const Expr& call, const std::vector<const Macro*>& overloads, const std::vector<Expr*>& arguments) {
    std::vector<const Macro*> near;
    for (const Macro* macro : overloads) {
      if (macro->params.size() == arguments.size()) near.push_back(macro);
    }
    const Macro& first = *overloads[0];
    if (near.empty() && overloads.size() == 1) {
      diagnostics_.EmitWithHint(Diag::MacroArgumentCount, call.location, fmt::format("write `{}`", Signature(first)), first.name,
                                Count(first.params.size()), arguments.size());
      return;
    }
    if (near.size() != 1) {
      std::vector<std::string> all;
      for (const Macro* macro : overloads) all.push_back(fmt::format("`{}`", Signature(*macro)));
      diagnostics_.EmitWithHint(Diag::MacroArguments, call.location, fmt::format("there are {}", fmt::join(all, ", ")),
                                first.name);
      return;
    }
    for (size_t i = 0; i < arguments.size(); ++i) {
      const MacroParam& param = near[0]->params[i];
      if (Takes(param, arguments[i])) continue;
      diagnostics_.EmitWithHint(Diag::MacroArgument, arguments[i]->location,
                                fmt::format("it is defined at {}", SpanText(near[0]->location)), first.name, Taken(param.kind),
                                param.name);
    }
  }

  // The overload that says most about the arguments: a parameter that only takes a variable or map beats one for any value.
  static const Macro* Choose(const std::vector<const Macro*>& overloads, const std::vector<Expr*>& arguments) {
    const Macro* best = nullptr;
    long most = -1;
    for (const Macro* macro : overloads) {
      const auto& params = macro->params;
      if (!std::equal(params.begin(), params.end(), arguments.begin(), arguments.end(), Takes)) continue;
      const long narrow =
          std::count_if(params.begin(), params.end(), [](const MacroParam& p) { return p.kind != MacroParam::Expression; });
      if (narrow > most) best = macro, most = narrow;
    }
    return best;
  }

  BlockExpr* Instantiate(const Macro& macro, const std::vector<Expr*>& arguments) {
    Arguments by_name;
    for (size_t i = 0; i < arguments.size(); ++i) by_name[macro.params[i].name] = arguments[i];
    return Fill(static_cast<BlockExpr*>(CloneExpr(ast_, macro.body)), by_name, false);
  }

  // Puts arguments into a body. `share`: each stands once as itself, so that its type is known where the call is checked.
  BlockExpr* Fill(BlockExpr* block, const Arguments& by_name, bool share) {
    std::set<std::string> shared;
    const std::string suffix = fmt::format("'{}", ++instances_);
    const auto rename = [&](std::string& variable) {
      const auto found = by_name.find(variable);
      variable = found != by_name.end() ? As<ScratchVar>(found->second)->name : variable + suffix;
    };
    Rewriter substitute;
    substitute.on_expr = [&](Expr*& place) {
      if (ScratchVar* variable = As<ScratchVar>(place)) rename(variable->name);
      if (MapRef* map = As<MapRef>(place)) {
        if (const auto found = by_name.find(map->name); found != by_name.end()) map->name = As<MapRef>(found->second)->name;
      }
      const Ident* ident = As<Ident>(place);
      const auto found = ident != nullptr ? by_name.find(ident->name) : by_name.end();
      if (found == by_name.end()) return true;
      place = share && shared.insert(found->first).second ? found->second : CloneExpr(ast_, found->second);
      return false;
    };
    substitute.on_stmt = [&](Stmt& stmt) {
      if (Let* let = As<Let>(&stmt)) rename(let->name);
      if (ForRange* loop = As<ForRange>(&stmt)) rename(loop->variable);
      if (ForIn* loop = As<ForIn>(&stmt)) rename(loop->variable);
    };
    substitute.on_type = [&](TypeSpec& spec) {  // `(t)x` where the argument is typeof(…)
      const auto found = by_name.find(spec.name);
      const TypeOf* type = found != by_name.end() ? As<TypeOf>(found->second) : nullptr;
      if (type == nullptr) return;
      const auto* copy = static_cast<const TypeOf*>(CloneExpr(ast_, type));
      spec.name.clear();
      spec.of_type = copy->type;
      spec.of_expr = copy->operand;
    };
    for (Stmt* stmt : block->statements) substitute.Rewrite(stmt);
    substitute.Rewrite(block->value);
    return block;
  }

  // A body uses no map but its parameters, and does not leave the probe.
  void CheckReach(const Macro& macro) {
    std::set<std::string> names;
    for (const MacroParam& param : macro.params) {
      if (!names.insert(param.name).second) {
        diagnostics_.Emit(Diag::MacroParameterTwice, param.location, macro.name, param.name);
      }
    }
    Rewriter look;
    look.on_stmt = [&](Stmt& stmt) {
      if (As<Return>(&stmt) == nullptr) return;
      diagnostics_.EmitWithHint(Diag::MacroReturns, stmt.location, "its value is that of its last expression, without a `;`");
    };
    look.on_expr = [&](Expr*& place) {
      const MapRef* map = As<MapRef>(place);
      if (map != nullptr && !names.contains(map->name)) {
        diagnostics_.EmitWithHint(Diag::MacroReaches, map->location, "make it a parameter", macro.name, map->name);
      }
      return true;
    };
    for (Stmt* stmt : macro.body->statements) look.Rewrite(stmt);
    look.Rewrite(macro.body->value);
  }

  Ast& ast_;
  const ScriptInput& input_;
  TypeSource& source_;
  Diagnostics& diagnostics_;
  std::vector<std::string> open_defines_;
  std::map<std::string, std::vector<const Macro*>> macros_;
  std::vector<const Macro*> open_;
  int instances_ = 0;
  int expansions_ = 0;
};

}  // namespace

void ExpandMacros(Ast& ast, const ScriptInput& input, TypeSource& source, Diagnostics& diagnostics) {
  MacroExpander(ast, input, source, diagnostics).Run();
}

}  // namespace kawk
