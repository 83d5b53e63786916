// DIEs of types → DebugType, and their text in C.
#include <fmt/format.h>

#include <algorithm>

#include "host/dwarf_file.h"

namespace kawk {
namespace {

constexpr int kDeepest = 32;  // of types made of types
constexpr size_t kMaxFields = 1 << 14;

// The keyword of C; C++'s classes are structs to us.
const char* Keyword(int tag) {
  switch (tag) {
    case DW_TAG_structure_type:
    case DW_TAG_class_type: return "struct ";
    case DW_TAG_union_type: return "union ";
    case DW_TAG_enumeration_type: return "enum ";
    default: return "";
  }
}

std::string Pointed(Dwarf_Die& pointer, const char* mark, int depth) {
  Dwarf_Die to;
  const bool typed = TypeOf(pointer, to);
  if (typed && dwarf_tag(&to) == DW_TAG_subroutine_type) return "void (*)()";
  return TypeText(typed ? &to : nullptr, depth + 1) + mark;
}

std::string Qualified(Dwarf_Die& die, const char* word, int depth) {
  Dwarf_Die to;
  const bool typed = TypeOf(die, to);
  const std::string inner = TypeText(typed ? &to : nullptr, depth + 1);
  return inner.ends_with('*') ? fmt::format("{} {}", inner, word) : fmt::format("{} {}", word, inner);
}

uint64_t CountOf(Dwarf_Die& subrange) {
  const uint64_t count = NumberAttribute(subrange, DW_AT_count, UINT64_MAX);
  if (count != UINT64_MAX) return count;
  const uint64_t last = NumberAttribute(subrange, DW_AT_upper_bound, UINT64_MAX);
  return last == UINT64_MAX ? 0 : last + 1;  // `char text[]`
}

std::vector<uint64_t> CountsOf(Dwarf_Die& array) {
  std::vector<uint64_t> counts;
  ForEachChild(array, [&](Dwarf_Die& child) {
    if (dwarf_tag(&child) == DW_TAG_subrange_type) counts.push_back(CountOf(child));
  });
  if (counts.empty()) counts.push_back(0);
  return counts;
}

uint64_t SizeOf(Dwarf_Die& die) {
  Dwarf_Word size = 0;
  return dwarf_aggregate_size(&die, &size) == 0 ? size : 0;
}

// Bits from the beginning of the struct.
uint64_t BitOffset(Dwarf_Die& member, uint64_t location, uint64_t bits, uint64_t storage) {
  Dwarf_Attribute attribute;
  if (dwarf_attr(&member, DW_AT_data_bit_offset, &attribute) != nullptr) return NumberAttribute(member, DW_AT_data_bit_offset, 0);
  // The older form counts from the most significant bit of the integer that holds it.
  return location * 8 + (storage * 8 - NumberAttribute(member, DW_AT_bit_offset, 0) - bits);
}

}  // namespace

bool TypeOf(Dwarf_Die& die, Dwarf_Die& type) {
  Dwarf_Attribute attribute;
  return dwarf_attr_integrate(&die, DW_AT_type, &attribute) != nullptr && dwarf_formref_die(&attribute, &type) != nullptr;
}

bool Peel(Dwarf_Die& type) {
  for (int depth = 0; depth < kDeepest; ++depth) {
    switch (dwarf_tag(&type)) {
      case DW_TAG_typedef:
      case DW_TAG_const_type:
      case DW_TAG_volatile_type:
      case DW_TAG_restrict_type:
      case DW_TAG_atomic_type:
      case DW_TAG_immutable_type:
        if (!TypeOf(type, type)) return false;
        continue;
      default: return true;
    }
  }
  return false;
}

std::string TypeText(Dwarf_Die* type, int depth) {
  if (type == nullptr || depth > kDeepest) return "void";
  switch (dwarf_tag(type)) {
    case DW_TAG_pointer_type: return Pointed(*type, "*", depth);
    case DW_TAG_reference_type: return Pointed(*type, "&", depth);
    case DW_TAG_rvalue_reference_type: return Pointed(*type, "&&", depth);
    case DW_TAG_const_type: return Qualified(*type, "const", depth);
    case DW_TAG_volatile_type: return Qualified(*type, "volatile", depth);
    case DW_TAG_restrict_type: return Qualified(*type, "restrict", depth);
    case DW_TAG_array_type: {
      std::string text = Pointed(*type, "", depth);
      for (const uint64_t count : CountsOf(*type)) text += count == 0 ? "[]" : fmt::format("[{}]", count);
      return text;
    }
    default: break;
  }
  const std::string name = NameOf(*type);
  return Keyword(dwarf_tag(type)) + (name.empty() ? "(anonymous)" : name);
}

uint32_t DwarfFile::NumberOf(Dwarf_Die die, uint32_t dimension) {
  if (!Peel(die)) return 0;
  const auto [known, is_new] = numbers_.try_emplace({die.addr, dimension}, static_cast<uint32_t>(types_.size() + 1));
  if (is_new) types_.push_back({die, dimension});
  return known->second;
}

uint32_t DwarfFile::TypeNumberOf(Dwarf_Die& die) {
  Dwarf_Die type;
  return TypeOf(die, type) ? NumberOf(type) : 0;
}

bool DwarfFile::Complete(Dwarf_Die& die) {
  if (NumberAttribute(die, DW_AT_declaration, 0) == 0) return true;
  IndexTypes();
  const auto found = named_.find(Keyword(dwarf_tag(&die)) + NameOf(die));
  if (found == named_.end()) return false;
  die = found->second;
  return true;
}

void DwarfFile::ReadFields(Dwarf_Die& die, DebugType& type) {
  ForEachChild(die, [&](Dwarf_Die& member) {
    const bool is_base = dwarf_tag(&member) == DW_TAG_inheritance;
    if ((!is_base && dwarf_tag(&member) != DW_TAG_member) || type.fields.size() >= kMaxFields) return;
    Dwarf_Attribute attribute;
    const bool has_location = dwarf_attr(&member, DW_AT_data_member_location, &attribute) != nullptr;
    const bool has_bit_offset = dwarf_attr(&member, DW_AT_data_bit_offset, &attribute) != nullptr;
    if (NumberAttribute(member, DW_AT_external, 0) != 0) return;  // a static one
    const uint64_t location = has_location ? NumberAttribute(member, DW_AT_data_member_location, UINT32_MAX) : 0;
    if (location >= UINT32_MAX) return;  // of a virtual base: only known at run time
    DebugType::Field field;
    field.name = is_base ? "" : NameOf(member);
    field.type = TypeNumberOf(member);
    field.offset = static_cast<uint32_t>(location);
    field.bit_size = static_cast<uint32_t>(NumberAttribute(member, DW_AT_bit_size, 0));
    if (field.bit_size != 0 || has_bit_offset) {
      const uint64_t width = std::clamp<uint64_t>(SizeOfNumber(field.type), 1, 8);
      const uint64_t bit = BitOffset(member, location, field.bit_size, NumberAttribute(member, DW_AT_byte_size, width));
      field.offset = static_cast<uint32_t>(bit / (width * 8) * width);
      field.bit_offset = static_cast<uint32_t>(bit - field.offset * 8ull);
    }
    type.fields.push_back(std::move(field));
  });
}

DebugType DwarfFile::ReadArray(Dwarf_Die& die, uint32_t dimension) {
  DebugType type;
  type.kind = DebugType::Kind::Array;
  const std::vector<uint64_t> counts = CountsOf(die);
  if (dimension >= counts.size()) return {};
  type.count = counts[dimension];
  type.element = dimension + 1 < counts.size() ? NumberOf(die, dimension + 1) : TypeNumberOf(die);
  type.size = type.count * SizeOfNumber(type.element);
  return type;
}

// Without a look at its fields: what a hostile file says of them need not end.
uint64_t DwarfFile::SizeOfNumber(uint32_t number) {
  if (number == 0 || number > types_.size()) return 0;
  Dwarf_Die die = types_[number - 1].die;
  uint64_t size = Complete(die) ? SizeOf(die) : 0;
  const std::vector<uint64_t> counts = types_[number - 1].dimension == 0 ? std::vector<uint64_t>() : CountsOf(die);
  for (uint32_t i = 0; i < types_[number - 1].dimension && i < counts.size(); ++i) size /= std::max<uint64_t>(counts[i], 1);
  return size;
}

DebugType DwarfFile::Type(uint32_t number) {
  if (number == 0 || number > types_.size()) return {};
  NumberedType numbered = types_[number - 1];
  Dwarf_Die& die = numbered.die;
  DebugType type;
  switch (dwarf_tag(&die)) {
    case DW_TAG_base_type: {
      const uint64_t encoding = NumberAttribute(die, DW_AT_encoding, DW_ATE_unsigned);
      type.size = SizeOf(die);
      type.is_signed = encoding == DW_ATE_signed || encoding == DW_ATE_signed_char;
      type.is_char =
          type.size == 1 && (encoding == DW_ATE_signed_char || encoding == DW_ATE_unsigned_char) && NameOf(die) == "char";
      const bool is_float = encoding == DW_ATE_float || encoding == DW_ATE_complex_float || encoding == DW_ATE_decimal_float;
      type.kind = encoding == DW_ATE_boolean ? DebugType::Kind::Bool : is_float ? DebugType::Kind::Float : DebugType::Kind::Int;
      return type;
    }
    case DW_TAG_pointer_type:
    case DW_TAG_reference_type:
    case DW_TAG_rvalue_reference_type:
    case DW_TAG_ptr_to_member_type:
      type.kind = DebugType::Kind::Pointer;
      type.size = 8;
      type.element = TypeNumberOf(die);
      return type;
    case DW_TAG_array_type: return ReadArray(die, numbered.dimension);
    case DW_TAG_structure_type:
    case DW_TAG_class_type:
    case DW_TAG_union_type:
      type.kind = dwarf_tag(&die) == DW_TAG_union_type ? DebugType::Kind::Union : DebugType::Kind::Struct;
      type.name = NameOf(die);
      if (!Complete(die)) return type;
      type.size = SizeOf(die);
      ReadFields(die, type);
      return type;
    case DW_TAG_enumeration_type:
      type.kind = DebugType::Kind::Enum;
      type.name = NameOf(die);
      type.size = SizeOf(die);
      ForEachChild(die, [&](Dwarf_Die& child) {
        Dwarf_Attribute attribute;
        Dwarf_Sword value = 0;
        if (dwarf_tag(&child) != DW_TAG_enumerator || dwarf_attr(&child, DW_AT_const_value, &attribute) == nullptr) return;
        if (dwarf_formsdata(&attribute, &value) != 0) return;
        type.is_signed = type.is_signed || value < 0;
        type.enumerators.emplace_back(NameOf(child), value);
      });
      return type;
    default: return {};
  }
}

// --- by name ---

void DwarfFile::IndexTypes() {
  if (std::exchange(indexed_, true)) return;
  const auto index = [&](auto& self, Dwarf_Die& scope, int depth) -> void {
    ForEachChild(scope, [&](Dwarf_Die& child) {
      const int tag = dwarf_tag(&child);
      if (IsScope(child) && depth < kDeepest) self(self, child, depth + 1);
      const bool is_type = tag == DW_TAG_typedef || *Keyword(tag) != '\0';
      if (!is_type || NumberAttribute(child, DW_AT_declaration, 0) != 0) return;
      const std::string name = NameOf(child);
      if (name.empty()) return;
      named_.try_emplace(Keyword(tag) + name, child);
    });
  };
  ForEachUnit(dwarf_.get(), [&](Dwarf_Die& unit) { return index(index, unit, 0), true; });
}

uint32_t DwarfFile::FindType(const std::string& name) {
  IndexTypes();
  for (const char* keyword : {"", "struct ", "union ", "enum "}) {
    const auto found = named_.find(keyword + name);
    if (found != named_.end()) return NumberOf(found->second);
  }
  return 0;
}

}  // namespace kawk
