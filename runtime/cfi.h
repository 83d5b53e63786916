// Unwinding rules of a file: its .eh_frame (what exceptions use, so it is there without debug info) run through from the first
// function to the last, and written down as rows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/image/unwind.h"

namespace kawk {

// What is mapped together: from `offset` in the file, at `address`.
struct CfiSegment {
  uint64_t offset, size, address;
};
struct CfiTable {
  uint64_t base = 0;  // an address as the file has it
  std::vector<image::UnwindRow> rows;
  std::vector<CfiSegment> segments;
};

// Of the bytes of an ELF file for x86-64. Without rows when there is nothing, or nothing that makes sense.
CfiTable ReadCfi(std::span<const uint8_t> elf);

}  // namespace kawk
