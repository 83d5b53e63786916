// getopt_long over the rows of flags.def.
#include "cli/options.h"

#include <fmt/format.h>
#include <getopt.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <regex>
#include <set>

#include "base/check.h"
#include "base/diagnostics.h"
#include "runtime/features.h"

namespace kawk {
namespace {

enum class FlagId : int {
#define FLAG(id, short_name, long_name, argument, help) id,
#include "cli/flags.def"
};

struct FlagRow {
  FlagId id;
  char short_name;
  const char* long_name;
  const char* argument;
  const char* help;
};

constexpr std::array kFlags = {
#define FLAG(id, short_name, long_name, argument, help) FlagRow{FlagId::id, short_name, long_name, argument, help},
#include "cli/flags.def"
};

constexpr int kLongOnly = 256;  // getopt values of flags start here, above all characters

struct StageRow {
  const char* name;
  DebugStage stage;
};
constexpr std::array kStages = {StageRow{"ast", DebugStage::Ast}, StageRow{"types", DebugStage::Types},
                                StageRow{"codegen", DebugStage::Codegen}, StageRow{"codegen-opt", DebugStage::CodegenOpt},
                                StageRow{"verifier", DebugStage::Verifier}};

Status SetStages(const std::string& text, Options& options) {
  size_t from = 0;
  while (from <= text.size()) {
    const size_t comma = std::min(text.find(',', from), text.size());
    const std::string word = text.substr(from, comma - from);
    from = comma + 1;
    const auto row = std::find_if(kStages.begin(), kStages.end(), [&](const StageRow& r) { return r.name == word; });
    if (row != kStages.end()) {
      options.debug.push_back(row->stage);
    } else if (word == "all") {
      for (const StageRow& r : kStages) options.debug.push_back(r.stage);
    } else {
      std::vector<std::string> names{"all"};
      for (const StageRow& r : kStages) names.emplace_back(r.name);
      return Error{fmt::format("unknown stage `{}` for -d; stages are {}", word, fmt::join(names, ", ")),
                   DidYouMean(word, names)};
    }
  }
  return Ok{};
}

Status SetCommand(const std::string& text, Options& options) {
  if (text.find_first_not_of(" \t\n") == std::string::npos) return Error{"-c needs a command", "such as -c 'sleep 1'"};
  options.run.command = text;
  return Ok{};
}

Status SetPid(const std::string& text, Options& options) {
  char* end = nullptr;
  errno = 0;
  const long pid = std::strtol(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || errno != 0 || pid < 1 || pid > 0x7fffffff) {
    return Error{fmt::format("`{}` is not a process id", text), "-p takes a positive number"};
  }
  options.run.pid = static_cast<int>(pid);
  return Ok{};
}

Status SetFormat(const std::string& text, Options& options) {
  if (text == "text") {
    options.run.format = OutputFormat::Text;
  } else if (text == "json") {
    options.run.format = OutputFormat::Json;
  } else {
    return Error{fmt::format("unknown output format `{}`", text), "-f takes `text` or `json`"};
  }
  return Ok{};
}

Status SetProbeFilter(const std::string& text, Options& options) {
  try {
    (void)std::regex(text);  // throws
  } catch (const std::regex_error&) {
    return Error{fmt::format("`{}` is no regular expression", text), "--probe-filter takes one, such as `^parse_`"};
  }
  options.probe_filter = text;
  return Ok{};
}

Status SetNoFeatures(const std::string& text, Options& options) {
  const std::vector<std::string> names = Features::Names();
  for (size_t from = 0; from <= text.size();) {
    const size_t comma = std::min(text.find(',', from), text.size());
    const std::string name = text.substr(from, comma - from);
    from = comma + 1;
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      return Error{fmt::format("unknown feature `{}` for --no-feature", name),
                   fmt::format("features are {}", fmt::join(names, ", "))};
    }
    options.run.no_features.push_back(name);
  }
  return Ok{};
}

Status SetBuffering(const std::string& text, Options& options) {
  if (text == "none") {
    options.run.buffering = Buffering::None;
  } else if (text == "line") {
    options.run.buffering = Buffering::Line;
  } else if (text == "full") {
    options.run.buffering = Buffering::Full;
  } else {
    return Error{fmt::format("unknown buffering mode `{}`", text), "-B takes `none`, `line` or `full`"};
  }
  return Ok{};
}

Status Apply(FlagId id, const std::string& value, Options& options) {
  switch (id) {
    case FlagId::Program: options.program = value; return Ok{};
    case FlagId::List: options.list = true; return Ok{};
    case FlagId::ListFunctions: options.list_functions = true; return Ok{};
    case FlagId::Verbose: options.run.verbose = true; return Ok{};
    case FlagId::Pid: return SetPid(value, options);
    case FlagId::Command: return SetCommand(value, options);
    case FlagId::Output: options.run.output_path = value; return Ok{};
    case FlagId::Format: return SetFormat(value, options);
    case FlagId::BufferMode: return SetBuffering(value, options);
    case FlagId::Quiet: options.run.quiet = true; return Ok{};
    case FlagId::ReadWarnings: options.run.read_warnings = true; return Ok{};
    case FlagId::DwarfPid: return Ok{};
    case FlagId::Raw: options.run.raw = true; return Ok{};
    case FlagId::NoWarnings: options.run.warnings = false; return Ok{};
    case FlagId::IncludeFolder: options.include_folders.push_back(value); return Ok{};
    case FlagId::IncludeHeader: options.include_headers.push_back(value); return Ok{};
    case FlagId::Test: options.run.kind = RunKind::Test; return Ok{};
    case FlagId::Bench: options.run.kind = RunKind::Bench; return Ok{};
    case FlagId::ProbeFilter: return SetProbeFilter(value, options);
    case FlagId::NoFeature: return SetNoFeatures(value, options);
    case FlagId::NoCache: options.cache = false; return Ok{};
    case FlagId::Traceable: options.host.traceable_functions = value; return Ok{};
    case FlagId::DebugInfo: options.host.debug_folders.push_back(value); return Ok{};
    case FlagId::UsdtByFile: return Ok{};
    case FlagId::Unsafe: options.unsafe = true; return Ok{};
    case FlagId::DryRun: options.run.dry_run = true; return Ok{};
    case FlagId::Debug: return SetStages(value, options);
    case FlagId::EmitElf: options.emit_elf = value; return Ok{};
    case FlagId::EmitLlvm: options.emit_llvm = value; return Ok{};
    case FlagId::EmitImage: options.emit_image = value; return Ok{};
    case FlagId::RunImage: options.run_image = value; return Ok{};
    case FlagId::Version: options.version = true; return Ok{};
    case FlagId::Help: options.help = true; return Ok{};
  }
  UNREACHABLE("flag");
}

// Whether a flag changes the run alone. All others make another entry of the compile cache, so a flag that is missing here
// costs nothing but that.
bool IsForRunOnly(FlagId id) {
  constexpr std::array kRunOnly = {FlagId::Output, FlagId::Format, FlagId::BufferMode,
                                   FlagId::Quiet,  FlagId::Raw,    FlagId::DryRun};
  return std::find(kRunOnly.begin(), kRunOnly.end(), id) != kRunOnly.end();
}

// A flag or a parameter as a word of the compile cache's key.
void AddCompileWord(Options& options, const char* what, const std::string& value) {
  options.compile_words.insert(options.compile_words.end(), {what, value});
}

const FlagRow& RowOf(int value) {
  for (const FlagRow& row : kFlags) {
    if (value == row.short_name || value == kLongOnly + static_cast<int>(row.id)) return row;
  }
  UNREACHABLE("flag of getopt");
}

Error UnknownFlag(const char* argument) {
  std::vector<std::string> names;
  for (const FlagRow& row : kFlags) {
    if (row.long_name[0] != '\0') names.push_back(std::string("--") + row.long_name);
  }
  std::string hint = DidYouMean(argument, names);
  return Error{fmt::format("unknown option `{}`", argument), hint.empty() ? "`kawk --help` lists the options" : hint};
}

// Parameters of the script; behind the `--` of the command line those with two dashes are options of its own.
void TakeParameters(const std::vector<std::string>& rest, size_t from, size_t dashes, Options& options) {
  bool named = true;
  for (size_t i = from; i < rest.size(); ++i) {
    const std::string& text = rest[i];
    if (i >= dashes && named && text == "--") {
      named = false;
    } else if (i >= dashes && named && text.starts_with("--")) {
      const size_t equals = text.find('=');
      NamedParameter& parameter = options.named.emplace_back();
      parameter.name = text.substr(2, equals == std::string::npos ? equals : equals - 2);
      if (equals != std::string::npos) parameter.value = text.substr(equals + 1);
    } else {
      options.positional.push_back(text);
    }
  }
}

// What is left behind the flags: script file, positional parameters, or the pattern of -l. getopt_long has put what it does
// not know behind the flags, in its order; `dashes`: how many of these stood before a `--`.
Status TakeRest(int argc, char** argv, size_t dashes, Options& options) {
  std::vector<std::string> rest(argv + optind, argv + argc);
  AddCompileWord(options, "behind dashes", std::to_string(dashes));
  for (const std::string& word : rest) AddCompileWord(options, "parameter", word);
  if (options.list) {
    if (rest.size() > 1) return Error{"-l takes one pattern", "quote it, so that the shell leaves its wildcards alone"};
    if (!rest.empty()) options.list_pattern = rest[0];
    return Ok{};
  }
  if (options.version || options.help || options.list_functions) return Ok{};
  if (!options.program && options.run_image.empty()) {
    if (rest.empty())
      return Error{"no script given", "kawk -e 'BEGIN { printf(\"hello\\n\"); }', or kawk FILE; kawk --help says more"};
    options.file = rest[0];
    TakeParameters(rest, 1, std::max<size_t>(dashes, 1), options);
    return Ok{};
  }
  TakeParameters(rest, 0, dashes, options);
  return Ok{};
}

// How many arguments follow the first `--` that is not a flag's value.
size_t CountBehindDashes(const std::vector<char*>& arguments, const std::set<const char*>& values) {
  const auto dashes = std::find_if(arguments.begin(), arguments.end(), [&](const char* argument) {
    return std::strcmp(argument, "--") == 0 && !values.contains(argument);
  });
  return dashes == arguments.end() ? 0 : static_cast<size_t>(arguments.end() - dashes) - 1;
}

}  // namespace

