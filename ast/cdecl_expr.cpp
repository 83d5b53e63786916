// Constant expressions of C by precedence climbing. Names are constants that the source knows; `defined(X)` asks for one.
#include <array>

#include "ast/attach_point.h"
#include "ast/cdecl_parser.h"
#include "ast/nodes.h"
#include "ast/passes/fold.h"

namespace kawk {
namespace {

struct Operator {
  std::string_view text;
  int precedence;
  BinaryOp op;
};
constexpr std::array kOperators = {
    Operator{"||", 1, BinaryOp::Or},    Operator{"&&", 2, BinaryOp::And},   Operator{"|", 3, BinaryOp::BitOr},
    Operator{"^", 4, BinaryOp::BitXor}, Operator{"&", 5, BinaryOp::BitAnd}, Operator{"==", 6, BinaryOp::Eq},
    Operator{"!=", 6, BinaryOp::Ne},    Operator{"<", 7, BinaryOp::Lt},     Operator{"<=", 7, BinaryOp::Le},
    Operator{">", 7, BinaryOp::Gt},     Operator{">=", 7, BinaryOp::Ge},    Operator{"<<", 8, BinaryOp::Shl},
    Operator{">>", 8, BinaryOp::Shr},   Operator{"+", 9, BinaryOp::Add},    Operator{"-", 9, BinaryOp::Sub},
    Operator{"*", 10, BinaryOp::Mul},   Operator{"/", 10, BinaryOp::Div},   Operator{"%", 10, BinaryOp::Mod},
};

const Operator* FindOperator(const CToken& token) {
  if (token.kind != CToken::Punctuation) return nullptr;
  for (const Operator& row : kOperators) {
    if (row.text == token.text) return &row;
  }
  return nullptr;
}

std::optional<__int128> Number(std::string text) {
  while (!text.empty() && (text.back() == 'u' || text.back() == 'U' || text.back() == 'l' || text.back() == 'L')) text.pop_back();
  const std::optional<uint64_t> value = ParseNumber(text);
  if (!value) return std::nullopt;
  return *value;
}

}  // namespace

bool CParser::Take(std::string_view text) {
  if (Peek().kind == CToken::End || Peek().kind == CToken::String || Peek().text != text) return false;
  ++at_;
  return true;
}

// `(unsigned char)`; null, and nothing taken, when what comes is no type in parentheses.
const Type* CParser::TakeTypeInParens() {
  const size_t begin = at_;
  if (Take("(") && StartsType()) {
    const Type* type = AbstractType();
    if (type != nullptr && Take(")")) return type;
  }
  at_ = begin;
  return nullptr;
}

std::optional<__int128> CParser::SizeOfOperand() {
  if (const Type* type = TakeTypeInParens()) return SizeOfType(type);
  return std::nullopt;
}

std::optional<__int128> CParser::Operand() {
  if (Take("sizeof")) return SizeOfOperand();
  if (const Type* type = TakeTypeInParens()) {
    const std::optional<__int128> value = Operand();
    if (!value || !type->IsInteger() || type->is(TypeKind::Bool)) return std::nullopt;
    const uint32_t unused = 64 - type->bits;
    const auto bits = static_cast<uint64_t>(*value) << unused;
    return type->is_signed ? __int128{static_cast<int64_t>(bits) >> unused} : __int128{bits >> unused};
  }
  if (Take("(")) {
    const std::optional<__int128> value = Expression(0);
    return Take(")") ? value : std::nullopt;
  }
  for (const auto& [text, op] :
       {std::pair{"-", UnaryOp::Minus}, {"~", UnaryOp::BitNot}, {"!", UnaryOp::Not}, {"+", UnaryOp::Plus}}) {
    if (!Take(text)) continue;
    const std::optional<__int128> value = Operand();
    return value ? FoldUnary(op, *value) : std::nullopt;
  }
  const CToken token = Next();
  if (token.kind == CToken::Number) return Number(token.text);
  if (token.kind != CToken::Word) return std::nullopt;
  const std::optional<NamedConstant> constant = source_.FindConstant(token.text);
  if (!constant || constant->string) return std::nullopt;
  return constant->value;
}

std::optional<__int128> CParser::Expression(int least_precedence) {
  std::optional<__int128> left = Operand();
  while (left) {
    const Operator* op = FindOperator(Peek());
    if (op == nullptr || op->precedence <= least_precedence) break;
    Next();
    const std::optional<__int128> right = Expression(op->precedence);
    left = right ? FoldBinary(op->op, *left, *right) : std::nullopt;
  }
  return left;
}

std::optional<__int128> CParser::Constant() {
  const std::optional<__int128> value = Expression(0);
  return Peek().kind == CToken::End ? value : std::nullopt;
}

}  // namespace kawk
