// Typed tree → LLVM IR → BPF object → Image. The only folder that knows LLVM.
#pragma once

#include <cstdint>
#include <string>

#include "ast/nodes.h"
#include "ast/typed.h"
#include "base/diagnostics.h"
#include "base/result.h"
#include "runtime/image/image.h"

namespace kawk {

struct GenerateOptions {
  bool read_warnings = false;                        // -k: programs report failed reads; else they pay nothing for it
  std::vector<std::vector<uint8_t>> c_modules = {};  // bitcode of imported C
  bool want_ir = false;                              // fill GenerateOutput::ir
  bool want_optimized_ir = false;                    // fill GenerateOutput::optimized_ir
};

struct GenerateOutput {
  image::Image image;
  std::string ir;                  // -d codegen
  std::string optimized_ir;        // -d codegen-opt
  std::vector<std::string> notes;  // -v: how what is attached differs from what was written
};

// Compiles what Analyse accepted. An Error is a limit of the BPF target (a program that needs too much stack, say), with the
// probe's name in it.
Result<GenerateOutput> Generate(const Ast& ast, const Typed& typed, const SourceMap& sources, const GenerateOptions& options);

}  // namespace kawk
