#include "runtime/cfi.h"

#include <dwarf.h>
#include <elf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <optional>

#include "runtime/cfi_bytes.h"
#include "runtime/cfi_rules.h"

namespace kawk {

using image::UnwindRow;
using image::UnwindRule;

uint64_t CfiBytes::Pointer(uint8_t encoding) {
  if (encoding == DW_EH_PE_omit) return 0;
  const uint64_t here = address();
  uint64_t value = 0;
  switch (encoding & 0x0f) {
    case DW_EH_PE_absptr:
    case DW_EH_PE_udata8:
    case DW_EH_PE_sdata8: value = Read<uint64_t>(); break;
    case DW_EH_PE_udata2: value = Read<uint16_t>(); break;
    case DW_EH_PE_udata4: value = Read<uint32_t>(); break;
    case DW_EH_PE_sdata2: value = static_cast<uint64_t>(int64_t{Read<int16_t>()}); break;
    case DW_EH_PE_sdata4: value = static_cast<uint64_t>(int64_t{Read<int32_t>()}); break;
    case DW_EH_PE_uleb128: value = Unsigned(); break;
    case DW_EH_PE_sleb128: value = static_cast<uint64_t>(Signed()); break;
    default: ok_ = false; break;
  }
  if ((encoding & 0x70) == DW_EH_PE_pcrel) value += here;
  return value;
}

namespace {

struct Row {
  uint64_t address;
  UnwindRow row;
};
// A function's rows, and where it ends.
struct FunctionRows {
  uint64_t start, end;
  size_t first, count;
};

// .eh_frame: commons (CIE) and functions (FDE), one behind the other.
class EhFrame {
 public:
  explicit EhFrame(CfiBytes section) : section_(section) {}

  CfiTable Table() {
    Read();
    std::ranges::sort(functions_, [](const FunctionRows& a, const FunctionRows& b) { return a.start < b.start; });
    CfiTable table;
    if (functions_.empty()) return table;
    table.base = functions_.front().start;
    uint64_t end = table.base;
    for (const FunctionRows& function : functions_) {
      if (function.start < end) continue;  // two cannot both be right
      if (function.start > end) Append(table, end, UnwindRow{});
      for (size_t i = 0; i < function.count; ++i) Append(table, rows_[function.first + i].address, rows_[function.first + i].row);
      end = function.end;
    }
    Append(table, end, UnwindRow{});
    return table;
  }

 private:
  static void Append(CfiTable& table, uint64_t address, UnwindRow row) {
    const uint64_t distance = address - table.base;
    if (distance > UINT32_MAX || table.rows.size() >= (size_t{1} << image::kUnwindRowBits)) return;
    row.start = static_cast<uint32_t>(distance);
    if (!table.rows.empty()) {
      UnwindRow& last = table.rows.back();
      if (row.start < last.start) return;
      if (row.start == last.start) {
        last = row;
        return;
      }
      UnwindRow same = last;
      same.start = row.start;
      if (same == row) return;
    }
    table.rows.push_back(row);
  }

  void Read() {
    while (!section_.done()) {
      const size_t offset = section_.at();
      uint64_t length = section_.Read<uint32_t>();
      if (length == 0) break;  // the end, by its rules
      if (length == UINT32_MAX) length = section_.Read<uint64_t>();
      const size_t here = section_.at();
      CfiBytes entry = section_.Take(length);
      const auto id = entry.Read<uint32_t>();
      if (id == 0) {
        commons_[offset] = Common(entry);
      } else if (id <= here) {
        if (const auto common = commons_.find(here - id); common != commons_.end() && common->second)
          Function(*common->second, entry);
      }
    }
  }

  struct Known {
    CfiCommon common;
    CfiBytes instructions;
  };
  static std::optional<Known> Common(CfiBytes& in) {
    CfiCommon common;
    const auto version = in.Read<uint8_t>();
    const char* augmentation = in.Text();
    common.code_factor = in.Unsigned();
    common.data_factor = in.Signed();
    common.return_register = version == 1 ? in.Read<uint8_t>() : in.Unsigned();
    common.has_data = *augmentation == 'z';
    if (!common.has_data) {
      if (*augmentation != '\0' || !in.ok()) return std::nullopt;
      return Known{common, in};
    }
    CfiBytes data = in.Take(in.Unsigned());
    for (const char* letter = augmentation + 1; *letter != '\0'; ++letter) {
      switch (*letter) {
        case 'R': common.encoding = data.Read<uint8_t>(); break;
        case 'P': data.Pointer(data.Read<uint8_t>()); break;
        case 'L': data.Read<uint8_t>(); break;
        case 'S': common.signal = true; break;
        default: break;
      }
    }
    if (!in.ok() || !data.ok()) return std::nullopt;
    return Known{common, in};
  }

