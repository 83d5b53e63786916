// Where things may stand: builtins by kind of probe, break and continue in loops, statements after the end, values that
// nobody takes. Calls are looked at in check_call.cpp.
#include "ast/passes/check.h"

#include <fmt/format.h>

#include "ast/passes/arguments.h"
#include "ast/passes/passes.h"

namespace kawk {
namespace {

constexpr Known kMostUnroll = 100;

// Whether the function's arguments may be types.
bool TakesTypes(FunctionId id) {
  return id == FunctionId::IsStr || id == FunctionId::IsPtr || id == FunctionId::IsArray || id == FunctionId::IsInteger ||
         id == FunctionId::IsUnsignedInteger || id == FunctionId::IsLiteral;
}

class Checker {
 public:
  Checker(const ScriptInput& input, Typed& typed, Diagnostics& diagnostics)
      : typed_(typed), diagnostics_(diagnostics), calls_(input, typed, diagnostics) {}

  void CheckUnit(const ProbeUnit& unit) {
    unit_ = &unit;
    calls_.StartUnit(unit);
    loops_ = 0;
    Visit(unit.probe->predicate);
    Visit(unit.probe->body);
  }

  void operator()(const IntLit&) {}
  void operator()(const BoolLit&) {}
  void operator()(const StrLit&) {}
  void operator()(const Ident& e) { CheckBuiltin(e); }
  void operator()(const ScratchVar&) {}
  void operator()(const MapRef&) {}
  void operator()(const Positional&) {}
  void operator()(const Index& e) {
    Visit(e.base);
    Visit(e.index);
  }
  void operator()(const Member& e) { Visit(e.base); }
  void operator()(const Call& e) {
    const std::optional<FunctionId> function = typed_.Info(&e).function;
    for (const Expr* arg : e.args) {
      if (As<TypeOf>(arg) == nullptr || !function || !TakesTypes(*function)) Visit(arg);
    }
    CheckBuiltin(e);
    calls_.Check(e);
  }
  void operator()(const Unary& e) { Visit(e.operand); }
  void operator()(const Binary& e) {
    Visit(e.left);
    Visit(e.right);
  }
  void operator()(const Ternary& e) {
    Visit(e.condition);
    VisitBranch(e.condition, true, e.then);
    VisitBranch(e.condition, false, e.otherwise);
  }
  void operator()(const Cast& e) { Visit(e.operand); }
  void operator()(const TupleExpr& e) { VisitAll(e.elements); }
  void operator()(const RecordExpr& e) { VisitAll(e.elements); }
  void operator()(const SizeOf& e) { VisitUnlessType(e.operand); }
  void operator()(const OffsetOf& e) { VisitUnlessType(e.operand); }
  void operator()(const TypeOf& e) {
    diagnostics_.EmitWithHint(Diag::NoValue, e.location, "a type stands in casts, `let`, `sizeof` and arguments of macros");
  }
  void operator()(const BlockExpr& e) {
    if (e.library != nullptr && !Fits(*e.library)) return;  // said when types were inferred
    VisitStatements(e.statements);
    Visit(e.value);
  }

  void operator()(const ExprStmt& s) {
    Visit(s.expr);
    CheckDiscarded(s.expr);
  }
  void operator()(const Assign& s) {
    Visit(s.value);
    Visit(s.target);
  }
  void operator()(const Discard& s) { Visit(s.expr); }
  void operator()(const Let& s) { Visit(s.value); }
  void operator()(const If& s) {
    Visit(s.condition);
    VisitBranch(s.condition, true, s.then);
    VisitBranch(s.condition, false, s.otherwise);
  }
  void operator()(const While& s) {
    diagnostics_.EmitWithHint(Diag::WhileDeprecated, s.location, "`for ($i : $from..$to) { … }` says how often it turns");
    Visit(s.condition);
    VisitLoop(s.body);
  }
  void operator()(const ForRange& s) {
    Visit(s.from);
    Visit(s.to);
    VisitLoop(s.body);
  }
  void operator()(const ForIn& s) {
    Visit(s.iterable);
    VisitLoop(s.body);
  }
  void operator()(const Unroll& s);
  void operator()(const Break& s) { CheckInLoop(s, "break"); }
  void operator()(const Continue& s) { CheckInLoop(s, "continue"); }
  void operator()(const Return& s) { Visit(s.value); }
  void operator()(const Block& s) { VisitStatements(s.statements); }

 private:
  // Whether a library macro was called with what it takes.
  bool Fits(const Call& call) const {
    Diagnostics unused;
    return CheckClasses(call, ParseSignature(FindLibraryMacro(call.name)->signature), typed_, unused);
  }

