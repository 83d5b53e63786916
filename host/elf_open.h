// An ELF file opened for libelf, after its header was checked.
#pragma once

#include <gelf.h>
#include <libelf.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "host/files.h"

namespace kawk {

struct ElfCloser {
  void operator()(Elf* elf) const { elf_end(elf); }
};
struct OpenElf {
  FileDescriptor fd;
  std::unique_ptr<Elf, ElfCloser> elf;
};

Result<OpenElf> OpenElfFile(const std::string& path);
// The bytes of a table; null when they are too many or not there.
Elf_Data* BoundedData(Elf_Scn* section);

}  // namespace kawk
