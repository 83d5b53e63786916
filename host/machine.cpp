// MakeHost: this machine, put together from its parts. Each part reads what it needs at the first question.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "host/binaries.h"
#include "host/dwarf_file.h"
#include "host/elf_file.h"
#include "host/host.h"
#include "host/kallsyms.h"
#include "host/kernel_btf.h"
#include "host/kernel_questions.h"
#include "host/options.h"
#include "host/pattern.h"
#include "host/tracefs.h"
#include "host/usdt.h"

namespace kawk {
namespace {

std::string Variable(const char* ours, const char* peers, const char* otherwise) {
  for (const char* name : {ours, peers}) {
    const char* value = name == nullptr ? nullptr : std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return otherwise;
}

class Machine final : public Host {
 public:
  explicit Machine(const HostOptions& options)
      : tracefs_({"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}, options.traceable_functions),
        debug_folders_(options.debug_folders) {}

  Result<TracepointFormat> ReadTracepoint(const std::string& category, const std::string& event) override {
    return tracefs_.ReadTracepoint(category, event);
  }
  Result<std::vector<std::string>> MatchTracepoints(const std::string& category, const std::string& event) override {
    return tracefs_.MatchTracepoints(category, event);
  }
  Result<std::vector<std::string>> MatchRawTracepoints(const std::string& pattern) override;
  Result<std::vector<std::string>> MatchKernelFunctions(const std::string& module, const std::string& function) override {
    return tracefs_.MatchKernelFunctions(module, function);
  }
  Result<std::string> FindBinary(const std::string& name, int pid) override { return binaries_.Find(name, pid); }
  Result<std::vector<std::string>> MatchBinaries(const std::string& pattern, int pid) override {
    return binaries_.Match(pattern, pid);
  }
  Result<std::vector<ElfSymbol>> MatchSymbols(const std::string& path, const std::string& pattern) override {
    return elf_.MatchSymbols(path, pattern);
  }
  Result<std::vector<ElfSymbol>> MatchDemangled(const std::string& path, const std::string& pattern) override {
    return elf_.MatchDemangled(path, pattern);
  }
  Result<DebugInfo*> OpenDebugInfo(const std::string& path) override;
  Result<uint64_t> FileOffset(const std::string& path, uint64_t address) override { return elf_.FileOffset(path, address); }
  Result<ElfObject> FindObject(const std::string& path, const std::string& name, uint64_t file_offset) override {
    return elf_.FindObject(path, name, file_offset);
  }
  Result<uint64_t> KernelAddress(const std::string& name) override { return kallsyms_.Find(name); }
  Result<uint64_t> CgroupId(const std::string& path) override { return kawk::CgroupId(path); }
  bool AllowsKfunc(uint32_t id, uint32_t program_type) override { return kawk::AllowsKfunc(id, program_type); }
  Result<std::vector<UsdtProbe>> MatchUsdt(const std::string& path, const std::string& provider,
                                           const std::string& name) override {
    return usdt_.Match(path, provider, name);
  }
  std::vector<std::string> Iterators() override { return btf_.Iterators(); }
  const ::btf* KernelBtf() override { return btf_.Get(); }
  const ::btf* ModuleBtf(const std::string& module) override { return btf_.Module(module); }
  uint32_t FindBtfType(const std::string& name, uint32_t kind) override { return btf_.Find(name, kind); }

 private:
  Result<std::vector<std::string>> RawTracepoints();

  Tracefs tracefs_;
  std::vector<std::string> debug_folders_;
  std::map<std::string, Result<std::unique_ptr<DwarfFile>>> debug_infos_;  // by path
  ElfCache elf_;
  UsdtCache usdt_;
  Binaries binaries_{Variable("PATH", nullptr, "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")};
  Kallsyms kallsyms_;
  class KernelBtf btf_{Variable("KAWK_BTF", "BPFTRACE_BTF", "/sys/kernel/btf/vmlinux")};
};

Result<DebugInfo*> Machine::OpenDebugInfo(const std::string& path) {
  auto known = debug_infos_.find(path);
  if (known == debug_infos_.end()) known = debug_infos_.emplace(path, DwarfFile::Open(path, debug_folders_)).first;
  if (!known->second) return known->second.error();
  return known->second->get();
}

// "module:event" of all.
Result<std::vector<std::string>> Machine::RawTracepoints() {
  if (!btf_.RawTracepoints().empty()) return btf_.RawTracepoints();
  // Without BTF the events of tracefs say it, except for those of single system calls, which are made of two tracepoints.
  Result<std::vector<std::string>> events = tracefs_.MatchTracepoints("*", "*");
  if (!events) return events.error();
  std::vector<std::string> names;
  for (const std::string& event : *events) {
    if (!event.starts_with("syscalls:")) names.push_back("vmlinux:" + event.substr(event.find(':') + 1));
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

Result<std::vector<std::string>> Machine::MatchRawTracepoints(const std::string& pattern) {
  Result<std::vector<std::string>> names = RawTracepoints();
  if (!names) return names.error();
  const size_t pattern_colon = pattern.find(':');
  const std::string module_pattern = pattern_colon == std::string::npos ? "*" : pattern.substr(0, pattern_colon);
  const std::string event_pattern = pattern_colon == std::string::npos ? pattern : pattern.substr(pattern_colon + 1);
  std::vector<std::string> matches;
  for (const std::string& name : *names) {
    const size_t colon = name.find(':');
    const std::string_view view = name;
    const std::string_view module = view.substr(0, colon);
    const std::string_view event = view.substr(colon + 1);
    if (!PatternMatches(module_pattern, module) || !PatternMatches(event_pattern, event)) continue;
    matches.push_back(module == "vmlinux" ? std::string(event) : name);
  }
  std::sort(matches.begin(), matches.end());
  return matches;
}

}  // namespace

std::unique_ptr<Host> MakeHost() { return MakeHost(HostOptions()); }
std::unique_ptr<Host> MakeHost(const HostOptions& options) { return std::make_unique<Machine>(options); }

}  // namespace kawk
