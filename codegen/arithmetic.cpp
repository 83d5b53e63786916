// Arithmetic of integers, as the machine or the language defines it where C does not: division by zero, wide shifts.
#include "base/check.h"
#include "codegen/program.h"

namespace kawk {
namespace {

// Division and remainder signed with the BPF instruction set v3, which has only unsigned ones: by magnitude, then the sign.
// By zero: quotient 0, remainder the dividend, as BPF defines it.
llvm::Value* SignedDivide(Program& p, llvm::Value* left, llvm::Value* right, bool remainder) {
  auto& ir = p.ir();
  llvm::Value* zero = llvm::ConstantInt::get(left->getType(), 0);
  llvm::Value* left_negative = ir.CreateICmpSLT(left, zero);
  llvm::Value* right_negative = ir.CreateICmpSLT(right, zero);
  llvm::Value* a = ir.CreateSelect(left_negative, ir.CreateNeg(left), left);
  llvm::Value* b = ir.CreateSelect(right_negative, ir.CreateNeg(right), right);
  llvm::Value* by_zero = ir.CreateICmpEQ(b, zero);
  llvm::Value* one = llvm::ConstantInt::get(left->getType(), 1);  // the result by zero, as in the peer
  llvm::Value* safe = ir.CreateSelect(by_zero, one, b);
  if (remainder) {
    llvm::Value* rest = ir.CreateURem(a, safe);
    return ir.CreateSelect(by_zero, one, ir.CreateSelect(left_negative, ir.CreateNeg(rest), rest));
  }
  llvm::Value* quotient = ir.CreateUDiv(a, safe);
  llvm::Value* negative = ir.CreateXor(left_negative, right_negative);
  return ir.CreateSelect(by_zero, one, ir.CreateSelect(negative, ir.CreateNeg(quotient), quotient));
}

llvm::Value* UnsignedDivide(Program& p, llvm::Value* left, llvm::Value* right, bool remainder) {
  auto& ir = p.ir();
  llvm::Value* zero = llvm::ConstantInt::get(left->getType(), 0);
  llvm::Value* by_zero = ir.CreateICmpEQ(right, zero);
  llvm::Value* one = llvm::ConstantInt::get(left->getType(), 1);
  llvm::Value* safe = ir.CreateSelect(by_zero, one, right);
  llvm::Value* result = remainder ? ir.CreateURem(left, safe) : ir.CreateUDiv(left, safe);
  return ir.CreateSelect(by_zero, one, result);
}

// The shift count is taken modulo the width, as the machine does.
llvm::Value* ShiftCount(Program& p, llvm::Value* count) {
  const uint64_t mask = count->getType()->getIntegerBitWidth() - 1;
  return p.ir().CreateAnd(count, llvm::ConstantInt::get(count->getType(), mask));
}

}  // namespace

llvm::Value* EmitArithmetic(Program& p, BinaryOp op, llvm::Value* left, llvm::Value* right, bool is_signed) {
  auto& ir = p.ir();
  switch (op) {
    case BinaryOp::Add: return ir.CreateAdd(left, right);
    case BinaryOp::Sub: return ir.CreateSub(left, right);
    case BinaryOp::Mul: return ir.CreateMul(left, right);
    case BinaryOp::Div: return is_signed ? SignedDivide(p, left, right, false) : UnsignedDivide(p, left, right, false);
    case BinaryOp::Mod: return is_signed ? SignedDivide(p, left, right, true) : UnsignedDivide(p, left, right, true);
    case BinaryOp::BitAnd: return ir.CreateAnd(left, right);
    case BinaryOp::BitOr: return ir.CreateOr(left, right);
    case BinaryOp::BitXor: return ir.CreateXor(left, right);
    case BinaryOp::Shl: return ir.CreateShl(left, ShiftCount(p, right));
    case BinaryOp::Shr: return is_signed ? ir.CreateAShr(left, ShiftCount(p, right)) : ir.CreateLShr(left, ShiftCount(p, right));
    default: break;
  }
  UNREACHABLE("arithmetic operator");
}

}  // namespace kawk
