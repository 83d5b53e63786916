#include "stdlib/constants.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <csignal>
#include <unordered_map>

#ifndef AF_XDP
#define AF_XDP 44
#endif

namespace kawk {

std::optional<int64_t> FindHeaderConstant(std::string_view name) {
  static const std::unordered_map<std::string_view, int64_t> rows = {
#define CONSTANT(name) {#name, name},
#define CONSTANT_AS(name, value) {#name, value},
#include "stdlib/constants.def"
  };
  const auto found = rows.find(name);
  if (found == rows.end()) return std::nullopt;
  return found->second;
}

}  // namespace kawk
