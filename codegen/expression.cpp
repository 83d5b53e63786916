// Expressions: one overload per kind of node. Operations on scalars are LLVM integer operations in the type that the
// passes chose (arithmetic.cpp); what is memory is passed as a pointer and copied only where it is stored (values.cpp).
#include <linux/bpf.h>

#include <algorithm>

#include "base/check.h"
#include "codegen/program.h"

namespace kawk {
namespace {

// What adding 1 to a pointer adds.
uint64_t UnitOf(const Type* pointer) { return std::max<uint64_t>(SizeOfType(pointer->element), 1); }

class Evaluator {
 public:
  explicit Evaluator(Program& program) : p_(program), ir_(program.ir()) {}

  Value operator()(const IntLit& e) { return Constant(e); }
  Value operator()(const BoolLit& e) { return Constant(e); }
  Value operator()(const StrLit& e) { return Constant(e); }
  Value operator()(const Positional& e) { return Constant(e); }
  Value operator()(const SizeOf& e) { return Constant(e); }
  Value operator()(const OffsetOf& e) { return Constant(e); }
  Value operator()(const TypeOf&) { UNREACHABLE("typeof has no value"); }

  Value operator()(const Ident& e) {
    const ExprInfo& info = p_.typed().Info(&e);
    if (info.builtin) return EmitBuiltin(*info.builtin, e);
    return Constant(e);
  }

  Value operator()(const Call& e) {
    const ExprInfo& info = p_.typed().Info(&e);
    if (info.builtin) return EmitBuiltin(*info.builtin, e);
    if (info.c_function >= 0) return p_.CallC(e);
    CHECK(info.function);
    switch (*info.function) {
#define FUNCTION(id, name, signature, effect, flags, doc) \
  case FunctionId::id: return Emit##id##Call(p_, e);
#include "stdlib/functions.def"
    }
    UNREACHABLE("function");
  }

  Value operator()(const ScratchVar& e) {
    const ExprInfo& info = p_.typed().Info(&e);
    return p_.FromMemory(p_.Variable(info.variable), p_.typed().variables[info.variable].type);
  }

  Value operator()(const MapRef& e) { return p_.ReadMap(p_.TargetOf(&e)); }

  Value operator()(const Index& e) {
    if (As<MapRef>(e.base) != nullptr) return p_.ReadMap(p_.TargetOf(&e));
    const Type* base = p_.typed().TypeOf(e.base);
    if (base->is(TypeKind::Tuple)) return MemberAt(e.base, *p_.typed().Info(e.index).integer);
    return p_.ReadPlace(p_.PlaceOf(&e), TypeOf(e));
  }

  Value operator()(const Member& e) {
    const Type* base = p_.typed().TypeOf(e.base);
    if (base->is(TypeKind::Tuple)) return MemberAt(e.base, std::stoul(e.name));
    if (base->is(TypeKind::Record)) {
      return MemberAt(e.base,
                      static_cast<uint64_t>(std::find(base->names.begin(), base->names.end(), e.name) - base->names.begin()));
    }
    const RawValue* raw = p_.RawField(&e);
    if (raw != nullptr && TypeOf(e)->IsScalar()) return p_.ReadRawField(*raw, TypeOf(e));
    const StructField* field = p_.typed().Info(&e).field;
    const bool elsewhere = field != nullptr && (field->data_loc || field->rel_data_loc);
    if (elsewhere && TypeOf(e)->is(TypeKind::Pointer)) return {p_.AddressOf(p_.PlaceOf(&e)), TypeOf(e)};
    return p_.ReadPlace(p_.PlaceOf(&e), TypeOf(e), field);
  }

  Value operator()(const Unary& e) {
    switch (e.op) {
      case UnaryOp::Not: return {ir_.CreateNot(p_.Truth(e.operand)), TypeOf(e)};
      case UnaryOp::BitNot: return {ir_.CreateNot(p_.Scalar(e.operand, TypeOf(e))), TypeOf(e)};
      case UnaryOp::Minus: return {ir_.CreateNeg(p_.Scalar(e.operand, TypeOf(e))), TypeOf(e)};
      case UnaryOp::Plus: return {p_.Scalar(e.operand, TypeOf(e)), TypeOf(e)};
      case UnaryOp::PreInc: return Step(e, BinaryOp::Add, false);
      case UnaryOp::PreDec: return Step(e, BinaryOp::Sub, false);
      case UnaryOp::PostInc: return Step(e, BinaryOp::Add, true);
      case UnaryOp::PostDec: return Step(e, BinaryOp::Sub, true);
      case UnaryOp::Deref: return p_.ReadPlace(p_.PlaceOf(&e), TypeOf(e));
      case UnaryOp::AddressOf: return {p_.AddressOfOperand(e.operand), TypeOf(e)};
    }
    UNREACHABLE("unary operator");
  }

