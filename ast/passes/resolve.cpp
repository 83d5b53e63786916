// Names → ids. Scratch variables live in the block of their `let` or first assignment; maps belong to the whole script. A
// name that means nothing gets a suggestion from the names that would do in its place.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "ast/attach_point.h"
#include "ast/passes/passes.h"
#include "ast/passes/stack_mode.h"
#include "ast/passes/type_name.h"
#include "ast/walk.h"

namespace kawk {
namespace {

bool TakesArguments(BuiltinId id) { return id == BuiltinId::KStack || id == BuiltinId::UStack || id == BuiltinId::DwUStack; }

// The name as the script has it: macros put a number behind those of their own variables.
std::string Written(const std::string& name) { return name.substr(0, name.find('\'')); }

// The words that may stand in parentheses behind a builtin: rows such as "nsecs(tai)".
std::vector<std::string> ModesOf(std::string_view builtin) {
  std::vector<std::string> modes;
  for (const BuiltinRow& row : AllBuiltins()) {
    if (!row.name.starts_with(builtin) || !row.name.ends_with(')') || row.name[builtin.size()] != '(') continue;
    modes.emplace_back(row.name.substr(builtin.size() + 1, row.name.size() - builtin.size() - 2));
  }
  return modes;
}

class Resolver {
 public:
  Resolver(const ScriptInput& input, TypeSource& source, Typed& typed, Diagnostics& diagnostics)
      : input_(input), source_(source), typed_(typed), diagnostics_(diagnostics) {}

  void ResolveUnit(const ProbeUnit& unit) {
    scopes_.clear();
    closed_.clear();
    Visit(unit.probe->predicate);
    Visit(unit.probe->body);
  }

  void operator()(const IntLit&) {}
  void operator()(const BoolLit&) {}
  void operator()(const StrLit&) {}
  void operator()(const Ident& e);
  void operator()(const ScratchVar& e);
  void operator()(const MapRef&) {}  // done before: see NumberMaps
  void operator()(const Positional& e);
  void operator()(const Index& e) {
    Visit(e.base);
    Visit(e.index);
  }
  void operator()(const Member& e) { Visit(e.base); }
  void operator()(const Call& e);
  void operator()(const Unary& e) { Visit(e.operand); }
  void operator()(const Binary& e) {
    Visit(e.left);
    Visit(e.right);
  }
  void operator()(const Ternary& e) {
    Visit(e.condition);
    Visit(e.then);
    Visit(e.otherwise);
  }
  void operator()(const Cast& e) {
    Visit(e.type);
    Visit(e.operand);
  }
  void operator()(const TupleExpr& e) { VisitAll(e.elements); }
  void operator()(const RecordExpr& e) { VisitAll(e.elements); }
  void operator()(const SizeOf& e) { TypeOrValue(e.type, e.operand); }
  void operator()(const OffsetOf& e) { TypeOrValue(e.type, e.operand); }
  void operator()(const TypeOf& e) { TypeOrValue(e.type, e.operand); }
  void operator()(const BlockExpr& e) {
    OpenScope();
    VisitAll(e.statements);
    Visit(e.value);
    CloseScope();
  }

  void operator()(const ExprStmt& s) { Visit(s.expr); }
  void operator()(const Assign& s);
  void operator()(const Discard& s) { Visit(s.expr); }
  void operator()(const Let& s);
  void operator()(const If& s) {
    Visit(s.condition);
    Visit(s.then);
    Visit(s.otherwise);
  }
  void operator()(const While& s) {
    Visit(s.condition);
    Visit(s.body);
  }
  void operator()(const ForRange& s) {
    Visit(s.from);
    Visit(s.to);
    LoopVariable(s, s.variable, s.variable_location, s.body);
  }
  void operator()(const ForIn& s) {
    Visit(s.iterable);
    LoopVariable(s, s.variable, s.variable_location, s.body);
  }
  void operator()(const Unroll& s) {
    Visit(s.count);
    Visit(s.body);
  }
  void operator()(const Break&) {}
  void operator()(const Continue&) {}
  void operator()(const Return& s) { Visit(s.value); }
  void operator()(const Block& s) {
    OpenScope();
    VisitAll(s.statements);
    CloseScope();
  }

 private:
  struct Variable {
    int index = -1;
    Location declared;
    bool by_let = false;  // without a value
    bool assigned = false;
  };
  using Scope = std::map<std::string, Variable>;

