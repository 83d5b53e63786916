// C that scripts import: bitcode that clang made of it, its functions, and how it gets into the module.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ast/typed.h"
#include "base/result.h"

namespace llvm {
class Module;
}

namespace kawk {

// The functions that a script can call: those with external linkage whose parameters are integers and pointers.
Result<std::vector<CFunction>> DescribeFunctions(const std::vector<uint8_t>& bitcode);

// Links the bitcode into the module. Its functions are the program's own from then on.
Status LinkC(llvm::Module& module, const std::vector<uint8_t>& bitcode);

}  // namespace kawk
