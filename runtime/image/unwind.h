// What the runtime tells the programs of dw_ustack: for each process which table of unwinding rules holds where, and the
// tables, one for each file, made from its .eh_frame. x86-64 only.
#pragma once

#include <cstdint>

namespace kawk::image {

// How to leave a frame: where its CFA is, the stack pointer of the caller when it goes on. The return address is below it.
enum class UnwindRule : uint8_t {
  Unknown,  // nothing is said: as if there was a frame pointer
  End,      // no caller, or a rule that is none of these
  Rsp,      // rsp + offset
  Rbp,      // rbp + offset
  AtRsp,    // what is at rsp + offset, + 8
  AtRbp,    // what is at rbp + offset
  Plt,      // rsp + 8, one word more from byte `saved` of a stub of 16 bytes on
  Signal,   // all registers are in the frame that the kernel made for a signal's handler
};

// A row holds for the instructions from its own up to that of the next row.
struct UnwindRow {
  uint32_t start;   // from the table's base
  UnwindRule rule;  // of the CFA
  int8_t saved;     // where the caller's rbp is, in words from the CFA; 0: rbp has it
  int16_t offset;   // of the rule, in words
  bool operator==(const UnwindRow&) const = default;
};
static_assert(sizeof(UnwindRow) == 8);
inline constexpr int8_t kSavedAtRbp = 127;  // rbp points to where it is

// A table is an ARRAY of rows, the first row first; a program looks at no more than so many.
inline constexpr uint32_t kUnwindRowBits = 22;

// Mappings of a process, by address. What is not used has a start that no address reaches.
struct UnwindRange {
  uint64_t start, end;
  uint64_t base;  // address of the table's base in this process
  uint32_t table;
  uint32_t rows;
};
inline constexpr uint64_t kNoAddress = INT64_MAX;
inline constexpr uint32_t kUnwindRangeBits = 8;
struct UnwindProcess {
  UnwindRange ranges[1 << kUnwindRangeBits];
};

inline constexpr const char* kUnwindProcessMap = "kawk_unwind_processes";  // HASH: u32 tgid → UnwindProcess
inline constexpr const char* kUnwindTableMap = "kawk_unwind_tables";       // ARRAY_OF_MAPS
inline constexpr uint32_t kUnwindProcesses = 8192;
inline constexpr uint32_t kUnwindTables = 4096;

}  // namespace kawk::image
