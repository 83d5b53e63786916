// LLVM module → optimised → ELF for BPF, in memory.
#pragma once

#include <llvm/IR/Module.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace kawk {

// Gives a new module the target and data layout.
void PrepareModule(llvm::Module& module);
// Optimises `module` for BPF in place.
void OptimizeForBpf(llvm::Module& module);
// The object's bytes. What the backend cannot do (too much stack, a call it has no instruction for) is an Error.
Result<std::vector<uint8_t>> EmitObject(llvm::Module& module);
std::string PrintModule(const llvm::Module& module);

}  // namespace kawk
