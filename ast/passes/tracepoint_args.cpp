// Format files give C text and numbers. Where the two differ the numbers win: system call records say `int dfd` of an
// 8-byte slot, and a typedef's text says nothing at all.
#include "ast/passes/tracepoint_args.h"

#include <array>
#include <string_view>

namespace kawk {
namespace {

// `text` without spaces at its ends and without the words that say nothing about size and layout.
std::string_view Strip(std::string_view text) {
  constexpr std::array<std::string_view, 4> kQualifiers = {"const ", "volatile ", "__data_loc ", "__rel_loc "};
  for (bool again = true; again;) {
    again = false;
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    for (const std::string_view qualifier : kQualifiers) {
      if (!text.starts_with(qualifier)) continue;
      text.remove_prefix(qualifier.size());
      again = true;
    }
  }
  return text;
}

struct CInt {
  std::string_view name;
  uint32_t bits;
  bool is_signed;
};
constexpr std::array kCInts = {
    CInt{"char", 8, true},
    CInt{"signed char", 8, true},
    CInt{"unsigned char", 8, false},
    CInt{"short", 16, true},
    CInt{"unsigned short", 16, false},
    CInt{"int", 32, true},
    CInt{"unsigned int", 32, false},
    CInt{"unsigned", 32, false},
    CInt{"long", 64, true},
    CInt{"unsigned long", 64, false},
    CInt{"u8", 8, false},
    CInt{"u16", 16, false},
    CInt{"u32", 32, false},
    CInt{"u64", 64, false},
    CInt{"s8", 8, true},
    CInt{"s16", 16, true},
    CInt{"s32", 32, true},
    CInt{"s64", 64, true},
    CInt{"__u8", 8, false},
    CInt{"__u16", 16, false},
    CInt{"__u32", 32, false},
    CInt{"__u64", 64, false},
    CInt{"uint8_t", 8, false},
    CInt{"uint16_t", 16, false},
    CInt{"uint32_t", 32, false},
    CInt{"uint64_t", 64, false},
    CInt{"size_t", 64, false},
    CInt{"loff_t", 64, true},
};

const Type* Pointee(std::string_view text, AddressSpace space, TypeTable& types) {
  text = Strip(text);
  if (text.ends_with('*')) return types.Pointer(Pointee(text.substr(0, text.size() - 1), space, types), space);
  for (const CInt& row : kCInts) {
    if (row.name == text) return types.Int(row.bits, row.is_signed);
  }
  return types.None();
}

bool IsWidth(uint32_t bytes) { return bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8; }

const Type* Sized(uint32_t bytes, bool is_signed, TypeTable& types) {
  if (IsWidth(bytes)) return types.Int(bytes * 8, is_signed);
  return types.Array(types.Int(8, false), bytes);  // a struct by value
}

const Type* FieldType(const TracepointField& field, AddressSpace space, const Config& config, TypeTable& types) {
  const std::string_view text = Strip(field.type);
  const size_t bracket = text.find('[');
  const std::string_view element = Strip(text.substr(0, bracket));
  if (field.data_loc || field.rel_data_loc) {
    if (element == "char") return types.String(config.max_strlen + 1);
    return types.Int(32, false);  // where and how long: of other arrays nothing better can be said yet
  }
  if (text.ends_with('*') && field.size == 8) {
    return types.Pointer(Pointee(text.substr(0, text.size() - 1), space, types), space);
  }
  if (bracket == std::string_view::npos) {
    if (text == "bool" && field.size == 1) return types.Bool();
    return Sized(field.size, field.is_signed, types);
  }
  const std::string_view digits = text.substr(bracket + 1);
  uint32_t count = 0;
  for (const char c : digits.substr(0, digits.find(']'))) count = c >= '0' && c <= '9' ? count * 10 + (c - '0') : count;
  if (element == "char") return types.String(field.size);
  const uint32_t width = count != 0 && field.size % count == 0 ? field.size / count : 0;
  if (!IsWidth(width)) return types.Array(types.Int(8, false), field.size);
  return types.Array(types.Int(width * 8, field.is_signed), count);
}

}  // namespace

const Type* TracepointArgs(const TracepointFormat& format, const Config& config, TypeTable& types) {
  StructInfo* info = types.NewStruct("struct tracepoint:" + format.category + ":" + format.event + "_args");
  const AddressSpace space = format.category == "syscalls" ? AddressSpace::User : AddressSpace::Kernel;
  for (const TracepointField& field : format.fields) {
    StructField& to = info->fields.emplace_back();
    to.name = field.name;
    to.offset = field.offset;
    to.data_loc = field.data_loc;
    to.rel_data_loc = field.rel_data_loc;
    to.type = FieldType(field, space, config, types);
    info->size = std::max(info->size, field.offset + field.size);
  }
  info->alignment = 8;
  return types.Struct(info);
}

}  // namespace kawk
