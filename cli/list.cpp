#include "cli/list.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdio>

#include "ast/attach_point.h"
#include "cli/files.h"
#include "host/host.h"
#include "host/list.h"
#include "parser/parser.h"

namespace kawk {
namespace {

// The attach points of a script, with what -l prints of each.
Result<std::string> ListScript(Host& host, const Options& options, const std::string& name, std::string text) {
  SourceMap sources;
  sources.Add(name, std::move(text));
  Diagnostics diagnostics;
  const std::unique_ptr<Ast> ast = Parse(sources, 0, diagnostics);
  if (diagnostics.has_errors()) return Error{diagnostics.Render(sources, false, false), "", 0};
  std::string list;
  for (const Probe& probe : ast->probes) {
    for (const AttachPointText& point : probe.attach_points) {
      const std::string pattern = SubstitutePositional(point.text, options.positional);
      Result<std::string> lines = ListProbes(host, pattern, options.run.verbose, options.run.pid);
      // Timers and the like are what they say.
      list += lines ? *lines : pattern + "\n";
    }
  }
  return list;
}

bool IsScript(const std::string& path) {
  struct stat status;
  return !path.empty() && ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

Result<std::string> ListText(const Options& options) {
  const std::unique_ptr<Host> host = MakeHost(options.host);
  if (options.program) return ListScript(*host, options, "stdin", *options.program);
  if (!IsScript(options.list_pattern)) return ListProbes(*host, options.list_pattern, options.run.verbose, options.run.pid);
  Result<std::string> text = ReadScript(options.list_pattern);
  if (!text) return text.error();
  return ListScript(*host, options, options.list_pattern, std::move(*text));
}

}  // namespace

int List(const Options& options) {
  const Result<std::string> text = ListText(options);
  if (!text) {
    ReportError(text.error());
    return 1;
  }
  std::fwrite(text->data(), 1, text->size(), stdout);
  return std::fflush(stdout) == 0 ? 0 : 1;
}

}  // namespace kawk
