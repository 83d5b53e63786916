// A Host that answers as another one does, and writes down what must still hold for its answers to be the same.
#pragma once

#include <cstdint>

#include "cache/witness.h"
#include "host/host.h"

namespace kawk {

// Facts that are the kernel's own are in the key already: they are not written down.
class WitnessHost final : public Host {
 public:
  WitnessHost(Host& host, Witness& witness) : host_(host), witness_(witness) {}

  Result<TracepointFormat> ReadTracepoint(const std::string& category, const std::string& event) override;
  Result<std::vector<std::string>> MatchTracepoints(const std::string& category, const std::string& event) override;
  Result<std::vector<std::string>> MatchRawTracepoints(const std::string& pattern) override;
  Result<std::vector<std::string>> MatchKernelFunctions(const std::string& module, const std::string& function) override;
  Result<uint64_t> KernelAddress(const std::string& name) override;
  Result<std::string> FindBinary(const std::string& name, int pid) override;
  Result<std::vector<std::string>> MatchBinaries(const std::string& pattern, int pid) override;
  Result<std::vector<ElfSymbol>> MatchSymbols(const std::string& path, const std::string& pattern) override;
  Result<std::vector<ElfSymbol>> MatchDemangled(const std::string& path, const std::string& pattern) override;
  Result<DebugInfo*> OpenDebugInfo(const std::string& path) override;
  Result<uint64_t> FileOffset(const std::string& path, uint64_t address) override;
  Result<ElfObject> FindObject(const std::string& path, const std::string& name, uint64_t file_offset) override;
  Result<std::vector<UsdtProbe>> MatchUsdt(const std::string& path, const std::string& provider,
                                           const std::string& name) override;
  Result<uint64_t> CgroupId(const std::string& path) override;
  const ::btf* KernelBtf() override { return host_.KernelBtf(); }
  const ::btf* ModuleBtf(const std::string& module) override;
  uint32_t FindBtfType(const std::string& name, uint32_t kind) override { return host_.FindBtfType(name, kind); }
  bool AllowsKfunc(uint32_t id, uint32_t program_type) override;
  std::vector<std::string> Iterators() override;

 private:
  void AddIdentity(const std::string& path) { witness_.Add(FactKind::FileIdentity, {path}, kawk::FileIdentity(path)); }
  void AddModules() { witness_.Add(FactKind::Modules, {}, ModulesDigest()); }
  void ForbidProcess(int pid);

  Host& host_;
  Witness& witness_;
};

}  // namespace kawk
