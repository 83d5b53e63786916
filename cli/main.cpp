// kawk: flags, then compile and run.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "cli/files.h"
#include "cli/list.h"
#include "cli/options.h"
#include "cli/recall.h"
#include "codegen/demangle.h"
#include "runtime/run.h"
#include "stdlib/library.h"

namespace kawk {
namespace {

int Fail(const Error& error) {
  ReportError(error);
  return 1;
}

// What was asked to be written instead of run; true when that was all.
Result<bool> Emit(const Options& options, const GenerateOutput& output) {
  Status status = Ok{};
  if (!options.emit_llvm.empty()) {
    status = WriteFile(options.emit_llvm + ".original.ll", output.ir.data(), output.ir.size());
    if (status) status = WriteFile(options.emit_llvm + ".optimized.ll", output.optimized_ir.data(), output.optimized_ir.size());
  }
  if (status && !options.emit_elf.empty())
    status = WriteFile(options.emit_elf, output.image.object.data(), output.image.object.size());
  if (status && !options.emit_image.empty()) {
    const std::vector<uint8_t> bytes = SerializeImage(output.image);
    status = WriteFile(options.emit_image, bytes.data(), bytes.size());
  }
  if (!status) return status.error();
  return !options.emit_elf.empty() || !options.emit_image.empty();
}

Result<int> RunFromFile(const Options& options) {
  Result<std::string> bytes = ReadScript(options.run_image);
  if (!bytes) return bytes.error();
  Result<image::Image> image = image::DeserializeImage({bytes->begin(), bytes->end()});
  if (!image) return image.error();
  return Run(*image, options.run);
}

int Main(int argc, char** argv) {
  Result<Options> options = ParseOptions(argc, argv);
  if (!options) return Fail(options.error());
  if (options->help) return std::fputs(HelpText().c_str(), stdout) >= 0 ? 0 : 1;
  if (options->version) return std::puts("kawk v" KAWK_VERSION) >= 0 ? 0 : 1;
  if (options->list_functions) return std::fputs(LibraryText().c_str(), stdout) >= 0 ? 0 : 1;
  if (options->list) return List(*options);
  options->run.demangle_rust = DemangleRust;
  options->run.verifier_log = options->Shows(DebugStage::Verifier);
  Result<int> status = 0;
  if (!options->run_image.empty()) {
    status = RunFromFile(*options);
  } else {
    std::variant<GenerateOutput, int> compiled = Recall(*options);
    const GenerateOutput* output = std::get_if<GenerateOutput>(&compiled);
    if (output == nullptr) return std::get<int>(compiled);
    Result<bool> written = Emit(*options, *output);
    if (!written) return Fail(written.error());
    if (*written) return 0;
    status = Run(output->image, options->run);
  }
  return status ? *status : Fail(status.error());
}

}  // namespace
}  // namespace kawk

int main(int argc, char** argv) { return kawk::Main(argc, argv); }