bool Options::Shows(DebugStage stage) const { return std::find(debug.begin(), debug.end(), stage) != debug.end(); }

Result<Options> ParseOptions(int argc, char** argv) {
  std::string short_flags = ":";  // `:` for a missing argument. Flags may stand behind the script; what follows `--` is its own
  std::vector<option> long_flags;
  for (const FlagRow& row : kFlags) {
    const bool takes = row.argument[0] != '\0';
    if (row.short_name != 0) short_flags += std::string(1, row.short_name) + (takes ? ":" : "");
    if (row.long_name[0] != '\0') {
      long_flags.push_back(
          {row.long_name, takes ? required_argument : no_argument, nullptr, kLongOnly + static_cast<int>(row.id)});
    }
  }
  long_flags.push_back({nullptr, 0, nullptr, 0});
  Options options;
  const std::vector<char*> given(argv, argv + argc);  // getopt_long moves them about
  std::set<const char*> values;
  optind = 1;
  opterr = 0;
  for (;;) {
    const int at = optind;
    const int got = getopt_long(argc, argv, short_flags.c_str(), long_flags.data(), nullptr);
    if (got == -1) break;
    if (got == '?') {
      const bool is_long = std::strncmp(argv[at], "--", 2) == 0;
      return UnknownFlag(is_long ? argv[at] : fmt::format("-{}", static_cast<char>(optopt)).c_str());
    }
    if (got == ':') return Error{fmt::format("option `{}` needs a value", argv[optind - 1]), "`kawk --help` shows which"};
    values.insert(optarg);
    const FlagRow& row = RowOf(got);
    const std::string value = optarg != nullptr ? optarg : "";
    if (!IsForRunOnly(row.id)) AddCompileWord(options, row.help, value);
    Status status = Apply(row.id, value, options);
    if (!status) return status.error();
  }
  Status status = TakeRest(argc, argv, static_cast<size_t>(argc - optind) - CountBehindDashes(given, values), options);
  if (!status) return status.error();
  if (options.run.pid != 0 && !options.run.command.empty()) return Error{"-p and -c cannot be used together", ""};
  return options;
}