  void Function(const Known& known, CfiBytes& in) {
    const uint64_t start = in.Pointer(known.common.encoding);
    const uint64_t length = in.Pointer(known.common.encoding & 0x0f);
    if (known.common.has_data) in.Take(in.Unsigned());
    if (!in.ok() || length == 0 || start == 0 || start + length < start) return;
    FunctionRows function{start, start + length, rows_.size(), 0};
    CfiRules rules(known.common, [&](uint64_t address, const UnwindRow& row) {
      if (address >= function.start && address < function.end) rows_.push_back({address, row});
    });
    rules.Start(known.instructions);
    rules.Function(start, in);
    function.count = rows_.size() - function.first;
    functions_.push_back(function);
  }

  CfiBytes section_;
  std::map<size_t, std::optional<Known>> commons_;
  std::vector<Row> rows_;
  std::vector<FunctionRows> functions_;
};

template <class T>
std::optional<T> At(std::span<const uint8_t> bytes, uint64_t offset) {
  T value;
  if (offset > bytes.size() || bytes.size() - offset < sizeof value) return std::nullopt;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

// The section by its name, or what the program header of its index leads to.
std::optional<CfiBytes> FindEhFrame(std::span<const uint8_t> elf, const Elf64_Ehdr& header) {
  const auto section = [&](uint64_t index) { return At<Elf64_Shdr>(elf, header.e_shoff + index * sizeof(Elf64_Shdr)); };
  const auto names = section(header.e_shstrndx);
  for (uint64_t i = 0; names && i < header.e_shnum; ++i) {
    const auto found = section(i);
    if (!found || found->sh_type == SHT_NOBITS || found->sh_offset > elf.size()) continue;
    constexpr char kName[] = ".eh_frame";
    const auto name = At<std::array<char, sizeof kName>>(elf, names->sh_offset + found->sh_name);
    if (!name || std::memcmp(name->data(), kName, sizeof kName) != 0) continue;
    const uint64_t size = std::min<uint64_t>(found->sh_size, elf.size() - found->sh_offset);
    return CfiBytes(elf.subspan(found->sh_offset, size), found->sh_addr);
  }
  for (uint64_t i = 0; i < header.e_phnum; ++i) {
    const auto segment = At<Elf64_Phdr>(elf, header.e_phoff + i * sizeof(Elf64_Phdr));
    if (!segment || segment->p_type != PT_GNU_EH_FRAME || segment->p_offset > elf.size()) continue;
    CfiBytes index(elf.subspan(segment->p_offset), segment->p_vaddr);
    index.Read<uint8_t>();
    const auto encoding = index.Read<uint8_t>();
    index.Read<uint16_t>();
    const uint64_t address = index.Pointer(encoding);
    const uint64_t offset = address - segment->p_vaddr + segment->p_offset;  // both lie in one segment
    if (index.ok() && offset < elf.size()) return CfiBytes(elf.subspan(offset), address);
  }
  return std::nullopt;
}

}  // namespace

CfiTable ReadCfi(std::span<const uint8_t> elf) {
  const auto header = At<Elf64_Ehdr>(elf, 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64 ||
      header->e_machine != EM_X86_64) {
    return {};
  }
  std::optional<CfiBytes> section = FindEhFrame(elf, *header);
  if (!section) return {};
  CfiTable table = EhFrame(*section).Table();
  for (uint64_t i = 0; i < header->e_phnum; ++i) {
    const auto segment = At<Elf64_Phdr>(elf, header->e_phoff + i * sizeof(Elf64_Phdr));
    if (segment && segment->p_type == PT_LOAD) table.segments.push_back({segment->p_offset, segment->p_memsz, segment->p_vaddr});
  }
  return table;
}

}  // namespace kawk
