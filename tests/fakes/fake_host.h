// A machine made of data, for tests that must not depend on the one they run on. It starts with the usual tracepoints,
// functions, one binary and a small BTF (see fake_host.cpp and fake_btf.cpp); tests may change the members.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/host.h"
#include "host/kernel_btf.h"

namespace kawk {

class FakeHost : public Host {
 public:
  struct Binary {
    std::string path;
    std::vector<ElfSymbol> symbols;  // any order
    std::vector<UsdtProbe> usdt = {};
  };

  FakeHost();

  void AddTracepoint(TracepointFormat format);
  void AddBinary(Binary binary) { binaries.push_back(std::move(binary)); }

  std::map<std::string, TracepointFormat> tracepoints;  // by "category:event"
  std::vector<std::string> raw_tracepoints;             // "module:event"
  std::vector<std::string> kernel_functions;            // "name" or "module:name"
  std::vector<Binary> binaries;
  bool has_btf = true;
  // When set, every question about tracepoints, or kernel functions, gets this Error.
  std::optional<Error> tracefs_error;
  std::optional<Error> functions_error;

  Result<TracepointFormat> ReadTracepoint(const std::string& category, const std::string& event) override;
  Result<std::vector<std::string>> MatchTracepoints(const std::string& category, const std::string& event) override;
  Result<std::vector<std::string>> MatchRawTracepoints(const std::string& pattern) override;
  Result<std::vector<std::string>> MatchKernelFunctions(const std::string& module, const std::string& function) override;
  Result<std::string> FindBinary(const std::string& name, int pid) override;
  Result<std::vector<std::string>> MatchBinaries(const std::string& pattern, int pid) override;
  Result<std::vector<ElfSymbol>> MatchSymbols(const std::string& path, const std::string& pattern) override;
  Result<std::vector<ElfSymbol>> MatchDemangled(const std::string& path, const std::string& pattern) override;
  Result<DebugInfo*> OpenDebugInfo(const std::string& path) override;
  Result<uint64_t> FileOffset(const std::string& path, uint64_t address) override;
  Result<ElfObject> FindObject(const std::string& path, const std::string& name, uint64_t file_offset) override;
  Result<uint64_t> KernelAddress(const std::string& name) override;
  Result<uint64_t> CgroupId(const std::string& path) override;
  bool AllowsKfunc(uint32_t id, uint32_t program_type) override;
  Result<std::vector<UsdtProbe>> MatchUsdt(const std::string& path, const std::string& provider,
                                           const std::string& name) override;
  std::vector<std::string> Iterators() override;
  const ::btf* KernelBtf() override;
  const ::btf* ModuleBtf(const std::string&) override { return nullptr; }
  uint32_t FindBtfType(const std::string& name, uint32_t kind) override;

 private:
  BtfHandle btf_;
  std::optional<BtfNameIndex> types_;
  std::optional<BtfNameIndex> functions_;
};

// The BTF of the fake kernel.
BtfHandle MakeFakeBtf();

}  // namespace kawk
