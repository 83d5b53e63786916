// LLVM module → optimised → ELF for BPF, in memory.
#pragma once

#include <llvm/IR/Module.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace kawk {

// Gives a new module the target and data layout.
void PrepareModule(llvm::Module& module);
// A copy for a second try, or null where the first cannot fail for want of stack.
std::unique_ptr<llvm::Module> SpareCopy(const llvm::Module& module);
// Variables stay in memory where they are read and written: LLVM would keep hundreds of them in registers, of which BPF has
// ten, and then on the stack, which has 512 bytes.
void KeepInMemory(llvm::Module& module);
// Optimises `module` for BPF in place. An Error: it is too large for it.
Status OptimizeForBpf(llvm::Module& module);
// The object's bytes. What the backend cannot do (too much stack, a call it has no instruction for) is an Error.
Result<std::vector<uint8_t>> EmitObject(llvm::Module& module);
std::string PrintModule(const llvm::Module& module);

}  // namespace kawk
