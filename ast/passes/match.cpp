// One matcher per form of attach point. Each asks the host and makes exact targets; none of them complains.
#include "ast/passes/match.h"

#include <fmt/format.h>
#include <linux/btf.h>

#include <cerrno>

#include "host/kernel_btf.h"

namespace kawk {

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

std::string OffsetText(const AttachPoint& point) { return point.offset == 0 ? "" : fmt::format("+{}", point.offset); }

namespace {

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
    target.name = fmt::format("{}:{}{}", Row(point.kind).name, name, OffsetText(point));
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
      if (target.group.empty()) return host.FindBtfType(target.target, BTF_KIND_FUNC) == 0;
      const ::btf* module = host.ModuleBtf(target.group);
      return module == nullptr || FindModuleFunction(module, target.target) == 0;
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

}  // namespace

bool IsBpfProgram(const AttachTarget& target) { return target.group == "bpf"; }

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
