// USDT probes: the notes of <sys/sdt.h> in ELF files.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "host/host.h"

namespace kawk {

// What the argument text of a note (`-4@%edi 8@-8(%rbp)`) names, and where symbols in it are.
struct UsdtSymbol {
  std::string name;
  size_t argument = 0;
};
struct ParsedUsdtArguments {
  std::vector<UsdtArgument> arguments;
  std::vector<UsdtSymbol> symbols;  // to be added to an argument's value
};
// Nothing when the text is malformed. x86-64.
std::optional<ParsedUsdtArguments> ParseUsdtArguments(std::string_view text);

Result<std::vector<UsdtProbe>> ReadUsdt(const std::string& path);

// Files read so far.
class UsdtCache {
 public:
  Result<std::vector<UsdtProbe>> Match(const std::string& path, const std::string& provider, const std::string& name);

 private:
  std::map<std::string, std::vector<UsdtProbe>> files_;
};

}  // namespace kawk