  Value operator()(const Binary& e) {
    switch (e.op) {
      case BinaryOp::And:
      case BinaryOp::Or: return ShortCircuit(e);
      case BinaryOp::Eq:
      case BinaryOp::Ne:
      case BinaryOp::Lt:
      case BinaryOp::Le:
      case BinaryOp::Gt:
      case BinaryOp::Ge: return Compare(e);
      default: break;
    }
    const Type* type = TypeOf(e);
    if (p_.typed().TypeOf(e.left)->is(TypeKind::Pointer) || p_.typed().TypeOf(e.right)->is(TypeKind::Pointer))
      return PointerArithmetic(e);
    const Type* operands = p_.typed().Info(&e).operands;
    if (operands == nullptr || !operands->is(TypeKind::Int)) operands = type;
    llvm::Value* left = p_.Scalar(e.left, operands);
    llvm::Value* right = p_.Scalar(e.right, operands);
    return {p_.Convert(EmitArithmetic(p_, e.op, left, right, operands->is_signed), operands, type), type};
  }

  Value operator()(const Ternary& e) {
    const Type* type = TypeOf(e);
    if (const ExprInfo& condition = p_.typed().Info(e.condition); condition.integer && !type->is(TypeKind::None)) {
      const Expr* chosen = *condition.integer == 0 ? e.otherwise : e.then != nullptr ? e.then : e.condition;
      llvm::Value* memory = p_.Allocate(SizeOfType(type));
      p_.EvaluateInto(memory, type, chosen);
      return p_.FromMemory(memory, type);
    }
    if (e.then == nullptr) return Elvis(e, type);
    if (type->is(TypeKind::None)) {
      p_.If(p_.Truth(e.condition), [&] { p_.Evaluate(e.then); }, [&] { p_.Evaluate(e.otherwise); });
      return {nullptr, type};
    }
    llvm::Value* memory = p_.Allocate(SizeOfType(type));
    p_.If(
        p_.Truth(e.condition), [&] { p_.EvaluateInto(memory, type, e.then); },
        [&] { p_.EvaluateInto(memory, type, e.otherwise); });
    return p_.FromMemory(memory, type);
  }

  Value operator()(const Cast& e) {
    const Type* to = TypeOf(e);
    const Type* from = p_.ValueTypeOf(e.operand);
    if (to->IsScalar() && from->IsScalar()) return {p_.Scalar(e.operand, to), to};
    if (to->is(TypeKind::Pointer)) return {p_.AddressOf(p_.PlaceOf(e.operand)), to};  // of an array: where it begins
    return CastBytes(e, to, from);
  }

  Value operator()(const TupleExpr& e) { return InMemory(e); }
  Value operator()(const RecordExpr& e) { return InMemory(e); }

  Value operator()(const BlockExpr& e) {
    p_.Statements(e.statements);
    return e.value != nullptr ? p_.Evaluate(e.value) : Value{nullptr, p_.typed().types->None()};
  }

  Value Constant(const Expr& e) {
    const ExprInfo& info = p_.typed().Info(&e);
    if (info.string) {
      std::string bytes = *info.string;
      bytes.resize(SizeOfType(info.type));
      return {p_.module().Bytes(bytes), info.type, p_.I64(info.string->size())};
    }
    CHECK(info.integer);
    if (info.type->is(TypeKind::Bool)) return {ir_.getInt1(*info.integer != 0), info.type};
    return {llvm::ConstantInt::get(ir_.getIntNTy(SizeOfType(info.type) * 8), *info.integer, false), info.type};
  }

 private:
  const Type* TypeOf(const Expr& e) { return p_.typed().TypeOf(&e); }

