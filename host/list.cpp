// One row of kSources per kind that can be listed: its name, whether a wildcard in the kind's place reaches it (user space
// has too many symbols, and times are no facts about the machine), and its lister. An attach point is split at its colons; a
// single word means any kind: `*sleep*` is `*:*sleep*`.
#include "host/list.h"

#include <bpf/btf.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <map>
#include <optional>

#include "base/demangle.h"
#include "base/diagnostics.h"
#include "host/binaries.h"
#include "host/format.h"
#include "host/kernel_btf.h"
#include "stdlib/perf_events.h"
#include "stdlib/registry.h"

namespace kawk {
namespace {

using Parts = std::vector<std::string>;

struct Query {
  Host& host;
  std::string kind;  // in full
  Parts parts;       // behind the kind
  bool verbose;
  int pid;
  std::optional<BtfPrinter>& printer;  // made when first needed
};

struct Line {
  std::string probe;
  std::string details;  // whole lines
};
using Lines = std::vector<Line>;

Parts SplitAt(const std::string& text, char separator) {
  Parts parts;
  size_t begin = 0;
  while (true) {
    const size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string::npos) return parts;
    begin = end + 1;
  }
}

// An empty last part stands for everything, as in `software:`.
std::string OrAll(const std::string& pattern) { return pattern.empty() ? "*" : pattern; }

// A function of the kernel or, as "module:function", of a module, as BTF knows it.
BtfPrinter::Function Describe(const Query& query, const std::string& function) {
  const size_t colon = function.find(':');
  if (colon != std::string::npos) {
    const ::btf* module = query.host.ModuleBtf(function.substr(0, colon));
    const uint32_t in_module = module == nullptr ? 0 : FindModuleFunction(module, function.substr(colon + 1));
    return in_module == 0 ? BtfPrinter::Function() : BtfPrinter(module).Describe(in_module);
  }
  const uint32_t id = query.host.FindBtfType(function, BTF_KIND_FUNC);
  if (id == 0) return {};
  if (!query.printer) query.printer.emplace(query.host.KernelBtf());
  return query.printer->Describe(id);
}

// --- Kinds with a fixed set of names ---

// `kind:name:`, the last colon waiting for a count.
Result<Lines> ListNames(const Query& query, const std::vector<std::string_view>& names) {
  const Parts& parts = query.parts;
  if (parts.size() > 2 || (parts.size() == 2 && !parts[1].empty() && parts[1] != "*")) return Lines();
  Lines lines;
  for (std::string_view name : names) {
    if (MatchesPattern(OrAll(parts[0]), std::string(name))) lines.push_back({fmt::format("{}:{}:", query.kind, name), ""});
  }
  return lines;
}

Result<Lines> ListSoftware(const Query& query) { return ListNames(query, PerfEventNames(PerfEventType::Software)); }
Result<Lines> ListHardware(const Query& query) { return ListNames(query, PerfEventNames(PerfEventType::Hardware)); }
Result<Lines> ListTimes(const Query& query) { return ListNames(query, {"hz", "ms", "s", "us"}); }
Result<Lines> ListOnce(const Query& query) { return Lines{{query.kind, ""}}; }

// --- Tracepoints ---

Result<Lines> ListTracepoints(const Query& query) {
  const Parts& parts = query.parts;
  if (parts.size() > 2) return Lines();
  const std::string category = parts.size() == 2 ? parts[0] : "*";
  const std::string event = parts.size() == 2 ? parts[1] : OrAll(parts[0]);
  Result<std::vector<std::string>> names = query.host.MatchTracepoints(category, event);
  if (!names) return names.error();
  Lines lines;
  for (const std::string& name : *names) {
    std::string details;
    if (query.verbose) {
      const size_t colon = name.find(':');
      Result<TracepointFormat> format = query.host.ReadTracepoint(name.substr(0, colon), name.substr(colon + 1));
      if (!format) return format.error();
      for (const TracepointField& field : format->fields) details += fmt::format("    {}\n", FieldDeclaration(field));
    }
    lines.push_back({query.kind + ":" + name, std::move(details)});
  }
  return lines;
}

Result<Lines> ListRawTracepoints(const Query& query) {
  const Parts& parts = query.parts;
  if (parts.size() > 2) return Lines();
  Result<std::vector<std::string>> names =
      query.host.MatchRawTracepoints(parts.size() == 2 ? parts[0] + ":" + parts[1] : OrAll(parts[0]));
  if (!names) return names.error();
  Lines lines;
  for (const std::string& name : *names) {
    std::string details;
    if (query.verbose) {
      const auto arguments = Describe(query, "__traceiter_" + name).arguments;
      for (size_t i = 1; i < arguments.size(); ++i) {  // the first is the tracepoint's own `__data`
        details += fmt::format("    {} {}\n", arguments[i].type, arguments[i].name);
      }
    }
    const bool of_module = name.find(':') != std::string::npos;
    lines.push_back({fmt::format("{}:{}{}", query.kind, of_module ? "" : "vmlinux:", name), std::move(details)});
  }
  return lines;
}

// --- Functions ---

Result<Lines> ListKernelFunctions(const Query& query) {
  const Parts& parts = query.parts;
  if (parts.size() > 2) return Lines();
  const bool with_module = parts.size() == 2;
  const bool of_return = query.kind == "kretprobe";
  Result<std::vector<std::string>> names =
      query.host.MatchKernelFunctions(with_module ? parts[0] : "*", with_module ? parts[1] : OrAll(parts[0]));
  if (!names) return names.error();
  Lines lines;
  for (const std::string& name : *names) {
    std::string details;
    if (query.verbose) {
      const BtfPrinter::Function described = Describe(query, name);
      if (of_return) {
        if (described.known) details = described.result.empty() ? "    void\n" : fmt::format("    {} retval\n", described.result);
      } else {
        for (size_t i = 0; i < described.arguments.size(); ++i) {
          details += fmt::format("    {} arg{}\n", described.arguments[i].type, i);
        }
      }
    }
    // A module that the pattern names is shown, also the kernel's own.
    const bool bare = with_module && name.find(':') == std::string::npos;
    lines.push_back({fmt::format("{}:{}{}", query.kind, bare ? "vmlinux:" : "", name), std::move(details)});
  }
  return lines;
}

// The parameters of a user function, where debug information has them.
std::string UserDetails(const Query& query, const std::string& file, uint64_t address) {
  std::string details;
  if (!query.verbose || query.kind != "uprobe") return details;
  const Result<DebugInfo*> info = query.host.OpenDebugInfo(file);
  const std::optional<DebugFunction> function = info ? (*info)->FunctionAt(address) : std::nullopt;
  if (!function) return details;
  for (const DebugParameter& parameter : function->parameters)
    details += fmt::format("    {} {}\n", parameter.text, parameter.name);
  return details;
}

Result<Lines> ListUserFunctions(const Query& query) {
  const Parts& parts = query.parts;
  const std::string binary = parts.size() == 1 ? "*" : parts[0];
  // A C++ name may hold colons.
  const bool demangled = parts.size() > 2 && parts[1] == "cpp";
  const size_t first = parts.size() == 1 ? 0 : demangled ? 2 : 1;
  std::string function = parts.size() == 1 ? OrAll(parts[0]) : parts[first];
  for (size_t i = first + 1; i < parts.size(); ++i) function += ":" + parts[i];
  std::erase(function, '"');
  Result<std::vector<std::string>> files = query.host.MatchBinaries(binary, query.pid);
  if (!files) return files.error();
  const bool spelled_out = !HasWildcard(binary) && binary.find('/') != std::string::npos;
  Lines lines;
  for (const std::string& file : *files) {
    Result<std::vector<ElfSymbol>> symbols =
        demangled ? query.host.MatchDemangled(file, function) : query.host.MatchSymbols(file, function);
    if (!symbols) {
      if (HasWildcard(binary)) continue;  // scripts in PATH are no binaries
      return symbols.error();
    }
    const std::string shown = spelled_out ? binary : WithoutRoot(file);
    const std::string* last = nullptr;
    for (const ElfSymbol& symbol : *symbols) {
      if (last != nullptr && *last == symbol.name) continue;
      last = &symbol.name;
      const std::string name = demangled ? fmt::format("cpp:\"{}\"", Demangle(symbol.name, nullptr)) : symbol.name;
      lines.push_back({fmt::format("{}:{}:{}", query.kind, shown, name), UserDetails(query, file, symbol.address)});
    }
  }
  return lines;
}

// Functions that BTF describes, with their arguments by name.
Result<Lines> ListTracedFunctions(const Query& query) {
  Result<std::vector<std::string>> names =
      query.parts.size() > 2
          ? std::vector<std::string>()
          : query.host.MatchKernelFunctions(query.parts.size() == 2 ? query.parts[0] : "*", OrAll(query.parts.back()));
  if (!names) return names.error();
  Lines lines;
  for (const std::string& name : *names) {
    const bool of_module = name.find(':') != std::string::npos;
    if (!of_module && query.host.FindBtfType(name, BTF_KIND_FUNC) == 0) continue;
    std::string details;
    if (query.verbose) {
      const BtfPrinter::Function described = Describe(query, name);
      for (const auto& argument : described.arguments) details += fmt::format("    {} {}\n", argument.type, argument.name);
      if (query.kind == "fexit" && !described.result.empty()) details += fmt::format("    {} retval\n", described.result);
    }
    lines.push_back({fmt::format("{}:{}{}", query.kind, of_module ? "" : "vmlinux:", name), std::move(details)});
  }
  return lines;
}

Result<Lines> ListIterators(const Query& query) {
  Lines lines;
  if (query.parts.size() > 2) return lines;
  for (const std::string& name : query.host.Iterators()) {
    if (!MatchesPattern(OrAll(query.parts[0]), name)) continue;
    lines.push_back(
        {fmt::format("{}:{}", query.kind, name), query.verbose ? fmt::format("    struct bpf_iter__{} * ctx\n", name) : ""});
  }
  return lines;
}

Result<Lines> ListUsdt(const Query& query) {
  const Parts& parts = query.parts;
  if (parts.size() > 3) return Lines();
  const std::string binary = parts.size() == 1 ? "*" : parts[0];
  const std::string provider = parts.size() == 3 ? OrAll(parts[1]) : "*";
  Result<std::vector<std::string>> files = query.host.MatchBinaries(binary, query.pid);
  if (!files) return files.error();
  Lines lines;
  for (const std::string& file : *files) {
    Result<std::vector<UsdtProbe>> probes = query.host.MatchUsdt(file, provider, OrAll(parts.back()));
    if (!probes && HasWildcard(binary)) continue;
    if (!probes) return probes.error();
    for (const UsdtProbe& probe : *probes) {
      std::string details;
      if (query.verbose) {
        for (size_t i = 0; i < probe.arguments.size(); ++i) {
          const UsdtArgument& argument = probe.arguments[i];
          details += fmt::format("    {}{}int{} arg{}\n", argument.is_float ? "(unreadable) " : "", argument.is_signed ? "" : "u",
                                 argument.size * 8, i);
        }
      }
      const std::string name = fmt::format("{}:{}:{}:{}", query.kind, WithoutRoot(file), probe.provider, probe.name);
      if (lines.empty() || lines.back().probe != name) lines.push_back({name, details});
    }
  }
  return lines;
}

Result<Lines> ListSelf(const Query& query) {
  Lines lines;
  for (const char* name : {"signal:SIGUSR1", "signal:SIGUSR2"}) {
    if (MatchesPattern(OrAll(fmt::format("{}", fmt::join(query.parts, ":"))), name))
      lines.push_back({fmt::format("self:{}", name), ""});
  }
  return lines;
}

// Addresses and names of tests are the script's own.
Result<Lines> ListNothing(const Query&) { return Lines(); }

struct Source {
  const char* kind;
  bool by_wildcard;
  Result<Lines> (*list)(const Query&);
};

// In the order of the list.
constexpr Source kSources[] = {
    {"BEGIN", false, ListOnce},
    {"END", false, ListOnce},
    {"bench", false, ListNothing},
    {"fentry", true, ListTracedFunctions},
    {"fexit", false, ListTracedFunctions},
    {"hardware", true, ListHardware},
    {"interval", false, ListTimes},
    {"iter", true, ListIterators},
    {"kprobe", true, ListKernelFunctions},
    {"kretprobe", false, ListKernelFunctions},
    {"profile", false, ListTimes},
    {"rawtracepoint", true, ListRawTracepoints},
    {"self", false, ListSelf},
    {"software", true, ListSoftware},
    {"test", false, ListNothing},
    {"tracepoint", true, ListTracepoints},
    {"uprobe", false, ListUserFunctions},
    {"uretprobe", false, ListUserFunctions},
    {"usdt", false, ListUsdt},
    {"watchpoint", false, ListNothing},
};

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// Kinds are found by name and alias in any case.
std::string FullKind(const std::string& kind) {
  for (const std::string& spelling : {kind, Lower(kind)}) {
    if (const ProbeRow* row = FindProbe(spelling)) return std::string(row->name);
  }
  return Lower(kind) == "h" ? "hardware" : Lower(kind);
}

std::vector<const Source*> SourcesFor(const std::string& kind) {
  std::vector<const Source*> sources;
  const std::string full = HasWildcard(kind) ? kind : FullKind(kind);
  for (const Source& source : kSources) {
    if (HasWildcard(kind) ? source.by_wildcard && MatchesPattern(Lower(kind), source.kind) : full == source.kind) {
      sources.push_back(&source);
    }
  }
  return sources;
}

std::vector<std::string> KindNames() {
  std::vector<std::string> names;
  for (const Source& source : kSources) names.emplace_back(source.kind);
  return names;
}

// Why nothing matches `attach_point`, as far as its kind tells.
std::string NothingHint(const std::string& attach_point) {
  const std::string kind = attach_point.substr(0, attach_point.find(':'));
  if (kind.size() == attach_point.size()) {
    return CanList(FullKind(kind)) ? fmt::format("`{}:*` lists the whole kind", kind) : "";
  }
  return HasWildcard(kind) || CanList(FullKind(kind)) ? "" : DidYouMean(kind, KindNames());
}

// --- Types ---

struct TypeKeyword {
  std::string_view word;  // with the blank behind it
  std::array<uint32_t, 2> kinds;
};
constexpr std::array kTypeKeywords = {TypeKeyword{"struct ", {BTF_KIND_STRUCT, BTF_KIND_STRUCT}},
                                      TypeKeyword{"union ", {BTF_KIND_UNION, BTF_KIND_UNION}},
                                      TypeKeyword{"enum ", {BTF_KIND_ENUM, BTF_KIND_ENUM64}}};

// `struct task_*`: the kernel's types of these names, with `verbose` their definitions in C.
Status ListTypes(Host& host, const TypeKeyword& keyword, const std::string& pattern, bool verbose, std::string& text) {
  const ::btf* types = host.KernelBtf();
  if (types == nullptr) return Error{"this kernel has no BTF", "it was built without CONFIG_DEBUG_INFO_BTF", ENOENT};
  std::map<std::string, uint32_t> found;
  for (uint32_t id = 1; id < btf__type_cnt(types); ++id) {
    const ::btf_type* type = btf__type_by_id(types, id);
    const uint32_t kind = btf_kind(type);
    if (type->name_off == 0 || (kind != keyword.kinds[0] && kind != keyword.kinds[1])) continue;
    const char* name = btf__name_by_offset(types, type->name_off);
    if (name != nullptr && MatchesPattern(pattern, name)) found.try_emplace(name, id);
  }
  BtfPrinter printer(types);
  for (const auto& [name, id] : found) {
    const std::string title = std::string(keyword.word) + name;
    text += verbose ? printer.Definition(id, title) + "\n" : title + "\n";
  }
  return Ok{};
}

// Appends what matches one attach point to `text`.
Status ListOne(Host& host, const std::string& attach_point, bool verbose, int pid, std::string& text,
               std::vector<Error>& left_out) {
  for (const TypeKeyword& keyword : kTypeKeywords) {
    if (!attach_point.starts_with(keyword.word)) continue;
    return ListTypes(host, keyword, attach_point.substr(keyword.word.size()), verbose, text);
  }
  Parts parts = SplitAt(attach_point, ':');
  const bool is_once = parts.size() == 1 && (FullKind(parts[0]) == "BEGIN" || FullKind(parts[0]) == "END");
  if (parts.size() == 1 && !is_once) parts.insert(parts.begin(), "*");
  const std::string kind = OrAll(parts[0]);
  parts.erase(parts.begin());
  const std::vector<const Source*> sources = SourcesFor(kind);
  std::optional<BtfPrinter> printer;
  for (const Source* source : sources) {
    const Query query{host, source->kind, parts, verbose, pid, printer};
    Result<Lines> lines = source->list(query);
    if (!lines) {
      if (sources.size() == 1) return lines.error();
      // The kinds of kernel functions share their list, and what is wrong with it.
      if (left_out.empty() || left_out.back().message != lines.error().message) left_out.push_back(lines.error());
      continue;
    }
    std::sort(lines->begin(), lines->end(), [](const Line& a, const Line& b) { return a.probe < b.probe; });
    for (const Line& line : *lines) text.append(line.probe).append("\n").append(line.details);
  }
  return Ok{};
}

}  // namespace

Result<std::string> ListProbes(Host& host, const std::string& pattern, bool verbose, int pid, std::vector<Error>* left_out) {
  std::string text;
  std::vector<Error> errors;
  const Parts attach_points = SplitAt(pattern, ',');
  for (const std::string& attach_point : attach_points) {
    const Status status = ListOne(host, attach_point, verbose, pid, text, errors);
    if (status) continue;
    if (attach_points.size() == 1) return status.error();
    errors.push_back(status.error());
  }
  if (left_out != nullptr) *left_out = errors;
  if (text.empty()) return Error{fmt::format("no probe matches `{}`", pattern), NothingHint(attach_points[0]), 0};
  return text;
}

bool CanList(const std::string& kind) {
  return std::any_of(std::begin(kSources), std::end(kSources), [&](const Source& source) { return source.kind == kind; });
}

}  // namespace kawk
