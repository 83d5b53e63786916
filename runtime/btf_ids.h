// Ids of types of the running kernel, for programs that it ties to a target when it loads them. libbpf finds them, too, but
// copies all 5 MB of the kernel's types for it and compares names one after another: 10 ms of a start.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kawk {

struct BtfName {
  std::string name;
  uint32_t kind = 0;  // BTF_KIND_FUNC, BTF_KIND_TYPEDEF
};

// The id of each in /sys/kernel/btf/vmlinux, in one walk; 0 where there is none.
std::vector<uint32_t> FindBtfIds(const std::vector<BtfName>& names);

}  // namespace kawk
