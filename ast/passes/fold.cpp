#include "ast/passes/fold.h"

namespace kawk {
namespace {

std::optional<Known> InRange(Known value) {
  if (value < kLeastKnown || value > kMostKnown) return std::nullopt;
  return value;
}

std::optional<Known> Shift(BinaryOp op, Known value, Known by) {
  if (by < 0 || by >= 64) return std::nullopt;
  return InRange(op == BinaryOp::Shl ? value * (Known{1} << by) : value >> by);
}

std::optional<Known> Multiply(Known left, Known right) {
  Known product = 0;
  if (__builtin_mul_overflow(left, right, &product)) return std::nullopt;
  return InRange(product);
}

}  // namespace

std::optional<Known> FoldUnary(UnaryOp op, Known value) {
  switch (op) {
    case UnaryOp::Not: return value == 0 ? 1 : 0;
    case UnaryOp::BitNot: return static_cast<Known>(~BitsOf(value));  // as the peer: of 64 unsigned bits
    case UnaryOp::Minus: return InRange(-value);
    case UnaryOp::Plus: return value;
    case UnaryOp::Deref:
    case UnaryOp::AddressOf:
    case UnaryOp::PreInc:
    case UnaryOp::PreDec:
    case UnaryOp::PostInc:
    case UnaryOp::PostDec: return std::nullopt;
  }
  UNREACHABLE("unary operator");
}

std::optional<Known> FoldBinary(BinaryOp op, Known left, Known right) {
  switch (op) {
    case BinaryOp::Add: return InRange(left + right);
    case BinaryOp::Sub: return InRange(left - right);
    case BinaryOp::Mul: return Multiply(left, right);
    case BinaryOp::Div: return right == 0 ? std::nullopt : InRange(left / right);
    case BinaryOp::Mod: return right == 0 ? std::nullopt : InRange(left % right);
    case BinaryOp::BitAnd: return InRange(left & right);
    case BinaryOp::BitOr: return InRange(left | right);
    case BinaryOp::BitXor: return InRange(left ^ right);
    case BinaryOp::Shl:
    case BinaryOp::Shr: return Shift(op, left, right);
    case BinaryOp::And: return left != 0 && right != 0;
    case BinaryOp::Or: return left != 0 || right != 0;
    case BinaryOp::Eq: return left == right;
    case BinaryOp::Ne: return left != right;
    case BinaryOp::Lt: return left < right;
    case BinaryOp::Le: return left <= right;
    case BinaryOp::Gt: return left > right;
    case BinaryOp::Ge: return left >= right;
  }
  UNREACHABLE("binary operator");
}

uint64_t WrapBits(uint64_t bits, uint32_t width, bool is_signed) {
  if (width >= 64) return bits;
  const uint32_t gone = 64 - width;
  return is_signed ? static_cast<uint64_t>(static_cast<int64_t>(bits << gone) >> gone) : bits << gone >> gone;
}

}  // namespace kawk
