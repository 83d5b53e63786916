// Expressions that are really types: the grammar cannot tell `sizeof(foo)` of a typedef from that of a value.
#pragma once

#include "ast/nodes.h"
#include "ast/type_source.h"

namespace kawk {

// The type that `foo` or `foo[4]` names; null when it is a value's name, or no name.
const Type* NamedType(const Expr* operand, TypeSource& source);

}  // namespace kawk