  void Visit(const Expr* expr) {
    if (expr != nullptr) VisitExpr(*expr, *this);
  }
  void Visit(const Stmt* stmt) {
    if (stmt != nullptr) VisitStmt(*stmt, *this);
  }
  void VisitUnlessType(const Expr* expr) {
    if (expr != nullptr && As<TypeOf>(expr) == nullptr) Visit(expr);
  }
  void VisitAll(const std::vector<Expr*>& list) {
    for (const Expr* expr : list) Visit(expr);
  }
  // What runs when the condition is `when`.
  template <class Branch>
  void VisitBranch(const Expr* condition, bool when, const Branch* branch) {
    const bool dead = condition != nullptr && typed_.Info(condition).integer && (*typed_.Info(condition).integer != 0) != when;
    if (dead) calls_.EnterDead();
    Visit(branch);
    if (dead) calls_.LeaveDead();
  }
  void VisitLoop(const Block* body) {
    ++loops_;
    Visit(body);
    --loops_;
  }
  void VisitStatements(const std::vector<Stmt*>& statements);
  void CheckBuiltin(const Expr& e);
  void CheckDiscarded(const Expr* expr);
  void CheckInLoop(const Stmt& s, const char* what) {
    if (loops_ == 0) diagnostics_.Emit(Diag::OutsideLoop, s.location, what);
  }
  bool Ends(const Stmt& stmt) const;

  Typed& typed_;
  Diagnostics& diagnostics_;
  CallChecker calls_;
  const ProbeUnit* unit_ = nullptr;
  int loops_ = 0;
};

void Checker::CheckBuiltin(const Expr& e) {
  const std::optional<BuiltinId> id = typed_.Info(&e).builtin;
  if (!id) return;
  const BuiltinRow& row = Row(*id);
  const ProbeRow& probe = Row(unit_->kind);
  if (row.probes == kAnyProbe || (row.probes & probe.flags) != 0) return;
  diagnostics_.EmitWithHint(Diag::BuiltinNotInProbe, e.location, fmt::format("it is in {}", ProbesWith(row.probes)), row.name,
                            probe.name);
}

// Whether nothing that follows the statement in its block runs.
bool Checker::Ends(const Stmt& stmt) const {
  if (As<Return>(&stmt) != nullptr || As<Break>(&stmt) != nullptr || As<Continue>(&stmt) != nullptr) return true;
  const ExprStmt* expr = As<ExprStmt>(&stmt);
  if (expr == nullptr || expr->expr == nullptr) return false;
  const std::optional<FunctionId> function = typed_.Info(expr->expr).function;
  return function && (Row(*function).flags & kEndsProbe) != 0;
}

void Checker::VisitStatements(const std::vector<Stmt*>& statements) {
  bool ended = false;
  for (const Stmt* stmt : statements) {
    if (stmt == nullptr) continue;
    if (ended) {
      diagnostics_.Emit(Diag::Unreachable, stmt->location);
      ended = false;  // once is enough
    }
    Visit(stmt);
    ended |= Ends(*stmt);
  }
}

void Checker::operator()(const Unroll& s) {
  Visit(s.count);
  if (s.count != nullptr && typed_.TypeOf(s.count) != nullptr) {
    const ExprInfo& info = typed_.Info(s.count);
    const Known count = info.integer ? Known{static_cast<int64_t>(*info.integer)} : 0;
    if (!info.integer || count < 1 || count > kMostUnroll) {
      diagnostics_.Emit(Diag::BadUnroll, s.count->location, static_cast<int>(kMostUnroll));
    }
  }
  const int outer = loops_;
  loops_ = 0;  // as in the peer, break and continue do not belong to unroll
  Visit(s.body);
  loops_ = outer;
}

void Checker::CheckDiscarded(const Expr* expr) {
  if (expr == nullptr) return;
  if (const Ternary* ternary = As<Ternary>(expr)) {
    if (typed_.TypeOf(expr) == typed_.types->None()) {
      CheckDiscarded(ternary->then);
      CheckDiscarded(ternary->otherwise);
      return;
    }
  }
  const Type* type = typed_.TypeOf(expr);
  if (type == nullptr || type->is(TypeKind::None)) return;
  const Unary* unary = As<Unary>(expr);
  if (unary != nullptr && unary->op >= UnaryOp::PreInc) return;
  // Its effect is what it is called for.
  const std::optional<FunctionId> function = typed_.Info(expr).function;
  if (function == FunctionId::Delete || function == FunctionId::Skboutput) return;
  if (diagnostics_.HasErrorIn(expr->location)) return;
  diagnostics_.EmitWithHint(Diag::DiscardedValue, expr->location, "write `_ = …;` if that is meant", ToString(type));
}

// Reading a map that nothing writes is most likely a misspelt name.
void CheckMaps(const Typed& typed, Diagnostics& diagnostics) {
  if (typed.partial) return;
  std::vector<std::string> names;
  for (const MapInfo& map : typed.maps) {
    if (map.written) names.push_back(map.name);
  }
  for (const MapInfo& map : typed.maps) {
    if (map.written || map.value == nullptr || map.decl != nullptr) continue;
    diagnostics.EmitWithHint(Diag::MapNeverWritten, map.first_use, DidYouMean(map.name, names), map.name);
  }
}

}  // namespace

std::string ProbesWith(uint32_t mask) {
  std::string list;
  for (const ProbeRow& row : AllProbes()) {
    if ((row.flags & mask) == 0) continue;
    if (!list.empty()) list += ", ";
    list += row.name;
  }
  return list;
}

void CheckRules(const ScriptInput& input, Typed& typed, Diagnostics& diagnostics) {
  Checker checker(input, typed, diagnostics);
  for (const ProbeUnit& unit : typed.units) checker.CheckUnit(unit);
  CheckMaps(typed, diagnostics);
}

}  // namespace kawk
