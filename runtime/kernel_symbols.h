// Kernel addresses → names.
//
// Reading /proc/kallsyms costs 55 ms and more (the kernel formats 120,000 lines). The kernel itself answers a single
// address in a microsecond, when a program asks it for "%pS"; so a small program of our own does that. Without the
// privilege for it, libbcc's table of /proc/kallsyms serves.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace kawk {

struct KernelName {
  std::string name;    // empty: unknown
  std::string module;  // empty: the kernel itself
  uint64_t offset = 0;
};

// "vfs_read+0x10/0x200 [ext4]" → its parts; an unknown address prints as a number, which has no name.
KernelName ParseKernelName(std::string_view text);

class KernelSymbols {
 public:
  KernelSymbols() = default;
  ~KernelSymbols();
  KernelSymbols(const KernelSymbols&) = delete;
  KernelSymbols& operator=(const KernelSymbols&) = delete;

  const KernelName& Lookup(uint64_t address);

 private:
  // What the program and we share.
  struct Question {
    uint64_t address;
    char answer[504];
  };
  void Prepare();
  bool LoadProgram();
  KernelName Ask(uint64_t address);
  KernelName LookUpTable(uint64_t address);

  bool prepared_ = false;
  int program_ = -1;
  int question_map_ = -1;
  Question* question_ = nullptr;
  void* table_ = nullptr;  // bcc_symcache
  std::unordered_map<uint64_t, KernelName> cache_;
};

}  // namespace kawk