std::string HelpText() {
  std::string text =
      "kawk - awk for the running kernel\n\n"
      "USAGE\n"
      "    kawk [options] FILE [parameter ...] [-- [--name=value ...]]\n"
      "    kawk [options] - [parameter ...] [-- ...]    the script comes from standard input\n"
      "    kawk [options] -e 'program' [parameter ...] [-- ...]\n"
      "    kawk FILE -- --help                          show the script's own options\n"
      "    kawk -l [-v] [pattern]\n\n"
      "OPTIONS\n";
  for (const FlagRow& row : kFlags) {
    std::string names = row.short_name != 0 ? fmt::format("-{}", row.short_name) : "   ";
    if (row.long_name[0] != '\0') names += fmt::format("{}--{}", row.short_name != 0 ? ", " : " ", row.long_name);
    if (row.argument[0] != '\0') names += fmt::format(" {}", row.argument);
    text += fmt::format("    {:<30}{}{}\n", names, names.size() >= 30 ? "\n" + std::string(34, ' ') : "", row.help);
  }
  text +=
      "\nEXAMPLES\n"
      "    kawk -e 'tracepoint:raw_syscalls:sys_enter { @[comm] = count(); }'\n"
      "        count system calls by process name\n"
      "    kawk -e 'tracepoint:syscalls:sys_enter_openat { printf(\"%s %s\\n\", comm, str(args.filename)); }'\n"
      "        show which files are opened, and by whom\n"
      "    kawk -e 'profile:hz:99 { @[kstack] = count(); }'\n"
      "        sample what the kernel does, 99 times a second on each CPU\n"
      "    kawk -l '*sleep*'\n"
      "        list the probes with `sleep` in their names\n";
  return text;
}

}  // namespace kawk
