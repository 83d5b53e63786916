// The type pass: rounds to a fixed point, and statements. See infer.h for the idea.
#include "ast/passes/infer.h"

#include <fmt/format.h>

#include "ast/passes/passes.h"
#include "ast/walk.h"

namespace kawk {
namespace {

constexpr int kFreeRounds = 24;  // after these, types may only grow
constexpr int kMostRounds = 64;

// As scripts write it: an aggregate by its function.
std::string Shown(const Type* type) { return type->IsAggregate() ? AggregateName(type->kind) : ToString(type); }

}  // namespace

void InferTypes(const ScriptInput& input, TypeSource& source, Typed& typed, Diagnostics& diagnostics) {
  Inference(input, source, typed, diagnostics).Run();
}

bool Inference::CallsKsym() const {
  bool calls = false;
  Walker walker;
  walker.on_expr = [&](const Expr& expr) { calls |= typed_.Info(&expr).function == FunctionId::Ksym; };
  for (const ProbeUnit& unit : typed_.units) walker.Walk(*unit.probe);
  return calls;
}

void Inference::Run() {
  uses_ksym_ = CallsKsym();
  int rounds = 0;
  while (Round() && ++rounds < kMostRounds) accumulate_ = rounds >= kFreeRounds;
  GiveDefaults();
  while (Round() && ++rounds < 2 * kMostRounds) accumulate_ = rounds >= kFreeRounds;
  reporting_ = true;
  Round();
  source_.SetProgram("");
}

bool Inference::Round() {
  if (!accumulate_) {
    variables_.assign(typed_.variables.size(), {});
    maps_.assign(typed_.maps.size(), {});
  }
  for (const ProbeUnit& unit : typed_.units) {
    unit_ = &unit;
    source_.SetProgram((Row(unit.kind).flags & kUserSpace) != 0 ? unit.targets[0].path : "");
    if (unit.probe->predicate != nullptr) Condition(unit.probe->predicate);
    Visit(unit.probe->body);
  }
  bool changed = false;
  const auto update = [&](const Type*& known, const Slot& slot) {
    const Type* now = slot.declared != nullptr ? slot.declared : Resolved(slot.flow);
    if (now == nullptr || now == known) return;  // what GiveDefaults gave stays
    known = now;
    changed = true;
  };
  for (size_t i = 0; i < variables_.size(); ++i) update(typed_.variables[i].type, variables_[i]);
  for (size_t i = 0; i < maps_.size(); ++i) {
    update(typed_.maps[i].key, maps_[i].key);
    update(typed_.maps[i].value, maps_[i].value);
  }
  return changed;
}

// Maps that are read but never written hold integers, as in the peer. Those only named, as in print(@x), are left to the
// check pass.
void Inference::GiveDefaults() {
  for (size_t i = 0; i < maps_.size(); ++i) {
    MapInfo& map = typed_.maps[i];
    if (map.value == nullptr && (maps_[i].read || typed_.partial || map.decl != nullptr)) map.value = types().Int(64, true);
  }
}

Flow Inference::Visit(const Expr* expr) {
  if (expr == nullptr) return {};
  return VisitExpr(*expr, *this);
}

void Inference::Visit(const Stmt* stmt) {
  if (stmt != nullptr) VisitStmt(*stmt, *this);
}

Flow Inference::Condition(const Expr* expr) {
  Flow flow = AsNumber(Visit(expr));
  const Type* type = Resolved(flow);
  if (type != nullptr && !type->IsScalar()) {
    const bool text = type->is(TypeKind::String);
    ReportWithHint(Diag::BadCondition, expr->location, text ? "compare it: `… != \"\"`" : "", ToString(type));
  }
  return flow;
}

// --- assignment ---

void Inference::operator()(const Assign& s) {
  if (s.target == nullptr || s.value == nullptr) {
    Visit(s.value);
    return;
  }
  if (s.compound) {
    const Flow flow = CompoundFlow(s.op, *s.target, *s.value);
    AssignTo(*s.target, s.op == BinaryOp::Sub ? *s.target : *s.value, flow);  // a difference is signed by rule: no warning
    return;
  }
  allowed_aggregate_ = As<ScratchVar>(s.target) == nullptr ? As<Call>(s.value) : nullptr;
  AssignTo(*s.target, *s.value, Visit(s.value));
}

void Inference::AssignTo(const Expr& target, const Expr& value, const Flow& flow) {
  const int variable = typed_.Info(&target).variable;
  if (variable >= 0) variables_[variable].assigned = true;
  if (flow.type == types().None()) {
    Report(Diag::NoValue, value.location);
    if (As<ScratchVar>(&target) == nullptr) AssignToMap(target, value, {});
    return;
  }
  if (As<ScratchVar>(&target) == nullptr) {
    AssignToMap(target, value, flow);
  } else if (variable >= 0) {
    AssignToVariable(variable, value, flow);
    typed_.Info(&target).type = typed_.variables[variable].type;
  }
}

void Inference::AssignToVariable(int variable, const Expr& value, const Flow& flow) {
  const Flow number = AsNumber(flow);
  const VariableInfo& info = typed_.variables[variable];
  if (number.type != nullptr && number.type->IsAggregate()) {
    Report(Diag::AggregateToVariable, value.location, ToString(number.type));
    return;
  }
  MergeValue(variables_[variable], info.name, value.location, number);
  WarnLossy(&value, info.type);
}

void Inference::AssignToMap(const Expr& target, const Expr& value, const Flow& flow) {
  const Index* index = As<Index>(&target);
  const MapRef* ref = As<MapRef>(index != nullptr ? index->base : &target);
  if (ref == nullptr) {
    const bool known = Visit(&target).known();
    if (known || As<Ident>(&target) == nullptr) Report(Diag::NotAssignable, target.location);  // else its name is the mistake
    return;
  }
  typed_.Info(&target).map = typed_.Info(ref).map;
  const Flow seen = UseMap(target, typed_.Info(ref).map, index != nullptr ? index->index : nullptr);
  if (typed_.Info(ref).map < 0) return;
  const int map = typed_.Info(ref).map;
  const bool from_call = As<Call>(&value) != nullptr;
  if (flow.type != nullptr && flow.type->IsAggregate() && !from_call) {
    const bool number = types().AggregateInt(flow.type) != nullptr;
    ReportWithHint(Diag::AggregateCopy, value.location, number ? "cast it to take its value: `(int64)…`" : "",
                   ToString(flow.type));
    return;
  }
  if (const Type* type = Resolved(flow); type != nullptr && SizeOfType(type) == 0) {  // `()`
    Report(Diag::NoValue, value.location);
    return;
  }
  typed_.maps[map].written = true;
  MergeValue(maps_[map].value, typed_.maps[map].name, value.location, flow);
  if (flow.type == nullptr || !flow.type->IsAggregate()) WarnLossy(&value, Resolved(seen));
}

void Inference::MergeValue(Slot& slot, const std::string& name, const Location& location, const Flow& flow) {
  slot.assigned = true;
  if (slot.declared != nullptr) {
    CheckDeclared(slot.declared, name, location, flow);
    return;
  }
  if (Merge(slot.flow, flow, types())) return;
  if (IsTooDeep(flow)) {
    Report(Diag::TypeTooDeep, location, name);
    return;
  }
  const Type* before = Resolved(slot.flow);
  const Type* now = Resolved(flow);
  if (before == nullptr || now == nullptr) return;  // a part of it is an error already
  if (before->IsAggregate() && before->kind == now->kind) {
    ReportWithHint(Diag::AggregateArguments, location, "use another map for these", name, AggregateName(before->kind));
    return;
  }
  const bool plain = before->IsAggregate() && !now->IsAggregate();
  ReportWithHint(Diag::TypeMismatch, location,
                 plain ? fmt::format("it is updated by `{} = {}` only", name, AggregateName(before->kind)) : "", name,
                 Shown(before), Shown(now));
}

void Inference::CheckDeclared(const Type* declared, const std::string& name, const Location& location, const Flow& flow) {
  const Type* from = Resolved(flow);
  if (from == nullptr || from == declared) return;
  if (declared->is(TypeKind::Int) && flow.open && flow.type == nullptr) {
    if (!Fits(flow, declared)) Report(Diag::LiteralDoesNotFit, location, ToString(declared), name);
    return;
  }
  if (declared->is(TypeKind::Int) && from->is(TypeKind::Int)) {
    if (from->bits > declared->bits || (from->bits == declared->bits && from->is_signed != declared->is_signed)) {
      ReportWithHint(Diag::ImplicitConversion, location, fmt::format("cast it: `({})…`", ToString(declared)), ToString(from),
                     ToString(declared));
    }
    return;
  }
  if (declared->is(TypeKind::Pointer) && from->is(TypeKind::Pointer)) return;  // as in the peer: the declaration says what it is
  Flow merged = Flow::Of(declared);
  if (!Merge(merged, flow, types()) || Resolved(merged) != declared) {
    Report(Diag::TypeMismatch, location, name, ToString(declared), ToString(from));
  }
}

// What `target op= value` brings to the target. Its own type is not looked at: it is in the slot anyway, and a first guess
// of it must not come back as if it were known.
Flow Inference::CompoundFlow(BinaryOp op, const Expr& target, const Expr& value) {
  Flow flow = AsNumber(Visit(&value));
  const Type* type = Resolved(flow);
  const Type* target_type = typed_.Info(&target).type;
  if (type != nullptr && !type->IsScalar()) {
    Report(Diag::BadOperand, value.location, fmt::format("{}=", Spelling(op)), ToString(type));
    return {};
  }
  if (target_type != nullptr && target_type->is(TypeKind::Pointer)) return Flow::Of(target_type);
  if (op == BinaryOp::Sub) return Flow::Of(types().Int(64, true));
  Flow width = Flow::Width(64);
  if (IsShift(op)) return width;
  if (flow.type != nullptr && flow.type->is(TypeKind::Bool)) return width;
  Merge(width, flow, types());
  return width;
}

void Inference::operator()(const Let& s) {
  const int variable = typed_.lets[s.id.value];
  Flow flow = Visit(s.value);
  if (variable < 0) return;
  Slot& slot = variables_[variable];
  const bool any_length = s.type != nullptr && TypeTable::SizedKind(s.type->name) == TypeKind::String &&
                          s.type->postfixes.empty() && s.type->of_expr == nullptr && s.type->of_type == nullptr;
  if (any_length) MergeValue(slot, s.name, s.type->location, Flow::Of(types().String(1)));  // `let $s: string`
  if (s.type != nullptr && !any_length) slot.declared = TypeOfSpec(s.type);
  if (s.value == nullptr) return;
  if (flow.type == types().None()) {
    Report(Diag::NoValue, s.value->location);
    return;
  }
  AssignToVariable(variable, *s.value, flow);
}

// --- the other statements ---

void Inference::operator()(const ExprStmt& s) { Visit(s.expr); }
void Inference::operator()(const Discard& s) { Visit(s.expr); }

void Inference::operator()(const If& s) {
  if (s.condition != nullptr) Condition(s.condition);
  Visit(s.then);
  Visit(s.otherwise);
}

void Inference::operator()(const While& s) {
  if (s.condition != nullptr) Condition(s.condition);
  Visit(s.body);
}

void Inference::operator()(const ForRange& s) {
  const int variable = typed_.lets[s.id.value];
  for (const Expr* bound : {s.from, s.to}) {
    const Flow flow = AsNumber(Visit(bound));
    const Type* type = Resolved(flow);
    if (type != nullptr && !type->is(TypeKind::Int) && !type->is(TypeKind::Enum)) {
      Report(Diag::BadRangeBound, bound->location, ToString(type));
    } else if (variable >= 0 && bound != nullptr) {
      MergeValue(variables_[variable], s.variable, bound->location, flow);
    }
  }
  Visit(s.body);
}

// `$x` is one element of an array after another.
void Inference::ForElements(const ForIn& s) {
  const int variable = typed_.lets[s.id.value];
  const Type* type = Resolved(Visit(s.iterable));
  const bool array = type != nullptr && type->is(TypeKind::Array);
  if (type != nullptr && (!array || type->length == 0)) {
    ReportWithHint(Diag::NotIterable, s.iterable->location,
                   array ? "this array has no length: `for ($i : 0..$n)` says how many elements there are" : "");
  } else if (array && variable >= 0) {
    variables_[variable].declared = AsSeen(type->element, typed_.Info(s.iterable).space);
    variables_[variable].assigned = true;
  }
  Visit(s.body);
}

// `$kv` is a pair of key and value, the numbers of aggregates read across CPUs.
void Inference::operator()(const ForIn& s) {
  const MapRef* ref = As<MapRef>(s.iterable);
  const int map = ref != nullptr ? typed_.Info(ref).map : -1;
  const Type* held = map < 0 ? nullptr : typed_.maps[map].value;
  if (map < 0 || (held != nullptr && held->is(TypeKind::Array) && !maps_[map].keyed)) return ForElements(s);
  const int variable = typed_.lets[s.id.value];
  MapUse& use = maps_[map];
  const MapInfo& info = typed_.maps[map];
  typed_.Info(ref).type = info.value;
  if (use.scalar) {
    Report(Diag::ScalarNotIterable, ref->location, info.name);
  } else if (info.value != nullptr && info.value->IsAggregate() && types().AggregateInt(info.value) == nullptr) {
    Report(Diag::ValueNotIterable, ref->location, ToString(info.value));
  } else if (variable >= 0 && info.key != nullptr && info.value != nullptr) {
    const Type* value = info.value->IsAggregate() ? types().AggregateInt(info.value) : info.value;
    variables_[variable].declared = types().Tuple({info.key, value});
    variables_[variable].assigned = true;
  } else if (info.value == nullptr && !typed_.partial) {
    Report(Diag::UndefinedMap, ref->location, info.name);
  }
  Visit(s.body);
}

void Inference::operator()(const Unroll& s) {
  Visit(s.count);
  Visit(s.body);
}

void Inference::operator()(const Return& s) {
  if (s.value == nullptr) return;
  const Type* type = Resolved(AsNumber(Visit(s.value)));
  if (type != nullptr && !type->IsInteger()) Report(Diag::BadReturn, s.value->location, ToString(type));
}

void Inference::operator()(const Block& s) {
  for (const Stmt* stmt : s.statements) Visit(stmt);
}

}  // namespace kawk
