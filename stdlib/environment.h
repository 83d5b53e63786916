// Configuration from outside the script: spellings of keys, and the environment variables KAWK_<KEY> and BPFTRACE_<KEY>.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "stdlib/registry.h"

namespace kawk {

// The row that a config block's key means: any case, with or without the prefix BPFTRACE_ or KAWK_; nullptr when there is
// none. SetConfig takes the row's name.
const ConfigRow* FindConfigKey(std::string_view spelling);

// Whether bpftrace had a key of this spelling that now does nothing, or reads it from the environment only.
bool IsOldConfigKey(std::string_view spelling);
bool IsEnvironmentOnly(std::string_view spelling);

// Looks a variable up; null when it is not set.
using EnvironmentReader = std::function<const char*(const char* name)>;

// Sets every key whose variable is set; KAWK_ wins over BPFTRACE_. Call it after the config block: the environment wins.
// Returns what is wrong with the first bad value, with the variable's name, or nothing.
std::optional<std::string> ApplyEnvironment(Config& config, const EnvironmentReader& read);
std::optional<std::string> ApplyEnvironment(Config& config);  // of this process

}  // namespace kawk
