// Addresses of the kernel's symbols, by name. The kernel takes some 50 ms to write them all down, so each name is looked for
// once.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/result.h"

namespace kawk {

class Kallsyms {
 public:
  explicit Kallsyms(std::string path = "/proc/kallsyms") : path_(std::move(path)) {}
  Result<uint64_t> Find(const std::string& name);

 private:
  const std::string path_;
  std::map<std::string, uint64_t> found_;  // 0: there is none
};

}  // namespace kawk
