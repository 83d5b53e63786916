// Source lines → addresses, by the line tables; functions that exist only where they are inlined.
#include <fmt/format.h>

#include <algorithm>

#include "host/dwarf_file.h"

namespace kawk {
namespace {

// "d.c" and "src/d.c" mean "/home/me/src/d.c"; a whole path means itself.
bool IsFile(std::string_view path, std::string_view wanted) {
  while (wanted.starts_with("./")) wanted.remove_prefix(2);
  if (path == wanted) return true;
  return !wanted.starts_with('/') && path.size() > wanted.size() && path.ends_with(wanted) &&
         path[path.size() - wanted.size() - 1] == '/';
}

struct Row {
  uint64_t address = 0;
  int line = 0;
  int column = 0;
  const char* file = "";
  bool is_statement = false;
  bool ends = false;  // behind the last instruction of a sequence
};

bool ReadRow(Dwarf_Line* entry, Row& row) {
  Dwarf_Addr address = 0;
  if (dwarf_lineaddr(entry, &address) != 0 || dwarf_lineno(entry, &row.line) != 0) return false;
  row.address = address;
  if (dwarf_linecol(entry, &row.column) != 0) row.column = 0;
  if (dwarf_linebeginstatement(entry, &row.is_statement) != 0) row.is_statement = false;
  if (dwarf_lineendsequence(entry, &row.ends) != 0) row.ends = false;
  const char* file = dwarf_linesrc(entry, nullptr, nullptr);
  row.file = file != nullptr ? file : "";
  return true;
}

// Calls use(row) for all rows of a unit.
template <class Use>
void ForEachRow(Dwarf_Die& unit, Use use) {
  Dwarf_Lines* lines = nullptr;
  size_t count = 0;
  if (dwarf_getsrclines(&unit, &lines, &count) != 0) return;
  for (size_t i = 0; i < count; ++i) {
    Row row;
    if (ReadRow(dwarf_onesrcline(lines, i), row)) use(row);
  }
}

// The innermost function, or copy of an inlined one, that has the address: its place in memory names it.
const void* BlockOf(Dwarf_Die& unit, uint64_t address) {
  Dwarf_Die* scopes = nullptr;
  const int count = dwarf_getscopes(&unit, address, &scopes);
  const void* block = nullptr;
  for (int i = 0; i < count && block == nullptr; ++i) {
    const int tag = dwarf_tag(&scopes[i]);
    if (tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine) block = scopes[i].addr;
  }
  std::free(scopes);
  return block;
}

}  // namespace

std::vector<DebugLine> DwarfFile::LinesAt(const std::string& file, uint32_t line, uint32_t column) {
  constexpr size_t kMost = 100'000;
  std::map<const void*, DebugLine> first;  // by block: a loop's line has code at its top and at its end
  ForEachUnit(dwarf_.get(), [&](Dwarf_Die& unit) {
    ForEachRow(unit, [&](const Row& row) {
      if (!row.is_statement || row.ends || row.line != static_cast<int>(line) || first.size() >= kMost) return;
      if ((column != 0 && row.column != static_cast<int>(column)) || !IsFile(row.file, file)) return;
      const DebugLine here{row.address, row.file, line, static_cast<uint32_t>(row.column)};
      const auto [known, is_new] = first.try_emplace(BlockOf(unit, row.address), here);
      if (!is_new && row.address < known->second.address) known->second = here;
    });
    return true;
  });
  std::vector<DebugLine> lines;
  for (auto& [block, found] : first) lines.push_back(std::move(found));
  std::sort(lines.begin(), lines.end(), [](const DebugLine& a, const DebugLine& b) { return a.address < b.address; });
  return lines;
}

uint32_t DwarfFile::NextLine(const std::string& file, uint32_t line) {
  uint32_t next = 0;
  ForEachUnit(dwarf_.get(), [&](Dwarf_Die& unit) {
    ForEachRow(unit, [&](const Row& row) {
      const auto at = static_cast<uint32_t>(row.line);
      if (row.is_statement && !row.ends && at >= line && (next == 0 || at < next) && IsFile(row.file, file)) next = at;
    });
    return true;
  });
  return next;
}

std::optional<std::string> DwarfFile::InlinedAt(const std::string& function) {
  std::optional<std::string> place;
  ForEachUnit(dwarf_.get(), [&](Dwarf_Die& unit) {
    ForEachChild(unit, [&](Dwarf_Die& child) {
      if (place || dwarf_tag(&child) != DW_TAG_subprogram || dwarf_func_inline(&child) == 0 || NameOf(child) != function) return;
      const char* file = dwarf_decl_file(&child);
      int line = 0;
      if (file == nullptr || dwarf_decl_line(&child, &line) != 0) return;
      const std::string_view path = file;
      place = fmt::format("{}:{}", path.substr(path.rfind('/') + 1), line);
    });
    return !place;
  });
  return place;
}

}  // namespace kawk
