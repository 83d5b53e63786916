// The arguments of a call against a signature of the registry: how many there are, and what they may be.
#pragma once

#include <cstdint>
#include <string>

#include "ast/nodes.h"
#include "ast/typed.h"
#include "base/diagnostics.h"

namespace kawk {

// "1 argument", "2 arguments"
std::string Plural(size_t count);
// What an argument is, ORed ParamClass.
uint16_t ClassesOf(const Expr& arg, const Typed& typed);
// Each false when something was reported.
bool CheckArity(const Call& call, const Signature& signature, Diagnostics& diagnostics);
bool CheckClasses(const Call& call, const Signature& signature, const Typed& typed, Diagnostics& diagnostics);

}  // namespace kawk
