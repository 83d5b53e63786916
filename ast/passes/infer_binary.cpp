// Binary operators. Arithmetic is done in 64 bits: unsigned when no operand is signed, except that a difference always is
// signed. Comparisons are done in the type that holds both operands; the constants among them take the other's type.
#include <fmt/format.h>

#include "ast/passes/infer.h"

namespace kawk {
namespace {

bool AreTuples(const Type& a, const Type& b) {
  return (a.is(TypeKind::Tuple) && b.is(TypeKind::Tuple)) || (a.is(TypeKind::Record) && b.is(TypeKind::Record));
}

}  // namespace

Flow Inference::operator()(const Binary& e) {
  if (IsLogical(e.op)) {
    Condition(e.left);
    Condition(e.right);
    const std::optional<Known> left = KnownValue(e.left);
    const std::optional<Known> right = KnownValue(e.right);
    if (left && right) return ConstantBool(e, *FoldBinary(e.op, *left, *right) != 0);
    return Done(e, Flow::Of(types().Bool()));
  }
  const Flow left = AsNumber(Visit(e.left));
  const Flow right = AsNumber(Visit(e.right));
  typed_.Info(&e).operands = nullptr;
  if (IsOpen(e.left) && IsOpen(e.right)) return Fold(e, *KnownValue(e.left), *KnownValue(e.right));
  if (const std::optional<Flow> folded = FoldStrings(e)) return *folded;
  return IsComparison(e.op) ? Compare(e, left, right) : Arithmetic(e, left, right);
}

Flow Inference::Fold(const Binary& e, Known left, Known right) {
  const std::optional<Known> value = FoldBinary(e.op, left, right);
  if (value) return IsComparison(e.op) ? ConstantBool(e, *value != 0) : Constant(e, *value);
  const bool division = (e.op == BinaryOp::Div || e.op == BinaryOp::Mod) && right == 0;
  if (division) {
    Report(Diag::DivisionByZero, e.location);
  } else if (IsShift(e.op) && (right < 0 || right >= 64)) {
    Report(Diag::ShiftOutOfRange, e.right->location, static_cast<int64_t>(right));
  } else {
    Report(Diag::FoldOverflow, e.location);
  }
  return Done(e, {});
}

// "a" + "b", "abc" + 1 (what is left without its first byte) and comparisons of string literals.
std::optional<Flow> Inference::FoldStrings(const Binary& e) {
  if (e.left == nullptr || e.right == nullptr) return std::nullopt;
  const std::optional<std::string>& left = typed_.Info(e.left).string;
  const std::optional<std::string>& right = typed_.Info(e.right).string;
  if (e.op == BinaryOp::Add && (left || right) && (IsOpen(e.left) || IsOpen(e.right))) return Rest(e, left ? *left : *right);
  if (!left || !right) return std::nullopt;
  if (e.op == BinaryOp::Add) return ConstantString(e, *left + *right);
  if (!IsComparison(e.op)) return std::nullopt;
  return ConstantBool(e, *FoldBinary(e.op, left->compare(*right), 0) != 0);
}

// The string from the byte that is as far in as the number says.
Flow Inference::Rest(const Binary& e, const std::string& text) {
  const Known skipped = *KnownValue(IsOpen(e.left) ? e.left : e.right);
  if (skipped < 0 || skipped >= static_cast<Known>(text.size())) {
    Report(Diag::EmptyRest, e.location);
    return ConstantString(e, "");
  }
  return ConstantString(e, text.substr(static_cast<size_t>(skipped)));
}

void Inference::BadOperands(const Binary& e, const Flow& left, const Flow& right) {
  Report(Diag::BadOperands, e.location, Spelling(e.op), ToString(Resolved(left)), ToString(Resolved(right)));
}

// A uint64 that is taken as an int64: large values turn negative.
void Inference::WarnLossy(const Expr* expr, const Type* to) {
  const Type* from = expr == nullptr ? nullptr : Resolved(AsNumber(Flow::Of(typed_.TypeOf(expr))));
  if (from == nullptr || to == nullptr || !from->is(TypeKind::Int) || !to->is(TypeKind::Int)) return;
  if (from->is_signed || from->bits < 64 || !to->is_signed || typed_.Info(expr).integer) return;
  ReportWithHint(Diag::ImplicitConversion, expr->location, "cast it: `(int64)…`", ToString(from), ToString(to));
}

Flow Inference::Compare(const Binary& e, const Flow& left, const Flow& right) {
  const Type* left_type = Resolved(left);
  const Type* right_type = Resolved(right);
  const Flow result = Done(e, Flow::Of(types().Bool()));
  if (left_type == nullptr || right_type == nullptr) return result;
  const bool equality = e.op == BinaryOp::Eq || e.op == BinaryOp::Ne;
  if (left_type->is(TypeKind::Pointer) || right_type->is(TypeKind::Pointer)) {
    if (left_type->IsScalar() && right_type->IsScalar()) {
      typed_.Info(&e).operands = types().Int(64, false);
      const bool pointers = left_type->is(TypeKind::Pointer) && right_type->is(TypeKind::Pointer);
      if (pointers && left_type->element != right_type->element) {
        Report(Diag::DistinctPointers, e.location, ToString(left_type), ToString(right_type));
      }
    } else {
      BadOperands(e, left, right);
    }
    return result;
  }
  if (left_type->is(TypeKind::Bool) != right_type->is(TypeKind::Bool) && left_type->IsInteger() && right_type->IsInteger()) {
    typed_.Info(&e).operands = types().Int(64, left_type->is_signed || right_type->is_signed);
    return result;
  }
  Flow both = left;
  const bool comparable =
      left_type->IsInteger() ||
      (equality && (left_type->is(TypeKind::String) || left_type->is(TypeKind::Array) || AreTuples(*left_type, *right_type)));
  if (equality && AreTuples(*left_type, *right_type) && !Merge(both, right, types())) {
    Report(Diag::NeverEqual, e.location, ToString(left_type), ToString(right_type));
    return ConstantBool(e, e.op == BinaryOp::Ne);
  }
  bool lossy = false;
  if (!comparable || !Merge(both, right, types(), &lossy)) {
    BadOperands(e, left, right);
    return result;
  }
  const Type* common = Resolved(both);
  typed_.Info(&e).operands = common;
  Adapt(e.left, common);
  Adapt(e.right, common);
  WarnLossy(e.left, common);
  WarnLossy(e.right, common);
  return result;
}

Flow Inference::Arithmetic(const Binary& e, const Flow& left, const Flow& right) {
  const Type* left_type = Resolved(left);
  const Type* right_type = Resolved(right);
  // One side may not be known yet: say no more than that it is an integer.
  if (left_type == nullptr || right_type == nullptr) {
    const Type* known = left_type != nullptr ? left_type : right_type;
    if (known == nullptr || !known->IsInteger()) return Done(e, {});
    return Done(e, e.op == BinaryOp::Sub ? Flow::Of(types().Int(64, true)) : Flow::Width(64));
  }
  if (left_type->is(TypeKind::Pointer) || right_type->is(TypeKind::Pointer)) return PointerArithmetic(e, left_type, right_type);
  if (!left_type->IsInteger() || !right_type->IsInteger()) {
    BadOperands(e, left, right);
    return Done(e, {});
  }
  const auto sign = [](const Flow& flow) { return flow.open && flow.type == nullptr ? flow.least < 0 : flow.type->is_signed; };
  const bool left_open = left.open && left.type == nullptr;
  const bool right_open = right.open && right.type == nullptr;
  // Two open flows that are no constants (of a tuple's literals) make a plain signed number. How far to shift says nothing.
  const bool by_right = (!IsShift(e.op) || left_open) && sign(right);
  const bool is_signed = sign(left) || by_right || (left_open && right_open);
  const Type* operands = types().Int(64, is_signed);
  if (is_signed) {
    WarnLossy(e.left, operands);
    if (!IsShift(e.op)) WarnLossy(e.right, operands);
  }
  const Type* result = e.op == BinaryOp::Sub ? types().Int(64, true) : operands;
  typed_.Info(&e).operands = result;
  Adapt(e.left, result);
  Adapt(e.right, result);
  return Done(e, Flow::Of(result));
}

// `p + n` and `p - n` in units of the pointee; the difference of two pointers is a number of bytes' worth of elements.
Flow Inference::PointerArithmetic(const Binary& e, const Type* left, const Type* right) {
  const bool add = e.op == BinaryOp::Add;
  if (left->is(TypeKind::Pointer) && right->IsInteger() && (add || e.op == BinaryOp::Sub)) return Done(e, Flow::Of(left));
  if (right->is(TypeKind::Pointer) && left->IsInteger() && add) return Done(e, Flow::Of(right));
  if (left->is(TypeKind::Pointer) && left == right && e.op == BinaryOp::Sub) return Done(e, Flow::Of(types().Int(64, true)));
  BadOperands(e, Flow::Of(left), Flow::Of(right));
  return Done(e, {});
}

}  // namespace kawk
