#include "cli/compile.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "ast/analyse.h"
#include "base/check.h"
#include "cache/key.h"
#include "cache/witness_host.h"
#include "cli/c_compiler.h"
#include "cli/c_headers.h"
#include "cli/files.h"
#include "cli/imports.h"
#include "codegen/c_sources.h"
#include "host/host.h"
#include "parser/parser.h"

namespace kawk {
namespace {

constexpr const char* kCompilerReads = "its C code may include any file";

// Prints what there is to say; true when the script can be compiled further.
bool Report(const Diagnostics& diagnostics, const SourceMap& sources, const Options& options, std::string& said) {
  const std::string text = diagnostics.Render(sources, options.run.warnings, UseColor());
  std::fwrite(text.data(), 1, text.size(), stderr);
  said += text;
  return !diagnostics.has_errors();
}

void Show(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (!text.empty() && text.back() != '\n') std::fputc('\n', stdout);
  std::fflush(stdout);
}

// An imported .bpf.c file: compiled, and what it offers to the script.
void ReadCSource(const Import& source, const Options& options, GenerateOptions& generate, std::vector<CFunction>& functions,
                 Diagnostics& diagnostics) {
  Result<CompiledC> compiled = CompileForBpf(source.path, options.include_folders);
  Result<std::vector<CFunction>> found = std::vector<CFunction>();
  if (compiled) found = DescribeFunctions(compiled->bitcode);
  if (!compiled || !found) {
    const Error& error = compiled ? found.error() : compiled.error();
    diagnostics.EmitWithHint(Diag::CSourceFailed, source.location, error.hint, error.message);
    return;
  }
  if (!compiled->warnings.empty()) diagnostics.EmitWithHint(Diag::CSourceWarning, source.location, compiled->warnings);
  functions.insert(functions.end(), found->begin(), found->end());
  generate.c_modules.push_back(std::move(compiled->bitcode));
}

// The script's options as `-- --help` shows them, in source order.
std::string OptionsText(const std::vector<ScriptOption>& script_options) {
  if (script_options.empty()) return "the script has no options";
  std::string text = "HINT: expected program options:\n";
  for (const ScriptOption& option : script_options) {
    text += fmt::format("--{}{}{}\n", option.name, option.description.empty() ? "" : ": ", option.description);
  }
  return text;
}

RunMode ModeOf(RunKind kind) {
  switch (kind) {
    case RunKind::Trace: return RunMode::Trace;
    case RunKind::Test: return RunMode::Test;
    case RunKind::Bench: return RunMode::Bench;
  }
  UNREACHABLE("kind of run");
}

// Configuration from the environment. The cache's key holds the variables of our own; what else is asked for, it does not.
std::function<const char*(const char*)> EnvironmentOf(Witness& witness) {
  return [&witness](const char* name) -> const char* {
    if (!IsInCacheKey(name)) witness.Forbid(fmt::format("it depends on the environment's {}", name));
    return std::getenv(name);
  };
}

}  // namespace

bool UseColor() {
  const char* no_color = std::getenv("NO_COLOR");
  return (no_color == nullptr || *no_color == '\0') && isatty(STDERR_FILENO) == 1;
}

std::variant<GenerateOutput, int> Compile(const Options& options, std::string text, Witness& witness, std::string& said) {
  SourceMap sources;
  sources.Add(options.program || options.file == "-" ? "stdin" : options.file, std::move(text));

  // Text → tree.
  Diagnostics diagnostics;
  std::unique_ptr<Ast> ast = Parse(sources, 0, diagnostics);
  LoadImports(*ast, options.file, sources, witness, diagnostics);
  std::vector<CFunction> c_functions;
  GenerateOptions generate;
  if (!ast->c_sources.empty()) witness.Forbid(kCompilerReads);
  for (const Import& c_source : ast->c_sources) ReadCSource(c_source, options, generate, c_functions, diagnostics);
  for (const std::string& header : options.include_headers) {
    ast->c_definitions.insert(ast->c_definitions.begin(), {Location{}, fmt::format("#include \"{}\"", header)});
  }
  if (!Report(diagnostics, sources, options, said)) return 1;
  if (options.Shows(DebugStage::Ast)) Show(Dump(*ast));

  // Tree → names, types and attach points.
  Config config;
  ScriptInput input{.positional = options.positional,
                    .named = options.named,
                    .pid = options.run.pid,
                    .command = options.run.command,
                    .unsafe = options.unsafe,
                    .c_functions = std::move(c_functions),
                    .find_header = FindHeadersIn(options.include_folders, options.file, sources, witness),
                    .read_headers =
                        [&](const std::string& c_text) {
                          witness.Forbid(kCompilerReads);
                          return ReadHeaders(c_text, options.include_folders);
                        },
                    .parse_expression = ParseExpression,
                    .mode = ModeOf(options.run.kind),
                    .probe_filter = options.probe_filter,
                    .environment = EnvironmentOf(witness)};
  if (!options.host.traceable_functions.empty()) witness.Forbid("it depends on a file of functions");
  const std::unique_ptr<Host> machine = MakeHost(options.host);
  WitnessHost host(*machine, witness);
  Diagnostics findings;
  Typed typed = Analyse(*ast, input, std::move(config), host, findings);
  if (options.Shows(DebugStage::Types)) Show(DumpTyped(*ast, typed));
  if (std::any_of(input.named.begin(), input.named.end(), [](const auto& given) { return given.name == kHelpOption; })) {
    Show(OptionsText(typed.options));
    return 0;
  }
  if (!Report(findings, sources, options, said)) return 1;
  if (!typed.config.compile_cache) witness.Forbid("the script's configuration says so");

  // Types → BPF.
  generate.read_warnings = options.run.read_warnings;
  generate.want_ir = options.Shows(DebugStage::Codegen) || !options.emit_llvm.empty();
  generate.want_optimized_ir = options.Shows(DebugStage::CodegenOpt) || !options.emit_llvm.empty();
  Result<GenerateOutput> output = Generate(*ast, typed, sources, generate);
  if (!output) return ReportError(output.error()), 1;
  if (options.run.verbose) {
    std::string notes;
    for (const std::string& note : output->notes) notes += fmt::format("INFO: {}\n", note);
    std::fputs(notes.c_str(), stderr);
    said += notes;
  }
  if (options.Shows(DebugStage::Codegen)) Show(output->ir);
  if (options.Shows(DebugStage::CodegenOpt)) Show(output->optimized_ir);
  return std::move(*output);
}

}  // namespace kawk
