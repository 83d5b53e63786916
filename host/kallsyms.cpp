#include "host/kallsyms.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace kawk {

// A line is "ffffffff816b89f0 T vfs_read", with "\t[module]" behind it for those of modules.
Result<uint64_t> Kallsyms::Find(const std::string& name) {
  const auto [known, fresh] = found_.try_emplace(name);
  if (fresh) {
    FILE* file = fopen(path_.c_str(), "re");
    if (file == nullptr) {
      found_.erase(known);
      return Error{fmt::format("cannot read {}: {}", path_, strerror(errno)), "", errno};
    }
    char line[1024];
    while (known->second == 0 && fgets(line, sizeof line, file) != nullptr) {
      char* end = nullptr;
      const uint64_t address = strtoull(line, &end, 16);
      std::string_view rest = end;
      if (rest.size() < 4) continue;
      rest.remove_prefix(3);
      if (rest.substr(0, rest.find_first_of("\t\n")) == name) known->second = address;
    }
    fclose(file);
  }
  if (known->second == 0) return Error{fmt::format("the kernel has no symbol `{}`", name), "see /proc/kallsyms", ENOENT};
  return known->second;
}

}  // namespace kawk