  Value EmitBuiltin(BuiltinId id, const Expr& e) {
    switch (id) {
#define BUILTIN(id, name, type, probes, doc) \
  case BuiltinId::id: return Emit##id##Value(p_, e);
#include "stdlib/builtins.def"
    }
    UNREACHABLE("builtin");
  }

  Value InMemory(const Expr& e) {
    const Type* type = TypeOf(e);
    llvm::Value* memory = p_.Allocate(SizeOfType(type));
    p_.EvaluateInto(memory, type, &e);
    return {memory, type};
  }

  Value MemberAt(const Expr* base, uint64_t index) {
    const Type* tuple = p_.typed().TypeOf(base);
    const Value value = p_.Evaluate(base);
    return p_.FromMemory(p_.At(value.v, MemberOffsets(tuple)[index]), tuple->members[index]);
  }

  // ++ and --.
  Value Step(const Unary& e, BinaryOp op, bool return_old) {
    const Type* type = TypeOf(e);
    if (As<ScratchVar>(e.operand) != nullptr) {
      const int index = p_.typed().Info(e.operand).variable;
      const Type* variable = p_.typed().variables[index].type;
      llvm::Value* old = p_.Load(p_.Variable(index), variable);
      llvm::Value* one = llvm::ConstantInt::get(old->getType(), variable->is(TypeKind::Pointer) ? UnitOf(variable) : 1);
      llvm::Value* now = EmitArithmetic(p_, op, old, one, variable->is_signed);
      p_.Store(p_.Variable(index), variable, {now, variable});
      p_.ForgetVariable(index);
      return {p_.Convert(return_old ? old : now, variable, type), type};
    }
    const Program::Target target = p_.TargetOf(e.operand);
    const Type* value = p_.typed().maps[target.map].value;
    const uint64_t unit = value->is(TypeKind::Pointer) ? UnitOf(value) : 1;
    llvm::Value* one = llvm::ConstantInt::get(ir_.getIntNTy(SizeOfType(value) * 8), unit);
    return {p_.Convert(p_.UpdateMap(target, op, one, return_old), value, type), type};
  }

  Value ShortCircuit(const Binary& e) {
    llvm::Value* result = p_.Allocate(1);
    ir_.CreateStore(ir_.getInt8(e.op == BinaryOp::Or), result);
    llvm::Value* left = p_.Truth(e.left);
    p_.If(e.op == BinaryOp::And ? left : ir_.CreateNot(left),
          [&] { ir_.CreateStore(ir_.CreateZExt(p_.Truth(e.right), ir_.getInt8Ty()), result); });
    return {ir_.CreateICmpNE(ir_.CreateLoad(ir_.getInt8Ty(), result), ir_.getInt8(0)), TypeOf(e)};
  }

  // `p + n`, `n + p`, `p - n`, in units of what p points to; `p - q` in the same units.
  Value PointerArithmetic(const Binary& e) {
    const Type* left = p_.typed().TypeOf(e.left);
    const Type* right = p_.typed().TypeOf(e.right);
    const Type* word = p_.typed().types->Int(64, true);
    const Type* pointer = left->is(TypeKind::Pointer) ? left : right;
    llvm::Value* unit = p_.I64(UnitOf(pointer));
    llvm::Value* a = p_.Scalar(e.left, word);
    llvm::Value* b = p_.Scalar(e.right, word);
    if (left->is(TypeKind::Pointer) && right->is(TypeKind::Pointer)) {
      return {p_.Convert(EmitArithmetic(p_, BinaryOp::Div, ir_.CreateSub(a, b), unit, true), word, TypeOf(e)), TypeOf(e)};
    }
    (pointer == left ? b : a) = ir_.CreateMul(pointer == left ? b : a, unit);
    return {EmitArithmetic(p_, e.op, a, b, false), TypeOf(e)};
  }

