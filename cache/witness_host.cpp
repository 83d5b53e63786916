// Each question here is asked a second time by Holds: the two must make the same digest of an answer.
#include "cache/witness_host.h"

#include <cstdlib>

#include "base/check.h"

namespace kawk {
namespace {

// Tracepoints of system calls are built into the kernel; others may come from modules.
constexpr const char* kBuiltIn = "syscalls";

void Put(Sha256& sum, const std::string& text) { sum.AddText(text); }
void Put(Sha256& sum, uint64_t number) { sum.AddNumber(number); }
void Put(Sha256& sum, bool yes) { sum.AddNumber(yes ? 1 : 0); }
void Put(Sha256& sum, const std::vector<std::string>& list) {
  sum.AddNumber(list.size());
  for (const std::string& text : list) sum.AddText(text);
}
void Put(Sha256& sum, const TracepointFormat& format) {
  sum.AddNumber(format.id);
  sum.AddNumber(format.fields.size());
  for (const TracepointField& field : format.fields) {
    sum.AddText(field.name);
    sum.AddText(field.type);
    for (const uint64_t number : {uint64_t{field.offset}, uint64_t{field.size}, uint64_t{field.is_signed},
                                  uint64_t{field.data_loc}, uint64_t{field.rel_data_loc}}) {
      sum.AddNumber(number);
    }
  }
}

template <class T>
Digest DigestOf(const T& answer) {
  Sha256 sum;
  Put(sum, answer);
  return sum.Finish();
}

template <class T>
Digest DigestOf(const Result<T>& answer) {
  Sha256 sum;
  Put(sum, static_cast<bool>(answer));
  if (answer) {
    Put(sum, *answer);
  } else {
    Put(sum, answer.error().message);
  }
  return sum.Finish();
}

uint32_t Number(const std::string& text) { return static_cast<uint32_t>(std::strtoul(text.c_str(), nullptr, 10)); }

// How many arguments a question takes.
size_t Arity(FactKind kind) {
  switch (kind) {
    case FactKind::Modules: return 0;
    case FactKind::File:
    case FactKind::Folder:
    case FactKind::FileIdentity:
    case FactKind::Binary:
    case FactKind::Binaries:
    case FactKind::Cgroup: return 1;
    case FactKind::TracepointFormat:
    case FactKind::Tracepoints:
    case FactKind::Kfunc: return 2;
  }
  UNREACHABLE("kind of fact");
}

Digest AskAgain(FactKind kind, const std::vector<std::string>& arguments, Host& host) {
  switch (kind) {
    case FactKind::File: return FileDigest(arguments[0]);
    case FactKind::Folder: return FolderDigest(arguments[0]);
    case FactKind::FileIdentity: return FileIdentity(arguments[0]);
    case FactKind::TracepointFormat: return DigestOf(host.ReadTracepoint(arguments[0], arguments[1]));
    case FactKind::Tracepoints: return DigestOf(host.MatchTracepoints(arguments[0], arguments[1]));
    case FactKind::Modules: return ModulesDigest();
    case FactKind::Binary: return DigestOf(host.FindBinary(arguments[0], 0));
    case FactKind::Binaries: return DigestOf(host.MatchBinaries(arguments[0], 0));
    case FactKind::Cgroup: return DigestOf(host.CgroupId(arguments[0]));
    case FactKind::Kfunc: return DigestOf(host.AllowsKfunc(Number(arguments[0]), Number(arguments[1])));
  }
  UNREACHABLE("kind of fact");
}

}  // namespace

bool Holds(const Fact& fact, Host& host) {
  return fact.arguments.size() == Arity(fact.kind) && AskAgain(fact.kind, fact.arguments, host) == fact.answer;
}

Result<TracepointFormat> WitnessHost::ReadTracepoint(const std::string& category, const std::string& event) {
  Result<TracepointFormat> format = host_.ReadTracepoint(category, event);
  if (!format || category != kBuiltIn) witness_.Add(FactKind::TracepointFormat, {category, event}, DigestOf(format));
  return format;
}

Result<std::vector<std::string>> WitnessHost::MatchTracepoints(const std::string& category, const std::string& event) {
  Result<std::vector<std::string>> matches = host_.MatchTracepoints(category, event);
  if (!matches || category != kBuiltIn) witness_.Add(FactKind::Tracepoints, {category, event}, DigestOf(matches));
  return matches;
}

Result<std::vector<std::string>> WitnessHost::MatchRawTracepoints(const std::string& pattern) {
  AddModules();
  return host_.MatchRawTracepoints(pattern);
}

Result<std::vector<std::string>> WitnessHost::MatchKernelFunctions(const std::string& module, const std::string& function) {
  AddModules();
  Result<std::vector<std::string>> matches = host_.MatchKernelFunctions(module, function);
  if (!matches) witness_.Forbid("the kernel's functions could not be listed");
  return matches;
}

Result<uint64_t> WitnessHost::KernelAddress(const std::string& name) {
  witness_.Forbid("it holds the address of a kernel symbol");
  return host_.KernelAddress(name);
}

void WitnessHost::ForbidProcess(int pid) {
  if (pid != 0) witness_.Forbid("it was made for one process");
}

Result<std::string> WitnessHost::FindBinary(const std::string& name, int pid) {
  ForbidProcess(pid);
  Result<std::string> path = host_.FindBinary(name, pid);
  witness_.Add(FactKind::Binary, {name}, DigestOf(path));
  return path;
}

Result<std::vector<std::string>> WitnessHost::MatchBinaries(const std::string& pattern, int pid) {
  ForbidProcess(pid);
  Result<std::vector<std::string>> paths = host_.MatchBinaries(pattern, pid);
  witness_.Add(FactKind::Binaries, {pattern}, DigestOf(paths));
  return paths;
}

Result<std::vector<ElfSymbol>> WitnessHost::MatchSymbols(const std::string& path, const std::string& pattern) {
  AddIdentity(path);
  return host_.MatchSymbols(path, pattern);
}

Result<std::vector<ElfSymbol>> WitnessHost::MatchDemangled(const std::string& path, const std::string& pattern) {
  AddIdentity(path);
  return host_.MatchDemangled(path, pattern);
}

// A separate file with it may be installed at any time, and then belongs to this very program.
Result<DebugInfo*> WitnessHost::OpenDebugInfo(const std::string& path) {
  AddIdentity(path);
  Result<DebugInfo*> info = host_.OpenDebugInfo(path);
  if (!info) witness_.Forbid("a program has no debug information yet");
  return info;
}

const ::btf* WitnessHost::ModuleBtf(const std::string& module) {
  AddModules();
  return host_.ModuleBtf(module);
}

Result<uint64_t> WitnessHost::FileOffset(const std::string& path, uint64_t address) {
  AddIdentity(path);
  return host_.FileOffset(path, address);
}

Result<ElfObject> WitnessHost::FindObject(const std::string& path, const std::string& name, uint64_t file_offset) {
  AddIdentity(path);
  return host_.FindObject(path, name, file_offset);
}

Result<std::vector<UsdtProbe>> WitnessHost::MatchUsdt(const std::string& path, const std::string& provider,
                                                      const std::string& name) {
  AddIdentity(path);
  return host_.MatchUsdt(path, provider, name);
}

Result<uint64_t> WitnessHost::CgroupId(const std::string& path) {
  Result<uint64_t> id = host_.CgroupId(path);
  witness_.Add(FactKind::Cgroup, {path}, DigestOf(id));
  return id;
}

bool WitnessHost::AllowsKfunc(uint32_t id, uint32_t program_type) {
  const bool allows = host_.AllowsKfunc(id, program_type);
  witness_.Add(FactKind::Kfunc, {std::to_string(id), std::to_string(program_type)}, DigestOf(allows));
  return allows;
}

std::vector<std::string> WitnessHost::Iterators() { return host_.Iterators(); }

}  // namespace kawk
