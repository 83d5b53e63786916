// A folder of entries that nobody but this user can have written. Files come by an atomic rename, so that a reader sees a
// whole entry or none; two writers of one entry write the same.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "host/files.h"

namespace kawk {

struct StoreLimits {
  uint64_t bytes = 64u << 20;
  uint64_t entry_bytes = 16u << 20;
  size_t entries = 1024;
};

class CacheStore {
 public:
  // The folder is made when it is missing, for its owner alone. An Error when others could have put something there: the
  // folder must be this user's with mode 0700, those above it the user's or root's, and writable by others only when sticky.
  static Result<CacheStore> Open(const std::string& folder, StoreLimits limits = {});

  // The bytes of an entry; nothing when there is none, or when the file is not one that Put wrote.
  std::optional<std::vector<uint8_t>> Get(const std::string& name) const;
  Status Put(const std::string& name, const std::vector<uint8_t>& bytes) const;

 private:
  CacheStore(FileDescriptor folder, StoreLimits limits) : folder_(std::move(folder)), limits_(limits) {}
  // Removes the entries that were used longest ago when there are too many, and what writers that died left.
  void Evict() const;

  FileDescriptor folder_;
  StoreLimits limits_;
};

// Where this user's entries are: $KAWK_CACHE_DIR, else /var/cache/kawk for root, else kawk in $XDG_CACHE_HOME or
// ~/.cache. Nothing for a program with more privileges than its user: whoever can write the cache decides what it runs.
Result<std::string> CacheFolder();

}  // namespace kawk
