// The loader's cache of libraries (/etc/ld.so.cache), read without running ldconfig.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kawk {

struct LdCacheEntry {
  std::string name;  // "libc.so.6"
  std::string path;
};

// The entries of this machine's architecture, in the loader's order. Takes the cache's bytes, whatever they are.
Result<std::vector<LdCacheEntry>> ParseLdCache(std::string_view bytes);

// The path of the library that `name` means: its full name ("libc.so.6"), or the name without version ("libc"). Empty when
// there is none. Of several, the loader's choice.
std::string FindLibrary(const std::vector<LdCacheEntry>& entries, std::string_view name);

}  // namespace kawk