  // Between integers and arrays of integers, and from strings: the same bytes seen as something else.
  Value CastBytes(const Cast& e, const Type* to, const Type* from) {
    const uint64_t size = std::max(SizeOfType(to), SizeOfType(from));
    llvm::Value* memory = p_.Allocate(size);
    if (from->is(TypeKind::String)) {
      p_.EvaluateInto(memory, p_.typed().types->String(to->is(TypeKind::String) ? to->length : size), e.operand);
    } else if (from->IsInteger()) {
      const Type* whole = p_.typed().types->Int(SizeOfType(to) * 8, false);
      const bool literal = p_.typed().Info(e.operand).integer && As<Cast>(e.operand) == nullptr;
      const Type* bytes = literal ? whole : p_.typed().types->Int(SizeOfType(from) * 8, false);  // wider: filled with zeros
      p_.Store(memory, whole, {p_.Convert(p_.Scalar(e.operand, bytes), bytes, whole), whole});
    } else {
      p_.EvaluateInto(memory, from, e.operand);
    }
    return p_.FromMemory(memory, to);
  }

  // Tuples, records and arrays: in memory and with zeros in all gaps they are equal byte by byte.
  Value CompareMemory(const Binary& e, const Type* common) {
    llvm::Value* a = p_.Allocate(SizeOfType(common));
    llvm::Value* b = p_.Allocate(SizeOfType(common));
    p_.EvaluateInto(a, common, e.left);
    p_.EvaluateInto(b, common, e.right);
    llvm::Value* equal = p_.SameBytes(a, b, SizeOfType(common));
    return {e.op == BinaryOp::Eq ? equal : ir_.CreateNot(equal), TypeOf(e)};
  }

  Value Compare(const Binary& e) {
    const Type* left_type = p_.typed().TypeOf(e.left);
    const Type* right_type = p_.typed().TypeOf(e.right);
    if (left_type->is(TypeKind::String) && right_type->is(TypeKind::String)) {
      llvm::Value* equal = p_.CompareStrings(e.left, e.right);
      return {e.op == BinaryOp::Eq ? equal : ir_.CreateNot(equal), TypeOf(e)};
    }
    const Type* common = p_.typed().Info(&e).operands;
    if (common != nullptr && !common->IsScalar()) return CompareMemory(e, common);
    if (common == nullptr)
      common = left_type->is(TypeKind::Pointer) || !right_type->is(TypeKind::Pointer) ? left_type : right_type;
    if (!common->IsScalar()) common = p_.ValueTypeOf(e.left);
    llvm::Value* left = p_.Scalar(e.left, common);
    llvm::Value* right = p_.Scalar(e.right, common);
    return {ir_.CreateICmp(Predicate(e.op, common->is_signed), left, right), TypeOf(e)};
  }

  static llvm::CmpInst::Predicate Predicate(BinaryOp op, bool is_signed) {
    switch (op) {
      case BinaryOp::Eq: return llvm::CmpInst::ICMP_EQ;
      case BinaryOp::Ne: return llvm::CmpInst::ICMP_NE;
      case BinaryOp::Lt: return is_signed ? llvm::CmpInst::ICMP_SLT : llvm::CmpInst::ICMP_ULT;
      case BinaryOp::Le: return is_signed ? llvm::CmpInst::ICMP_SLE : llvm::CmpInst::ICMP_ULE;
      case BinaryOp::Gt: return is_signed ? llvm::CmpInst::ICMP_SGT : llvm::CmpInst::ICMP_UGT;
      case BinaryOp::Ge: return is_signed ? llvm::CmpInst::ICMP_SGE : llvm::CmpInst::ICMP_UGE;
      default: break;
    }
    UNREACHABLE("comparison");
  }

  Value Elvis(const Ternary& e, const Type* type) {
    const Value condition = p_.Evaluate(e.condition);
    llvm::Value* memory = p_.Allocate(SizeOfType(type));
    llvm::Value* truth = ir_.CreateICmpNE(condition.v, llvm::ConstantInt::get(condition.v->getType(), 0));
    p_.If(
        truth, [&] { p_.Store(memory, type, {p_.Convert(condition.v, condition.type, type), type}); },
        [&] { p_.EvaluateInto(memory, type, e.otherwise); });
    return p_.FromMemory(memory, type);
  }

  Program& p_;
  llvm::IRBuilder<>& ir_;
};

}  // namespace

Value Program::Evaluate(const Expr* expr) {
  const ExprInfo& info = typed().Info(expr);
  Evaluator evaluator(*this);
  if (info.integer || info.string) return evaluator.Constant(*expr);
  SetLocation(expr->location);
  return VisitExpr(*expr, evaluator);
}

}  // namespace kawk
