// DWARF of one program, its own or of a separate file, through elfutils' libdw. Lazy: units are read when they are asked for.
#pragma once

#include <dwarf.h>
#include <elfutils/libdw.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "host/debug_info.h"
#include "host/elf_open.h"

namespace kawk {

struct DwarfCloser {
  void operator()(Dwarf* dwarf) const { dwarf_end(dwarf); }
};
struct CfiCloser {
  void operator()(Dwarf_CFI* cfi) const { dwarf_cfi_end(cfi); }
};

class DwarfFile final : public DebugInfo {
 public:
  // `folders`: where separate debug files are looked for, before /usr/lib/debug.
  static Result<std::unique_ptr<DwarfFile>> Open(const std::string& path, const std::vector<std::string>& folders);

  std::optional<DebugFunction> FunctionAt(uint64_t address) override;
  std::vector<DebugLine> LinesAt(const std::string& file, uint32_t line, uint32_t column) override;
  uint32_t NextLine(const std::string& file, uint32_t line) override;
  std::optional<std::string> InlinedAt(const std::string& function) override;
  DebugType Type(uint32_t number) override;
  uint32_t FindType(const std::string& name) override;

 private:
  struct Range {
    uint64_t begin, end;
    Dwarf_Die function;
  };
  // A type with a number; of an array of arrays the elements have one, too.
  struct NumberedType {
    Dwarf_Die die;
    uint32_t dimension;
  };

  DwarfFile() = default;
  bool UnitOf(uint64_t address, Dwarf_Die& unit);
  const std::vector<Range>& RangesOf(Dwarf_Die& unit);
  std::optional<Dwarf_Die> FunctionDie(uint64_t address);
  DebugParameter Parameter(Dwarf_Die& die);
  uint32_t NumberOf(Dwarf_Die die, uint32_t dimension = 0);
  uint32_t TypeNumberOf(Dwarf_Die& die);  // of what its DW_AT_type says
  uint64_t SizeOfNumber(uint32_t number);
  DebugType ReadArray(Dwarf_Die& die, uint32_t dimension);
  void ReadFields(Dwarf_Die& die, DebugType& type);
  bool Complete(Dwarf_Die& die);  // a declaration becomes its definition
  void IndexTypes();

  OpenElf program_;
  OpenElf separate_;
  std::unique_ptr<Dwarf_CFI, CfiCloser> cfi_;
  std::unique_ptr<Dwarf, DwarfCloser> dwarf_;
  std::map<Dwarf_Off, std::vector<Range>> ranges_;  // by unit
  std::vector<NumberedType> types_;                 // number - 1 is the index
  std::map<std::pair<const void*, uint32_t>, uint32_t> numbers_;
  std::map<std::string, Dwarf_Die, std::less<>> named_;
  bool indexed_ = false;
};

// --- parts ---

// Calls use(unit) for each compilation unit until it returns false.
template <class Use>
void ForEachUnit(Dwarf* dwarf, Use use) {
  Dwarf_CU* unit = nullptr;
  Dwarf_Die die, split;
  while (dwarf_get_units(dwarf, unit, &unit, nullptr, nullptr, &die, &split) == 0) {
    Dwarf_Die& whole = dwarf_tag(&split) != DW_TAG_invalid ? split : die;
    if (dwarf_tag(&whole) != DW_TAG_invalid && !use(whole)) return;
  }
}

// Calls use(child) for each child of a DIE.
template <class Use>
void ForEachChild(Dwarf_Die& parent, Use use) {
  constexpr int kMost = 1 << 22;  // a file may lie
  Dwarf_Die child;
  int left = kMost;
  for (int found = dwarf_child(&parent, &child); found == 0 && --left > 0; found = dwarf_siblingof(&child, &child)) use(child);
}

bool IsScope(Dwarf_Die& die);  // a namespace or a class: has functions and types of its own
std::string NameOf(Dwarf_Die& die);
// The type that a DIE's DW_AT_type means; false: none, which is void.
bool TypeOf(Dwarf_Die& die, Dwarf_Die& type);
bool Peel(Dwarf_Die& type);  // typedefs and qualifiers; false: void
std::string TypeText(Dwarf_Die* type, int depth = 0);
uint64_t NumberAttribute(Dwarf_Die& die, unsigned attribute, uint64_t otherwise);

inline constexpr const char* kFloatParameter = "it is in a floating-point register, which BPF programs cannot read";
// Where a parameter is at an address of its function (dwarf_places.cpp). Empty pieces: `why_not` says why.
struct PlaceQuery {
  Dwarf_Die& function;
  uint64_t address;
  bool at_entry;
  Dwarf_CFI* cfi;
};
// By what the compiler wrote down. At the entry that may be where the function is going to put it: `later` is then set.
std::vector<DebugPiece> PlaceByLocation(const PlaceQuery& query, Dwarf_Die& parameter, uint64_t size, bool& later);
// By the calling convention of x86-64, at the entry (dwarf_abi.cpp): for all parameters, in their order.
void PlaceByConvention(Dwarf_Die& function, std::vector<std::pair<Dwarf_Die, DebugParameter*>>& parameters);

}  // namespace kawk
