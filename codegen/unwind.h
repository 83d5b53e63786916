// User stacks by unwinding rules.
#pragma once

#include <cstdint>

#include "codegen/program.h"

namespace kawk {

struct UnwoundStack {
  llvm::Value* frames = nullptr;  // in scratch, the innermost first
  llvm::Value* bytes = nullptr;   // how many were found, i64
};
UnwoundStack UnwindUser(Program& p, uint32_t limit);

}  // namespace kawk