  void Visit(const Expr* expr) {
    if (expr != nullptr) VisitExpr(*expr, *this);
  }
  void Visit(const Stmt* stmt) {
    if (stmt != nullptr) VisitStmt(*stmt, *this);
  }
  template <class T>
  void VisitAll(const std::vector<T*>& list) {
    for (const T* item : list) Visit(item);
  }
  // The expressions in typeof(…).
  void Visit(const TypeSpec* spec) {
    for (; spec != nullptr; spec = spec->of_type) TypeOrValue(nullptr, spec->of_expr);
  }
  void TypeOrValue(const TypeSpec* type, const Expr* operand) {
    Visit(type);
    ++unevaluated_;
    if (operand != nullptr && NamedType(operand, source_) == nullptr) Visit(operand);
    --unevaluated_;
  }
  void OpenScope() { scopes_.emplace_back(); }
  void CloseScope();
  const Variable* FindVariable(const std::string& name) const;
  Variable* FindVariable(const std::string& name) {
    return const_cast<Variable*>(static_cast<const Resolver*>(this)->FindVariable(name));
  }
  void Assigned(const Expr* target);
  bool ResolveMode(const Call& e);
  bool ResolveC(const Call& e);
  Variable& Declare(const std::string& name, const Location& location);
  void LoopVariable(const Stmt& s, const std::string& name, const Location& location, const Block* body);
  std::vector<std::string> VisibleVariables() const;
  std::string WayToVariable(const std::string& name) const;
  void ReportRedeclared(const std::string& name, const Location& location);
  std::string MeantBy(const std::string& word) const;

