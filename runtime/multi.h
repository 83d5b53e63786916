// Links of one program to many functions, by one system call: kprobe_multi (5.18), uprobe_multi (6.6), kprobe session (6.10).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/perf.h"

namespace kawk {

// enum bpf_attach_type, beyond what older headers name.
inline constexpr uint32_t kUprobeMulti = 48;
inline constexpr uint32_t kKprobeSession = 56;

struct UprobeMulti {
  int program;
  std::string path;
  std::vector<uint64_t> offsets;          // in the file
  std::vector<uint64_t> ref_ctr_offsets;  // empty: none
  std::vector<uint64_t> cookies;          // empty: none
  int pid;                                // 0: all
  bool is_return;
};
// errno is set when the result is empty.
Fd LinkUprobeMulti(const UprobeMulti& what);

struct KprobeMulti {
  int program;
  uint32_t attach_type;
  std::vector<const char*> functions;  // by name, or
  std::vector<uint64_t> addresses;     // by address
  std::vector<uint64_t> cookies;       // empty: none
  bool is_return;
};
Fd LinkKprobeMulti(const KprobeMulti& what);

}  // namespace kawk
