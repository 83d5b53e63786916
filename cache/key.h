// What is known before anything is compiled, as one digest: the name of an entry.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/sha256.h"

namespace kawk {

// `words`: all that the user gave and that may matter, in a fixed order. Adds the environment of kawk and its peer, the
// kernel, the privileges of this process, and which kawk this is. An Error where one of those cannot be told.
Result<Digest> CacheKey(const std::vector<std::string>& words);

// Whether the key holds this variable of the environment.
bool IsInCacheKey(std::string_view variable);

// The linker's build id of this program; empty when it has none.
std::string OwnBuildId();

}  // namespace kawk
