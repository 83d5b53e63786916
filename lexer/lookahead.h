// Questions that one token of lookahead cannot answer. They look at the text ahead, never at what was parsed, so that
// the grammar needs no feedback to the lexer and has no conflicts.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace kawk {

// Names of types that the script's own C definitions declare.
using TypeNames = std::set<std::string, std::less<>>;

// The first position at or after `at` that is neither white space nor comment; text.size() when there is none.
size_t SkipBlank(std::string_view text, size_t at);

// `at` is just after a `(` where an operand may stand: is that a cast? `(T)x` with an operand behind it is. Before an
// operator that may be unary or binary (`(a) - 1`, `(a) * 2`, `(a) & 3`) only a name that is a type's by its looks
// counts, else it is arithmetic on a value in parentheses.
// In a condition without parentheses (`if (uint64)$x == 1 {`) it counts everywhere: `if (a) b` lacks braces.
bool StartsCast(std::string_view text, size_t at, const TypeNames& types, bool in_condition);

// `at` is just after the `(` of sizeof, offsetof or typeof: does a type stand there? A bare name that may be both is
// taken for an expression; the resolver decides.
bool StartsType(std::string_view text, size_t at, const TypeNames& types);

// The name that one C definition gives to a type, or empty.
std::string_view DeclaredType(std::string_view definition);

}  // namespace kawk
