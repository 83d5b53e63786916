// Image → loaded, attached, drained, printed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/demangle.h"
#include "base/result.h"
#include "runtime/image/image.h"

namespace kawk {

enum class OutputFormat : uint8_t { Text, Json };
enum class RunKind : uint8_t { Trace, Test, Bench };
enum class Buffering : uint8_t { None, Line, Full };

struct RunOptions {
  std::string output_path;  // empty: standard output
  OutputFormat format = OutputFormat::Text;
  Buffering buffering = Buffering::Line;
  bool quiet = false;
  bool verbose = false;
  bool warnings = true;
  bool read_warnings = false;  // -k
  bool raw = false;            // bytes of traced processes reach a terminal as they are
  bool dry_run = false;        // attach, then leave without running BEGIN, END or printing maps
  bool verifier_log = false;   // -d verifier: print what the verifier says of each program
  RustDemangler demangle_rust = nullptr;
  RunKind kind = RunKind::Trace;
  std::vector<std::string> no_features;  // names that Features knows
  int pid = 0;                           // -p, 0: none
  std::string command;                   // -c, empty: none
};

// Runs an Image to its end and returns the exit status of the script. Errors are of the machine: no privilege, a
// probe that cannot be attached, a program the kernel refuses. Everything attached is detached when it returns.
Result<int> Run(const image::Image& image, const RunOptions& options);

}  // namespace kawk