  const ScriptInput& input_;
  TypeSource& source_;
  Typed& typed_;
  Diagnostics& diagnostics_;
  bool missing_allowed_ = false;  // within str($1)
  std::vector<Scope> scopes_;
  Scope closed_;                     // variables of this probe whose block has ended
  int unevaluated_ = 0;              // within sizeof and typeof, which look only at the type
  std::set<std::string> of_others_;  // and of the probes before it
};

// --- variables ---

void Resolver::CloseScope() {
  for (const auto& [name, variable] : scopes_.back()) {
    if (variable.by_let && !variable.assigned) diagnostics_.Emit(Diag::NeverAssigned, variable.declared, Written(name));
    closed_.insert_or_assign(name, variable);
    of_others_.insert(name);
  }
  scopes_.pop_back();
}

const Resolver::Variable* Resolver::FindVariable(const std::string& name) const {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    if (auto found = scope->find(name); found != scope->end()) return &found->second;
  }
  return nullptr;
}

Resolver::Variable& Resolver::Declare(const std::string& name, const Location& location) {
  if (scopes_.empty()) OpenScope();
  typed_.variables.push_back({name, nullptr});
  return scopes_.back()[name] = {static_cast<int>(typed_.variables.size()) - 1, location, false, true};
}

std::vector<std::string> Resolver::VisibleVariables() const {
  std::vector<std::string> names;
  for (const Scope& scope : scopes_) {
    for (const auto& [name, variable] : scope) names.push_back(Written(name));
  }
  return names;
}

// What to do about a variable that is not visible here.
std::string Resolver::WayToVariable(const std::string& name) const {
  const auto inner = closed_.find(name);
  if (inner != closed_.end()) {
    return fmt::format("the one at {} ends with its block: declare it before that with `let {};`",
                       SpanText(inner->second.declared), Written(name));
  }
  const std::string other = Written(name);
  if (of_others_.contains(name))
    return fmt::format("variables end with their probe; a map is seen by all: `@{}`", other.substr(1));
  if (other != name && FindVariable(other) != nullptr) return "a macro cannot reach the caller's variables: make it a parameter";
  return DidYouMean(other, VisibleVariables());
}

void Resolver::ReportRedeclared(const std::string& name, const Location& location) {
  diagnostics_.EmitWithHint(
      Diag::Redeclared, location,
      fmt::format("the first one is at {}; give this one another name", SpanText(FindVariable(name)->declared)), Written(name));
}

void Resolver::operator()(const ScratchVar& e) {
  Variable* variable = FindVariable(e.name);
  if (variable == nullptr) {
    diagnostics_.EmitWithHint(Diag::UndeclaredVariable, e.location, WayToVariable(e.name), Written(e.name));
    return;
  }
  if (!variable->assigned && unevaluated_ == 0) diagnostics_.Emit(Diag::ReadBeforeAssigned, e.location, Written(e.name));
  typed_.Info(&e).variable = variable->index;
}

void Resolver::operator()(const Assign& s) {
  Visit(s.value);
  const ScratchVar* target = As<ScratchVar>(s.target);
  if (target == nullptr || s.compound) {
    Visit(s.target);
    return;
  }
  Variable* variable = FindVariable(target->name);
  if (variable == nullptr) variable = &Declare(target->name, target->location);
  variable->assigned = true;
  typed_.Info(target).variable = variable->index;
}

// A variable that a function fills.
void Resolver::Assigned(const Expr* target) {
  const ScratchVar* variable = As<ScratchVar>(target);
  if (variable == nullptr) return;
  Variable* known = FindVariable(variable->name);
  if (known == nullptr) known = &Declare(variable->name, variable->location);
  known->assigned = true;
}

void Resolver::operator()(const Let& s) {
  Visit(s.type);
  Visit(s.value);
  if (FindVariable(s.name) != nullptr) {
    ReportRedeclared(s.name, s.name_location);
    return;
  }
  Variable& variable = Declare(s.name, s.name_location);
  variable.by_let = s.value == nullptr;
  variable.assigned = s.value != nullptr;
  typed_.lets[s.id.value] = variable.index;
}

void Resolver::LoopVariable(const Stmt& s, const std::string& name, const Location& location, const Block* body) {
  if (FindVariable(name) != nullptr) ReportRedeclared(name, location);
  OpenScope();
  typed_.lets[s.id.value] = Declare(name, location).index;
  Visit(body);
  CloseScope();
}

// --- names ---

void Resolver::operator()(const Ident& e) {
  if (const BuiltinRow* row = FindBuiltin(e.name)) {
    typed_.Info(&e).builtin = row->id;
    return;
  }
  if (FindFunction(e.name) != nullptr) {
    diagnostics_.EmitWithHint(Diag::FunctionWithoutCall, e.location, fmt::format("write `{}(…)`", e.name), e.name);
    return;
  }
  if (source_.FindConstant(e.name)) return;
  diagnostics_.EmitWithHint(Diag::UnknownName, e.location, MeantBy(e.name), e.name);
}

// What a word that names no value was probably meant to be.
std::string Resolver::MeantBy(const std::string& word) const {
  if (source_.Find(word) != nullptr) return fmt::format("it is a type: `({})value` casts, `sizeof({})` is its size", word, word);
  if (word == "config") return "`config = { … }` stands before the probes";
  if (FindVariable("$" + word) != nullptr) return fmt::format("variables start with `$`: `${}`", word);
  std::vector<std::string> names;
  for (const BuiltinRow& row : AllBuiltins()) names.emplace_back(row.name);
  const std::string near = DidYouMean(word, names);
  return near.empty() ? source_.header_problem() : near;
}

// `nsecs(tai)`: the row of that name. False when the builtin has no modes.
bool Resolver::ResolveMode(const Call& e) {
  const std::vector<std::string> modes = ModesOf(e.name);
  if (modes.empty()) return false;
  const Ident* word = e.args.size() == 1 ? As<Ident>(e.args[0]) : nullptr;
  if (e.args.size() != 1) {
    diagnostics_.EmitWithHint(Diag::NotAFunction, e.name_location,
                              fmt::format("write `{}` or `{}({})`", e.name, e.name, modes[0]), e.name);
  } else if (const BuiltinRow* row = word != nullptr ? FindBuiltin(fmt::format("{}({})", e.name, word->name)) : nullptr) {
    typed_.Info(&e).builtin = row->id;
  } else {
    diagnostics_.EmitWithHint(Diag::UnknownMode, e.args[0]->location, fmt::format("its modes are {}", fmt::join(modes, ", ")),
                              e.name, word != nullptr ? word->name : "…");
  }
  return true;
}

bool Resolver::ResolveC(const Call& e) {
  for (size_t i = 0; i < typed_.c_functions.size(); ++i) {
    if (typed_.c_functions[i].name == e.name) return typed_.Info(&e).c_function = static_cast<int>(i), true;
  }
  return false;
}

void Resolver::operator()(const Call& e) {
  const FunctionRow* function = FindFunction(e.name);
  const BuiltinRow* builtin = FindBuiltin(e.name);
  if (function == nullptr && builtin != nullptr && e.args.empty() && builtin->id != BuiltinId::Args) {  // `comm()` is `comm`
    typed_.Info(&e).builtin = builtin->id;
    return;
  }
  if (function == nullptr && builtin != nullptr && ResolveMode(e)) return;
  if (function != nullptr) {
    typed_.Info(&e).function = function->id;
  } else if (builtin != nullptr && TakesArguments(builtin->id)) {
    typed_.Info(&e).builtin = builtin->id;
  } else if (builtin != nullptr) {
    diagnostics_.EmitWithHint(Diag::NotAFunction, e.name_location, fmt::format("write `{}`", e.name), e.name);
  } else if (!ResolveC(e)) {
    std::vector<std::string> names;
    for (const FunctionRow& row : AllFunctions()) names.emplace_back(row.name);
    for (const LibraryMacro& macro : AllLibraryMacros()) names.emplace_back(macro.name);
    for (const CFunctionInfo& c : typed_.c_functions) names.push_back(c.name);
    diagnostics_.EmitWithHint(Diag::UnknownFunction, e.name_location, DidYouMean(e.name, names), e.name);
  }
  for (size_t i = 0; i < e.args.size(); ++i) {
    const Ident* word = As<Ident>(e.args[i]);
    const bool stack_mode = word != nullptr && typed_.Info(&e).builtin && FindBuiltin(word->name) == nullptr;
    missing_allowed_ = function != nullptr && function->id == FunctionId::Str && i == 0 && As<Positional>(e.args[i]) != nullptr;
    if (function != nullptr && function->id == FunctionId::Find && i == 2) Assigned(e.args[i]);
    if (!stack_mode) Visit(e.args[i]);  // the type pass knows the modes
    missing_allowed_ = false;
  }
}

// A parameter that reads as a number is one (also with a unit); anything else is a string. A missing one is 0, and "" for
// str().
void Resolver::operator()(const Positional& e) {
  ExprInfo& info = typed_.Info(&e);
  info.integer = input_.positional.size();
  if (e.index == 0) return;
  info.integer = 0;
  if (e.index > input_.positional.size()) {
    if (!missing_allowed_) diagnostics_.Emit(Diag::MissingPositional, e.location, e.index);
    return;
  }
  const std::string& text = input_.positional[e.index - 1];
  const bool negative = text.starts_with('-');
  const std::string digits = text.substr(negative ? 1 : 0);
  std::optional<uint64_t> number = ParseNumber(digits);
  if (!number) number = ParseDuration(digits);
  if (number && negative && *number > uint64_t{1} << 63) number.reset();
  if (number) {
    info.integer = negative ? -*number : *number;
    if (negative) info.type = typed_.types->Int(64, true);
  } else {
    info.integer.reset();
    info.string = text;
  }
}

// Gives every map of the script its number, in order of name.
void NumberMaps(const Ast& ast, Typed& typed, Diagnostics& diagnostics) {
  std::map<std::string, MapInfo> maps;
  for (const MapDecl& decl : ast.map_decls)
    maps.try_emplace(decl.name, MapInfo{decl.name, nullptr, nullptr, &decl, decl.location});
  std::vector<const MapRef*> refs;
  Walker walker;
  walker.on_expr = [&](const Expr& expr) {
    const MapRef* ref = As<MapRef>(&expr);
    if (ref == nullptr) return;
    refs.push_back(ref);
    maps.try_emplace(ref->name, MapInfo{ref->name, nullptr, nullptr, nullptr, ref->location});
  };
  for (const ProbeUnit& unit : typed.units) walker.Walk(*unit.probe);
  const auto is_used = [&](const MapDecl& decl) {
    return std::any_of(refs.begin(), refs.end(), [&](const MapRef* ref) { return ref->name == decl.name; });
  };
  for (const MapDecl& decl : ast.map_decls) {
    if (!typed.partial && !is_used(decl)) diagnostics.Emit(Diag::UnusedMap, decl.location, decl.name);
  }
  std::map<std::string, int> numbers;
  for (auto& [name, info] : maps) {
    numbers[name] = static_cast<int>(typed.maps.size());
    typed.maps.push_back(std::move(info));
  }
  for (const MapRef* ref : refs) typed.Info(ref).map = numbers[ref->name];
}

}  // namespace

void ResolveNames(const Ast& ast, const ScriptInput& input, TypeSource& source, Typed& typed, Diagnostics& diagnostics) {
  NumberMaps(ast, typed, diagnostics);
  Resolver resolver(input, source, typed, diagnostics);
  for (const ProbeUnit& unit : typed.units) resolver.ResolveUnit(unit);
}

}  // namespace kawk
