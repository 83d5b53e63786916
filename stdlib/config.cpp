// Configuration values: from text to the typed member of Config. One setter per type; the rows choose among them, so a new
// key is a row in config.def and nothing else. As in the peer, words and keys take any case, and integers take 0x and 0.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <limits>

#include "base/check.h"
#include "stdlib/environment.h"
#include "stdlib/registry.h"

namespace kawk {
namespace {

using Problem = std::optional<std::string>;

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

std::vector<std::string_view> SplitWords(std::string_view words) {
  std::vector<std::string_view> result;
  while (!words.empty()) {
    const size_t bar = words.find('|');
    result.push_back(words.substr(0, bar));
    words.remove_prefix(bar == std::string_view::npos ? words.size() : bar + 1);
  }
  return result;
}

// `a`, `b` or `c`
std::string WordList(const std::vector<std::string_view>& words) {
  std::string list;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) list += i + 1 == words.size() ? " or " : ", ";
    list += fmt::format("`{}`", words[i]);
  }
  return list;
}

// `bounds`: "least..most", or empty.
Problem SetValue(uint64_t& member, std::string_view key, std::string_view bounds, std::string_view value) {
  const std::string text(value);
  const bool starts_with_digit = !text.empty() && std::isdigit(static_cast<unsigned char>(text[0]));
  char* end = nullptr;
  errno = 0;
  const unsigned long long number = std::strtoull(text.c_str(), &end, 0);
  // strtoull stops at a NUL and takes a sign; neither is a number of ours.
  if (!starts_with_digit || end != text.c_str() + text.size()) {
    return fmt::format("`{}` takes a number, not `{}`", key, value);
  }
  if (errno == ERANGE) return fmt::format("`{}` is out of range for `{}`", value, key);
  if (const size_t dots = bounds.find(".."); dots != std::string_view::npos) {
    const std::string least(bounds.substr(0, dots));
    const std::string most(bounds.substr(dots + 2));
    if (number < std::strtoull(least.c_str(), nullptr, 10) || number > std::strtoull(most.c_str(), nullptr, 10)) {
      return fmt::format("`{}` is from {} to {}, not {}", key, least, most, value);
    }
  }
  member = number;
  return std::nullopt;
}

Problem SetValue(bool& member, std::string_view key, std::string_view, std::string_view value) {
  const std::string word = Lower(value);
  if (word == "1" || word == "true" || word == "yes" || word == "on") {
    member = true;
  } else if (word == "0" || word == "false" || word == "no" || word == "off") {
    member = false;
  } else {
    return fmt::format("`{}` takes `true` or `false`, not `{}`", key, value);
  }
  return std::nullopt;
}

Problem SetValue(std::string& member, std::string_view key, std::string_view words, std::string_view value) {
  if (words.empty()) {
    member = std::string(value);
    return std::nullopt;
  }
  const std::vector<std::string_view> allowed = SplitWords(words);
  for (std::string_view word : allowed) {
    if (Lower(word) != Lower(value)) continue;
    member = std::string(word);
    return std::nullopt;
  }
  return fmt::format("`{}` takes {}, not `{}`", key, WordList(allowed), value);
}

// Older scripts say `cache_user_symbols = 1`; what 1 and 0 stood for then.
std::string_view OldSpelling(std::string_view key, std::string_view value) {
  if (key != "cache_user_symbols") return value;
  if (value == "1") return "PER_PROGRAM";
  if (value == "0") return "NONE";
  return value;
}

// In lower case and without a prefix.
std::string BareKey(std::string_view spelling) {
  std::string name = Lower(spelling);
  for (std::string_view prefix : {"bpftrace_", "kawk_"}) {
    if (name.starts_with(prefix)) name.erase(0, prefix.size());
  }
  return name;
}

constexpr std::array kOldKeys = {"max_type_res_iterations", "symbol_source",     "unstable_addr", "unstable_import",
                                 "unstable_macro",          "unstable_map_decl", "use_blazesym"};
constexpr std::array kEnvironmentOnly = {"btf", "color", "kernel_build", "kernel_source", "no_color", "vmlinux"};

}  // namespace

bool IsOldConfigKey(std::string_view spelling) {
  return std::find(kOldKeys.begin(), kOldKeys.end(), BareKey(spelling)) != kOldKeys.end();
}

bool IsEnvironmentOnly(std::string_view spelling) {
  return std::find(kEnvironmentOnly.begin(), kEnvironmentOnly.end(), BareKey(spelling)) != kEnvironmentOnly.end();
}

const std::vector<ConfigRow>& AllConfigKeys() {
  static const std::vector<ConfigRow> rows = {
#define CONFIG(id, type, value, values, doc) {#id, values, doc},
#include "stdlib/config.def"
  };
  return rows;
}

std::optional<std::string> SetConfig(Config& config, std::string_view key, std::string_view value) {
  value = OldSpelling(key, value);
#define CONFIG(id, type, default_value, values, doc) \
  if (key == #id) return SetValue(config.id, key, values, value);
#include "stdlib/config.def"
  UNREACHABLE("SetConfig: the key does not exist");
}

const ConfigRow* FindConfigKey(std::string_view spelling) {
  const std::string name = BareKey(spelling);
  const auto& rows = AllConfigKeys();
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const ConfigRow& r) { return r.name == name; });
  return row == rows.end() ? nullptr : &*row;
}

std::optional<std::string> ApplyEnvironment(Config& config, const EnvironmentReader& read) {
  for (const ConfigRow& row : AllConfigKeys()) {
    for (const char* prefix : {"KAWK_", "BPFTRACE_"}) {  // our own wins
      std::string variable = prefix;
      for (char c : row.name) variable += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      const char* value = read(variable.c_str());
      if (value == nullptr) continue;
      if (auto problem = SetConfig(config, row.name, value)) return fmt::format("{}: {}", variable, *problem);
      break;
    }
  }
  return std::nullopt;
}

std::optional<std::string> ApplyEnvironment(Config& config) {
  return ApplyEnvironment(config, [](const char* name) -> const char* { return std::getenv(name); });
}

}  // namespace kawk
