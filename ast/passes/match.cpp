// One matcher per form of attach point. Each asks the host and makes exact targets; none of them complains.
#include "ast/passes/match.h"

#include <fmt/format.h>
#include <linux/btf.h>

#include <cerrno>

namespace kawk {
namespace {

AttachTarget TargetOf(const AttachPoint& point) {
  AttachTarget target;
  target.kind = point.kind;
  target.name = point.name;
  target.location = point.location;
  target.target = point.target;
  target.group = point.group;
  target.offset = point.offset;
  target.period = point.period;
  target.frequency = point.frequency;
  target.config = point.config;
  return target;
}

std::string Offset(const AttachPoint& point) { return point.offset == 0 ? "" : fmt::format("+{}", point.offset); }

// "a:b" → {"a", "b"}; no colon: {"", text}.
std::pair<std::string, std::string> SplitName(const std::string& name) {
  const size_t colon = name.find(':');
  if (colon == std::string::npos) return {"", name};
  return {name.substr(0, colon), name.substr(colon + 1)};
}

Match Names(const AttachPoint& point, const Result<std::vector<std::string>>& names) {
  Match match;
  if (!names) {
    match.error = names.error();
    return match;
  }
  for (const std::string& name : *names) {
    AttachTarget& target = match.targets.emplace_back(TargetOf(point));
    std::tie(target.group, target.target) = SplitName(name);
    target.name = fmt::format("{}:{}{}", Row(point.kind).name, name, Offset(point));
  }
  return match;
}

void Suggest(Match& match, const Result<std::vector<std::string>>& names) {
  if (match.targets.empty() && !match.error && names) match.candidates = *names;
}

Match MatchTracepoint(const AttachPoint& point, Host& host) {
  Match match = Names(point, host.MatchTracepoints(point.group, point.target));
  if (match.targets.empty()) Suggest(match, host.MatchTracepoints("*", "*"));
  return match;
}

Match MatchRawTracepoint(const AttachPoint& point, Host& host) {
  const std::string pattern = point.group.empty() ? point.target : point.group + ":" + point.target;
  Match match = Names(point, host.MatchRawTracepoints(pattern));
  if (match.targets.empty()) Suggest(match, host.MatchRawTracepoints("*"));
  return match;
}

Match MatchKernelFunction(const AttachPoint& point, Host& host) {
  Match match = Names(point, host.MatchKernelFunctions(point.group, point.target));
  // A kernel may have no list of its functions, or not for this user; a name in full can still be tried.
  if (match.error && (match.error->code == ENOENT || match.error->code == EACCES || match.error->code == EPERM) &&
      !HasWildcard(point)) {
    match.error.reset();
    match.targets.push_back(TargetOf(point));
  }
  if (match.targets.empty()) Suggest(match, host.MatchKernelFunctions(point.group, "*"));
  return match;
}

// Functions that BTF describes: only their arguments can be found. A list of functions may be missing, a name in full not.
Match MatchTracedFunction(const AttachPoint& point, Host& host) {
  Match match;
  if (point.group == "bpf") {
    match.targets.push_back(TargetOf(point));
    return match;
  }
  match = MatchKernelFunction(point, host);
  if (HasWildcard(point)) {
    std::erase_if(match.targets, [&](const AttachTarget& target) {
      return target.group.empty() && host.FindBtfType(target.target, BTF_KIND_FUNC) == 0;
    });
  }
  return match;
}

Match MatchIterator(const AttachPoint& point, Host& host) {
  Match match;
  const std::vector<std::string> all = host.Iterators();
  for (const std::string& name : all) {
    if (!MatchesPattern(point.target, name)) continue;
    AttachTarget& target = match.targets.emplace_back(TargetOf(point));
    target.target = name;
    target.path = point.path;
    target.name = fmt::format("{}:{}{}{}", Row(point.kind).name, name, point.path.empty() ? "" : ":", point.path);
  }
  if (match.targets.empty()) match.candidates = all;
  return match;
}

// At an address the kernel need know no name.
Match MatchKernelAddress(const AttachPoint& point, const ScriptInput& input) {
  Match match;
  if (input.unsafe) {
    AttachTarget& target = match.targets.emplace_back(TargetOf(point));
    target.offset = *point.address;
    return match;
  }
  match.error = Error{"a probe at an address is unsafe", "--unsafe allows it: it must be the beginning of an instruction", 0};
  return match;
}

void AddUserFunctions(const AttachPoint& point, const std::string& path, Host& host, Match& match) {
  const auto add = [&](const std::string& function, uint64_t file_offset, const std::string& shown) {
    AttachTarget& target = match.targets.emplace_back(TargetOf(point));
    target.path = path;
    target.target = function;
    target.offset = file_offset;
    target.name = fmt::format("{}:{}:{}", Row(point.kind).name, path, shown);
  };
  if (point.address) {
    const Result<uint64_t> offset = host.FileOffset(path, *point.address);
    if (!offset) {
      match.error = offset.error();
      return;
    }
    return add("", *offset, fmt::format("{}", *point.address));
  }
  const Result<std::vector<ElfSymbol>> symbols = host.MatchSymbols(path, point.target);
  if (!symbols) {
    match.error = symbols.error();
    return;
  }
  std::string last;
  for (const ElfSymbol& symbol : *symbols) {
    if (symbol.name == last) continue;  // versions of one function, or local functions of one name
    last = symbol.name;
    add(symbol.name, symbol.file_offset + point.offset, symbol.name + Offset(point));
  }
}

// The files that the attach point's path means.
Result<std::vector<std::string>> FindPaths(const AttachPoint& point, const ScriptInput& input, Host& host) {
  if (HasWildcard(point.path)) return host.MatchBinaries(point.path, input.pid);
  Result<std::string> found = host.FindBinary(point.path, input.pid);
  if (!found) return found.error();
  return std::vector<std::string>{*std::move(found)};
}

Match MatchUserFunction(const AttachPoint& point, const ScriptInput& input, Host& host) {
  Match match;
  const Result<std::vector<std::string>> paths = FindPaths(point, input, host);
  if (!paths) {
    match.error = paths.error();
    return match;
  }
  for (const std::string& path : *paths) AddUserFunctions(point, path, host, match);
  if (!match.targets.empty()) {
    match.error.reset();  // one of several files may be no program
  } else if (paths->size() == 1 && !match.error) {
    if (const auto all = host.MatchSymbols((*paths)[0], "*")) {
      for (const ElfSymbol& symbol : *all) match.candidates.push_back(symbol.name);
    }
  }
  return match;
}

void AddUsdt(const AttachPoint& point, const std::string& path, Host& host, Match& match) {
  const Result<std::vector<UsdtProbe>> probes = host.MatchUsdt(path, point.group.empty() ? "*" : point.group, point.target);
  if (!probes) {
    match.error = probes.error();
    return;
  }
  for (const UsdtProbe& probe : *probes) {
    const std::string name = fmt::format("{}:{}:{}:{}", Row(point.kind).name, path, probe.provider, probe.name);
    const bool same = !match.targets.empty() && match.targets.back().name == name;
    AttachTarget& target = match.targets.emplace_back(TargetOf(point));
    target.name = name;
    target.group = probe.provider;
    target.target = probe.name;
    target.path = path;
    target.offset = probe.file_offset;
    target.semaphore_offset = probe.semaphore_offset;
    target.same_probe = same;
    target.argument_text = probe.argument_text;
    target.arguments = probe.arguments;
  }
}

Match MatchUsdt(const AttachPoint& point, const ScriptInput& input, Host& host) {
  Match match;
  const Result<std::vector<std::string>> paths = FindPaths(point, input, host);
  if (!paths) {
    match.error = paths.error();
    return match;
  }
  for (const std::string& path : *paths) AddUsdt(point, path, host, match);
  if (!match.targets.empty()) {
    match.error.reset();
  } else if (paths->size() == 1 && !match.error) {
    if (const auto all = host.MatchUsdt((*paths)[0], "*", "*")) {
      for (const UsdtProbe& probe : *all) match.candidates.push_back(probe.provider + ":" + probe.name);
      if (all->empty()) match.error = Error{fmt::format("`{}` has no USDT probes", (*paths)[0]), "", 0};
    }
  }
  return match;
}

}  // namespace

bool HasWildcard(const AttachPoint& point) {
  if ((Row(point.kind).flags & kWildcard) == 0) return false;
  return HasWildcard(point.group) || HasWildcard(point.target) || HasWildcard(point.path);
}

Match MatchAttachPoint(const AttachPoint& point, const ScriptInput& input, Host& host) {
  switch (point.kind) {
    case ProbeKind::Begin:
    case ProbeKind::End:
    case ProbeKind::Signal:
    case ProbeKind::Test:
    case ProbeKind::Bench:
    case ProbeKind::Interval:
    case ProbeKind::Profile:
    case ProbeKind::Software:
    case ProbeKind::Hardware:
    case ProbeKind::Watchpoint: {
      Match match;
      match.targets.push_back(TargetOf(point));
      return match;
    }
    case ProbeKind::Tracepoint: return MatchTracepoint(point, host);
    case ProbeKind::RawTracepoint: return MatchRawTracepoint(point, host);
    case ProbeKind::Kprobe:
    case ProbeKind::Kretprobe: return point.address ? MatchKernelAddress(point, input) : MatchKernelFunction(point, host);
    case ProbeKind::Fentry:
    case ProbeKind::Fexit: return MatchTracedFunction(point, host);
    case ProbeKind::Iter: return MatchIterator(point, host);
    case ProbeKind::Uprobe:
    case ProbeKind::Uretprobe: return MatchUserFunction(point, input, host);
    case ProbeKind::Usdt: return MatchUsdt(point, input, host);
  }
  UNREACHABLE("probe kind");
}

}  // namespace kawk
