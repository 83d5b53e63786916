// Addresses → names, by libbcc: kernel symbols with modules, user symbols through a process's memory map, also after its
// end. Lazy, cached, bounded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/demangle.h"
#include "runtime/image/image.h"

namespace kawk {

class UnwindTables;

class Symbols {
 public:
  explicit Symbols(const image::Config& config, RustDemangler rust = nullptr);
  ~Symbols();
  Symbols(const Symbols&) = delete;
  Symbols& operator=(const Symbols&) = delete;

  // ksym(): "vfs_read"; "0xffff…" when unknown. With offset "vfs_read+16" (perf mode adds more).
  std::string Kernel(uint64_t address, bool with_offset, image::StackMode mode);
  // usym(): the symbol in process `pid` (of our pid namespace).
  std::string User(uint32_t pid, uint64_t address, bool with_offset, image::StackMode mode);
  // Reads what the process has mapped now, should it end before it is printed.
  void NoteProcess(uint32_t pid);
  // Keeps, from now on, what processes map (all, or `pid` alone), if the image prints user addresses, or `unwind` is to know.
  void Watch(const image::Image& image, uint32_t pid, UnwindTables* unwind);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kawk
