// Types of expressions other than binary operators and calls.
#include <fmt/format.h>

#include <algorithm>

#include "ast/attach_point.h"
#include "ast/passes/arguments.h"
#include "ast/passes/infer.h"

namespace kawk {

Flow Inference::Done(const Expr& expr, const Flow& flow) {
  ExprInfo& info = typed_.Info(&expr);
  info.type = Resolved(flow);
  info.integer.reset();
  info.string.reset();
  return flow;
}

Flow Inference::Constant(const Expr& expr, Known value) {
  const Flow flow = Done(expr, Flow::Literal(BitsOf(value), value < 0));
  typed_.Info(&expr).integer = BitsOf(value);
  return flow;
}

Flow Inference::ConstantBool(const Expr& expr, bool value) {
  const Flow flow = Done(expr, Flow::Of(types().Bool()));
  typed_.Info(&expr).integer = value;
  return flow;
}

Flow Inference::ConstantString(const Expr& expr, std::string value) {
  const Flow flow = Done(expr, Flow::Of(types().String(value.size() + 1)));
  typed_.Info(&expr).string = std::move(value);
  return flow;
}

std::optional<Known> Inference::KnownValue(const Expr* expr) const {
  if (expr == nullptr) return std::nullopt;
  const ExprInfo& info = typed_.Info(expr);
  if (!info.integer || info.type == nullptr) return std::nullopt;
  return info.type->is_signed ? Known{static_cast<int64_t>(*info.integer)} : Known{*info.integer};
}

// Whether the value is a constant that takes the type of its context. Casts and options are some that do not.
bool Inference::IsOpen(const Expr* expr) const {
  if (expr == nullptr || !typed_.Info(expr).integer) return false;
  if (As<Cast>(expr) != nullptr || As<Call>(expr) != nullptr) return false;
  return typed_.TypeOf(expr) != nullptr && typed_.TypeOf(expr)->is(TypeKind::Int);
}

Flow Inference::AsNumber(Flow flow) {
  if (flow.type != nullptr && flow.type->IsAggregate()) {
    if (const Type* number = types().AggregateInt(flow.type)) flow.type = number;
  }
  return flow;
}

// Gives a constant the type of its context, so that nobody has to ask again what it is compared with.
void Inference::Adapt(const Expr* expr, const Type* type) {
  if (IsOpen(expr) && type->is(TypeKind::Int)) typed_.Info(expr).type = type;
}

// --- literals and names ---

Flow Inference::operator()(const IntLit& e) { return Constant(e, e.value); }
Flow Inference::operator()(const BoolLit& e) { return ConstantBool(e, e.value); }
Flow Inference::operator()(const StrLit& e) { return ConstantString(e, e.value); }

Flow Inference::operator()(const Ident& e) {
  const std::optional<BuiltinId> builtin = typed_.Info(&e).builtin;
  if (builtin == BuiltinId::ProbeType) return BuiltinFlow(e, *builtin);  // a constant
  if (builtin) return Done(e, BuiltinFlow(e, *builtin));
  const std::optional<NamedConstant> constant = source_.FindConstant(e.name);
  if (!constant) return Done(e, {});
  if (constant->string) return ConstantString(e, *constant->string);
  if (constant->enumeration == nullptr) return Constant(e, constant->value);
  const Flow flow = Done(e, Flow::Of(constant->enumeration));
  typed_.Info(&e).integer = BitsOf(constant->value);
  return flow;
}

Flow Inference::operator()(const ScratchVar& e) {
  const int variable = typed_.Info(&e).variable;
  if (variable < 0) return Done(e, {});
  const Type* type = typed_.variables[variable].type;
  if (type == nullptr && !variables_[variable].assigned) Report(Diag::UnknownVariableType, e.location, e.name);
  return Done(e, Flow::Of(type));
}

// The resolver read the parameters: an integer, or else a string.
Flow Inference::operator()(const Positional& e) {
  const ExprInfo& info = typed_.Info(&e);
  if (info.string) return ConstantString(e, *info.string);
  const auto value = static_cast<int64_t>(info.integer.value_or(0));
  const bool negative = info.type != nullptr && info.type->is_signed && value < 0;
  return Constant(e, negative ? Known{value} : Known{info.integer.value_or(0)});
}

// --- maps ---

Flow Inference::operator()(const MapRef& e) { return ReadMap(e, typed_.Info(&e).map, nullptr); }

Flow Inference::ReadMap(const Expr& expr, int map, const Expr* key) {
  if (map >= 0) maps_[map].read = true;
  return Done(expr, UseMap(expr, map, key));
}

// A map that is read, written or whose keys are asked for: how it is used, and its key.
Flow Inference::UseMap(const Expr& expr, int map, const Expr* key) {
  if (map < 0) {
    Visit(key);
    return {};
  }
  MapUse& use = maps_[map];
  const std::string& name = typed_.maps[map].name;
  if (key != nullptr) {
    if (use.scalar) Report(Diag::KeyedUseOfScalar, expr.location, name);
    use.keyed |= !use.scalar;
    MergeKey(map, key->location, key);
  } else {
    if (use.keyed) ReportWithHint(Diag::ScalarUseOfKeyed, expr.location, fmt::format("write `{}[…]`", name), name);
    use.scalar |= !use.keyed;
  }
  return Done(expr, Flow::Of(typed_.maps[map].value));
}

void Inference::MergeKey(int map, const Location& location, const Expr* key) {
  const Flow flow = AsNumber(Visit(key));
  const Type* type = Resolved(flow);
  if (type == nullptr) return;
  const std::string& name = typed_.maps[map].name;
  if (SizeOfType(type) == 0 || type->IsAggregate()) {
    Report(Diag::BadKey, location, ToString(type));
    return;
  }
  Slot& slot = maps_[map].key;
  if (!Merge(slot.flow, flow, types()) && Resolved(slot.flow) != nullptr) {
    Report(Diag::KeyMismatch, location, name, ToString(Resolved(slot.flow)), ToString(type));
  }
}

// --- parts of values ---

Flow Inference::operator()(const Index& e) {
  if (const MapRef* ref = As<MapRef>(e.base)) {
    typed_.Info(&e).map = typed_.Info(ref).map;
    const Flow value = ReadMap(e, typed_.Info(ref).map, e.index);
    typed_.Info(ref).type = typed_.Info(&e).type;
    return value;
  }
  const Flow base = Visit(e.base);
  const Flow index = AsNumber(Visit(e.index));
  const Type* type = Resolved(base);
  const Type* index_type = Resolved(index);
  if (type == nullptr || index_type == nullptr) return Done(e, {});
  if (type->is(TypeKind::Tuple)) return IndexTuple(e, base, KnownValue(e.index));
  if (!index_type->IsInteger()) {
    Report(Diag::BadIndex, e.index->location, ToString(index_type));
    return Done(e, {});
  }
  return IndexElements(e, type);
}

Flow Inference::IndexTuple(const Expr& e, const Flow& base, std::optional<Known> index) {
  const Type* type = Resolved(base);
  if (!index) {
    Report(Diag::TupleIndexNotConstant, e.location);
    return Done(e, {});
  }
  if (*index < 0 || *index >= static_cast<Known>(type->members.size())) {
    Report(Diag::IndexOutOfRange, e.location, static_cast<int64_t>(*index), ToString(type));
    return Done(e, {});
  }
  const auto at = static_cast<size_t>(*index);
  return Done(e, base.is_tuple ? base.members[at] : Flow::Of(type->members[at]));
}

Flow Inference::Elements(const Expr& e, const std::vector<Expr*>& elements, const std::vector<std::string>& names) {
  Flow flow;
  flow.is_tuple = true;
  flow.names = names;
  for (const Expr* element : elements) {
    flow.members.push_back(AsNumber(Visit(element)));
    const Type* type = Resolved(flow.members.back());
    if (type == nullptr) continue;
    if (type->is(TypeKind::None) || type->IsAggregate()) {
      Report(Diag::BadTupleElement, element->location, ToString(type));
      flow.members.back() = {};
    }
  }
  return Done(e, flow);
}

Flow Inference::operator()(const TupleExpr& e) { return Elements(e, e.elements, {}); }

Flow Inference::operator()(const RecordExpr& e) {
  for (size_t i = 0; i < e.names.size(); ++i) {
    const auto first = std::find(e.names.begin(), e.names.end(), e.names[i]);
    if (first != e.names.begin() + static_cast<long>(i)) Report(Diag::DuplicateName, e.elements[i]->location, e.names[i]);
  }
  return Elements(e, e.elements, e.names);
}

// --- operators ---

Flow Inference::operator()(const Unary& e) {
  if (e.op >= UnaryOp::PreInc) return Step(e);
  const Flow flow = AsNumber(Visit(e.operand));
  if (e.op == UnaryOp::Deref) return Deref(e, Resolved(flow));
  if (e.op == UnaryOp::AddressOf) return AddressOf(e, Resolved(flow));
  const Type* type = Resolved(flow);
  if (type == nullptr) return Done(e, {});
  if (e.op == UnaryOp::Not) {
    if (!type->IsScalar()) {
      Report(Diag::BadOperand, e.location, Spelling(e.op), ToString(type));
      return Done(e, {});
    }
    const std::optional<Known> known = KnownValue(e.operand);
    return known ? ConstantBool(e, *known == 0) : Done(e, Flow::Of(types().Bool()));
  }
  if (!type->is(TypeKind::Int) && !type->is(TypeKind::Enum)) {
    Report(Diag::BadOperand, e.location, Spelling(e.op), ToString(type));
    return Done(e, {});
  }
  if (IsOpen(e.operand)) {
    const std::optional<Known> value = FoldUnary(e.op, *KnownValue(e.operand));
    if (value) return Constant(e, *value);
    Report(Diag::FoldOverflow, e.location);
    return Done(e, {});
  }
  return Done(e, Flow::Of(types().Int(64, type->is_signed)));
}

// `++` and `--`. As a contribution to the target's type they only ask for width; `--` also for a sign.
Flow Inference::Step(const Unary& e) {
  const int variable = typed_.Info(e.operand).variable;
  const bool declared = variable >= 0 && variables_[variable].declared != nullptr;
  const bool down = !declared && (e.op == UnaryOp::PreDec || e.op == UnaryOp::PostDec);
  const Flow flow = down ? Flow::Of(types().Int(64, true)) : Flow::Width(64);
  const ExprInfo& target = typed_.Info(e.operand);
  const Type* before = target.type;
  if (before != nullptr && before->is(TypeKind::Pointer)) {
    Visit(e.operand);
    return Done(e, Flow::Of(before));
  }
  AssignTo(*e.operand, *e.operand, flow);
  return Done(e, Flow::Of(typed_.TypeOf(e.operand)));
}

Flow Inference::operator()(const Ternary& e) {
  const Flow condition_flow = Condition(e.condition);
  const Flow then = e.then == nullptr ? condition_flow : AsNumber(Visit(e.then));  // `a ?: b`
  const Flow otherwise = AsNumber(Visit(e.otherwise));
  for (const Flow& branch : {then, otherwise}) {  // a histogram has no value to choose
    if (branch.type == nullptr || !branch.type->IsAggregate()) continue;
    Report(Diag::BadOperand, e.location, "?:", ToString(branch.type));
    return Done(e, {});
  }
  const bool void_then = then.type == types().None();
  const bool void_otherwise = otherwise.type == types().None();
  if (void_then || void_otherwise) return Done(e, Flow::Of(types().None()));
  const std::optional<Known> condition = KnownValue(e.condition);
  const Expr* chosen = !condition ? nullptr : *condition == 0 ? e.otherwise : e.then != nullptr ? e.then : e.condition;
  if (chosen != nullptr && IsOpen(chosen)) return Constant(e, *KnownValue(chosen));
  if (chosen != nullptr && typed_.Info(chosen).string) return ConstantString(e, *typed_.Info(chosen).string);
  Flow both = then;
  if (!Merge(both, otherwise, types())) {
    if (chosen != nullptr) return Done(e, Flow::Of(Resolved(*condition == 0 ? otherwise : then)));  // the other one never is
    if (Resolved(then) == nullptr || Resolved(otherwise) == nullptr) return Done(e, {});
    Report(Diag::BranchMismatch, e.location, ToString(Resolved(then)), ToString(Resolved(otherwise)));
    return Done(e, {});
  }
  return Done(e, Flow::Of(Resolved(both)));
}

Flow Inference::operator()(const BlockExpr& e) {
  if (e.library != nullptr && reporting_) {
    // What is wrong in the body of a library macro that was called wrongly, the user need not know.
    const Signature signature = ParseSignature(FindLibraryMacro(e.library->name)->signature);
    if (!CheckClasses(*e.library, signature, typed_, diagnostics_))
      return Done(e, Flow::Of(TypeFromText(signature.result, types())));
  }
  for (const Stmt* stmt : e.statements) Visit(stmt);
  const Flow flow = e.value != nullptr ? Visit(e.value) : Flow::Of(types().None());
  if (const Type* number = AsNumber(flow).type; number != nullptr && number->IsAggregate()) {
    Report(Diag::BadOperand, e.value->location, "{}", ToString(number));
    return Done(e, {});
  }
  if (e.value == nullptr || !e.statements.empty()) return Done(e, AsNumber(flow));
  if (IsOpen(e.value)) return Constant(e, *KnownValue(e.value));
  const ExprInfo value = typed_.Info(e.value);
  Done(e, AsNumber(flow));
  if (value.integer && value.type->IsInteger()) typed_.Info(&e).integer = value.integer;
  if (value.string) typed_.Info(&e).string = value.string;
  return flow;
}

}  // namespace kawk
