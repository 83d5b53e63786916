// From what an attach point says about a binary to files: paths, names in PATH, libraries, patterns, processes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "host/ld_cache.h"

namespace kawk {

class Binaries {
 public:
  // `path`: the search path of programs, folders by colon.
  explicit Binaries(std::string path) : path_(std::move(path)) {}

  // See Host. `pid` is 0 for none.
  Result<std::string> Find(const std::string& name, int pid);
  Result<std::vector<std::string>> Match(const std::string& pattern, int pid);

 private:
  std::vector<std::string> PathFolders() const;
  std::string FindInPath(const std::string& root, const std::string& name) const;
  std::string FindInCache(const std::string& root, const std::string& name);

  std::string path_;
  std::map<std::string, std::vector<LdCacheEntry>> caches_;  // by root
};

// What to put before a path to see it as the process does: "/proc/PID/root", or nothing when that is our own root.
Result<std::string> RootOf(int pid);
// `path` under `root` with its links followed as a process in that root would, as `root` + an absolute path.
std::string ResolveInRoot(const std::string& root, const std::string& path);
// `path` without a leading "/proc/PID/root": what users see.
std::string WithoutRoot(const std::string& path);
// A file mapped executable, from a line of /proc/PID/maps.
struct MappedFile {
  std::string path;  // as the reader's root shows it, or the process's own where the reader's has no path to it
  uint64_t inode = 0;
};
std::vector<MappedFile> MappedFiles(std::string_view maps);

}  // namespace kawk
