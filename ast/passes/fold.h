// Arithmetic on what is known at compile time. Integers are exact; a result that fits neither int64 nor uint64 is an
// error of the script, as are division by zero and shifts by the width or more.
#pragma once

#include <cstdint>
#include <optional>

#include "ast/nodes.h"

namespace kawk {

// An integer known at compile time: int64 and uint64 in one.
using Known = __int128;

inline constexpr Known kLeastKnown = INT64_MIN;
inline constexpr Known kMostKnown = UINT64_MAX;

// Nothing when the result overflows or is not defined.
std::optional<Known> FoldUnary(UnaryOp op, Known value);
std::optional<Known> FoldBinary(BinaryOp op, Known left, Known right);

inline uint64_t BitsOf(Known value) { return static_cast<uint64_t>(value); }
// `bits` truncated and sign- or zero-extended as an integer of this width.
uint64_t WrapBits(uint64_t bits, uint32_t width, bool is_signed);

inline bool IsComparison(BinaryOp op) { return op >= BinaryOp::Eq; }
inline bool IsLogical(BinaryOp op) { return op == BinaryOp::And || op == BinaryOp::Or; }
inline bool IsShift(BinaryOp op) { return op == BinaryOp::Shl || op == BinaryOp::Shr; }

}  // namespace kawk
