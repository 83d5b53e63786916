// The config block, one entry at a time, then the environment, which wins.
#include "ast/passes/passes.h"
#include "stdlib/environment.h"

namespace kawk {

Config ApplyConfig(const std::vector<ConfigEntry>& entries, Config config, const ScriptInput& input, Diagnostics& diagnostics) {
  for (const ConfigEntry& entry : entries) {
    const ConfigRow* row = FindConfigKey(entry.key);
    if (row == nullptr && IsOldConfigKey(entry.key)) {
      diagnostics.Emit(Diag::OldConfigKey, entry.location, entry.key);
      continue;
    }
    if (row == nullptr && IsEnvironmentOnly(entry.key)) {
      diagnostics.EmitWithHint(Diag::EnvironmentOnly, entry.location, "it is an environment variable: BPFTRACE_…", entry.key);
      continue;
    }
    if (row == nullptr) {
      std::vector<std::string> names;
      for (const ConfigRow& known : AllConfigKeys()) names.emplace_back(known.name);
      diagnostics.EmitWithHint(Diag::UnknownConfigKey, entry.location, DidYouMean(entry.key, names), entry.key);
      continue;
    }
    if (const std::optional<std::string> problem = SetConfig(config, row->name, entry.value)) {
      diagnostics.EmitWithHint(Diag::BadConfigValue, entry.value_location, std::string(row->doc), *problem);
    }
  }
  if (!input.environment) return config;
  if (const std::optional<std::string> problem = ApplyEnvironment(config, input.environment)) {
    diagnostics.Emit(Diag::BadEnvironment, Location{}, *problem);
  }
  return config;
}

}  // namespace kawk
