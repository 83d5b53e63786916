// The command line as data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ast/typed.h"
#include "base/result.h"
#include "host/options.h"
#include "runtime/run.h"

namespace kawk {

enum class DebugStage : uint8_t { Ast, Types, Codegen, CodegenOpt, Verifier };

struct Options {
  RunOptions run;
  std::optional<std::string> program;  // -e
  std::string file;                    // script file or "-"; empty with -e
  std::vector<std::string> positional;
  std::vector<NamedParameter> named;  // the script's own options
  bool list = false;
  std::string list_pattern;
  std::vector<std::string> include_folders;  // -I
  std::vector<std::string> include_headers;  // --include
  bool unsafe = false;
  bool cache = true;
  HostOptions host;
  std::string probe_filter;
  std::vector<DebugStage> debug;
  std::string emit_elf, emit_llvm, emit_image, run_image;
  bool version = false;
  bool help = false;
  bool list_functions = false;
  std::vector<std::string> compile_words;  // all of the command line that the compiled script may depend on

  bool Shows(DebugStage stage) const;
};

// An Error's message is ready to print.
Result<Options> ParseOptions(int argc, char** argv);

// The text of --help.
std::string HelpText();

}  // namespace kawk
