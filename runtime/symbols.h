// Addresses → names, by libbcc: kernel symbols with modules, user symbols through a process's memory map. Lazy, cached,
// bounded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "runtime/image/image.h"

namespace kawk {

class Symbols {
 public:
  explicit Symbols(const image::Config& config);
  ~Symbols();
  Symbols(const Symbols&) = delete;
  Symbols& operator=(const Symbols&) = delete;

  // ksym(): "vfs_read"; "0xffff…" when unknown. With offset "vfs_read+16" (perf mode adds more).
  std::string Kernel(uint64_t address, bool with_offset, image::StackMode mode);
  // usym(): the symbol in process `pid` (initial namespace).
  std::string User(uint32_t pid, uint64_t address, bool with_offset, image::StackMode mode);
  // Call when a pid is first seen so that its memory map can be kept should it end before it is printed.
  void NoteProcess(uint32_t pid);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kawk
