// The machine's C compiler, for the .bpf.c files that a script imports. Headers are read by libclang: see c_headers.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace kawk {

// As the kernel's sources call the architecture.
#if defined(__x86_64__)
constexpr const char* kTargetArchitecture = "x86";
#elif defined(__aarch64__)
constexpr const char* kTargetArchitecture = "arm64";
#endif

struct CompiledC {
  std::vector<uint8_t> bitcode;
  std::string warnings;  // the compiler's words; empty when it is content
};
// Compiles a file for BPF by clang. An Error's hint holds what clang says.
Result<CompiledC> CompileForBpf(const std::string& path, const std::vector<std::string>& include_folders);

}  // namespace kawk
