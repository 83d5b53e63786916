// The machine's C compiler, for what the script brings in C: imported .bpf.c files, and headers whose names neither BTF nor
// the script itself explains. Nothing is run before such a name is met.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace kawk {

struct CompiledC {
  std::vector<uint8_t> bitcode;
  std::string warnings;  // the compiler's words; empty when it is content
};
// Compiles a file for BPF by clang. An Error's hint holds what clang says.
Result<CompiledC> CompileForBpf(const std::string& path, const std::vector<std::string>& include_folders);

// What C's preprocessor makes of `text`, macros included. Nothing when there is no compiler or it gives up.
std::optional<std::string> Preprocess(const std::string& text, const std::vector<std::string>& include_folders);

}  // namespace kawk
