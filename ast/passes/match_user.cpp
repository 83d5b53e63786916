// Matchers of user space: functions by name, address and source line, and USDT probes.
#include <fmt/format.h>

#include <algorithm>

#include "ast/passes/match.h"

namespace kawk {
namespace {

class UserFunctions {
 public:
  UserFunctions(const AttachPoint& point, const ScriptInput& input, Host& host, Match& match)
      : point_(point), input_(input), host_(host), match_(match) {}

  void AddFrom(const std::string& path) {
    const std::optional<Error> error = point_.line != 0 ? AddLine(path) : point_.address ? AddAddress(path) : AddNamed(path);
    if (error) match_.error = *error;
  }

 private:
  void Add(const std::string& path, const std::string& function, uint64_t address, uint64_t file_offset,
           const std::string& shown) {
    AttachTarget& target = match_.targets.emplace_back(TargetOf(point_));
    target.path = path;
    target.target = function;
    target.offset = file_offset;
    target.address = address;
    target.name = fmt::format("{}:{}:{}", Row(point_.kind).name, path, shown);
  }

  // What the symbol table says of an address: the function that it is in.
  std::string FunctionAt(const std::string& path, uint64_t address) {
    if (all_.empty() || all_path_ != path) {
      if (Result<std::vector<ElfSymbol>> all = host_.MatchSymbols(path, "*")) all_ = *std::move(all);
      all_path_ = path;
    }
    for (const ElfSymbol& symbol : all_) {
      if (symbol.address <= address && address - symbol.address < std::max<uint64_t>(symbol.size, 1)) return symbol.name;
    }
    return "";
  }

  std::optional<Error> AddAddress(const std::string& path) {
    const Result<uint64_t> offset = host_.FileOffset(path, *point_.address);
    if (!offset) return offset.error();
    Add(path, FunctionAt(path, *point_.address), *point_.address, *offset, fmt::format("{}", *point_.address));
    return std::nullopt;
  }

  std::optional<Error> AddLine(const std::string& path) {
    const Result<DebugInfo*> info = host_.OpenDebugInfo(path);
    if (!info) return info.error();
    const auto line = static_cast<uint32_t>(point_.line);
    const std::vector<DebugLine> places = (*info)->LinesAt(point_.source, line, static_cast<uint32_t>(point_.column));
    for (const DebugLine& place : places) {
      const Result<uint64_t> offset = host_.FileOffset(path, place.address);
      if (!offset) return offset.error();
      Add(path, FunctionAt(path, place.address), place.address, *offset, fmt::format("{}", place.address));
    }
    if (!places.empty()) return std::nullopt;
    if (point_.column != 0) {
      const std::vector<DebugLine> any = (*info)->LinesAt(point_.source, line, 0);
      if (!any.empty())
        return Error{"no statement begins at this column", fmt::format("one begins at column {}", any[0].column), 0};
    }
    const uint32_t next = (*info)->NextLine(point_.source, line);
    if (next != 0) return Error{"this line has no code", fmt::format("the next line with code is {}", next), 0};
    const bool known = (*info)->NextLine(point_.source, 1) != 0;
    return known ? Error{"the file has no code behind this line", "", 0}
                 : Error{fmt::format("no source file of this binary is named `{}`", point_.source), "", 0};
  }

  std::optional<Error> AddNamed(const std::string& path) {
    const Result<std::vector<ElfSymbol>> symbols =
        point_.demangled ? host_.MatchDemangled(path, point_.target) : host_.MatchSymbols(path, point_.target);
    if (!symbols) return symbols.error();
    std::string last;
    for (const ElfSymbol& symbol : *symbols) {
      if (symbol.name == last) continue;  // versions of one function, or local functions of one name
      last = symbol.name;
      if (point_.offset != 0 && symbol.size != 0 && point_.offset >= symbol.size && !input_.unsafe)
        return Error{fmt::format("`{}` has only {} bytes", symbol.name, symbol.size), "--unsafe goes beyond them", 0};
      Add(path, symbol.name, symbol.address + point_.offset, symbol.file_offset + point_.offset,
          (point_.demangled ? "cpp:" : "") + symbol.name + OffsetText(point_));
    }
    return std::nullopt;
  }

  const AttachPoint& point_;
  const ScriptInput& input_;
  Host& host_;
  Match& match_;
  std::vector<ElfSymbol> all_;  // of the file all_path_
  std::string all_path_;
};

// The files that the attach point's path means.
Result<std::vector<std::string>> FindPaths(const AttachPoint& point, const ScriptInput& input, Host& host) {
  if (HasWildcard(point.path)) return host.MatchBinaries(point.path, input.pid);
  Result<std::string> found = host.FindBinary(point.path, input.pid);
  if (!found) return found.error();
  return std::vector<std::string>{*std::move(found)};
}

// A function that is nowhere called has no symbol, but its name may be known.
std::optional<Error> WhyNoFunction(const AttachPoint& point, const std::string& path, Host& host) {
  if (HasWildcard(point.target) || point.demangled) return std::nullopt;
  const Result<DebugInfo*> info = host.OpenDebugInfo(path);
  const std::optional<std::string> place = info ? (*info)->InlinedAt(point.target) : std::nullopt;
  if (!place) return std::nullopt;
  return Error{
      fmt::format("`{}` is inlined wherever it is called", point.target),
      fmt::format("it stands at {}: `{}:BINARY@FILE:LINE` of a line in it reaches every copy", *place, Row(point.kind).name), 0};
}

}  // namespace

Match MatchUserFunction(const AttachPoint& point, const ScriptInput& input, Host& host) {
  Match match;
  const Result<std::vector<std::string>> paths = FindPaths(point, input, host);
  if (!paths) {
    match.error = paths.error();
    return match;
  }
  UserFunctions functions(point, input, host, match);
  for (const std::string& path : *paths) functions.AddFrom(path);
  if (!match.targets.empty()) {
    match.error.reset();  // one of several files may be no program
  } else if (paths->size() == 1 && !match.error) {
    match.error = WhyNoFunction(point, (*paths)[0], host);
    if (match.error) return match;
    if (const auto all = host.MatchSymbols((*paths)[0], "*")) {
      for (const ElfSymbol& symbol : *all) match.candidates.push_back(symbol.name);
    }
  }
  return match;
}

namespace {

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

}  // namespace

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

}  // namespace kawk
