// Format files give C text and numbers. Where the two differ the numbers win: system call records say `int dfd` of an
// 8-byte slot, and a typedef's text says nothing at all.
#include "ast/passes/tracepoint_args.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "ast/c_integers.h"

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

// `look`: whether types of the kernel may be looked up.
const Type* Pointee(std::string_view text, AddressSpace space, bool look, TypeSource& source) {
  TypeTable& types = source.types();
  text = Strip(text);
  if (text.ends_with('*')) return types.Pointer(Pointee(text.substr(0, text.size() - 1), space, look, source), space);
  const Type* type = CInteger(text, types);
  if (type == nullptr && look && text != "void") type = source.Find(std::string(text));
  return type != nullptr ? type : types.None();
}

bool IsWidth(uint32_t bytes) { return bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8; }

const Type* Sized(uint32_t bytes, bool is_signed, TypeTable& types) {
  if (IsWidth(bytes)) return types.Int(bytes * 8, is_signed);
  return types.Array(types.Int(8, false), bytes);  // a struct by value
}

const Type* FieldType(const TracepointField& field, AddressSpace space, const Config& config, bool look, TypeSource& source) {
  TypeTable& types = source.types();
  const std::string_view text = Strip(field.type);
  const size_t bracket = text.find('[');
  const std::string_view element = Strip(text.substr(0, bracket));
  if (field.data_loc || field.rel_data_loc) {
    if (element == "char") return types.String(config.max_strlen + 1);
    return types.Pointer(Pointee(element, AddressSpace::Kernel, look, source), AddressSpace::Kernel);  // to its first element
  }
  if (text.ends_with('*') && field.size == 8) {
    return types.Pointer(Pointee(text.substr(0, text.size() - 1), space, look, source), space);
  }
  if (bracket == std::string_view::npos) {
    if (text == "bool" && field.size == 1) return types.Bool();
    if (const Type* whole = look && !IsWidth(field.size) ? source.Find(std::string(text)) : nullptr) {
      if (SizeOfType(whole) == field.size) return whole;
    }
    // Of a system call: the kernel keeps the whole register and calls it unsigned, but -1 must read as -1.
    const Type* declared = field.size == 8 ? CInteger(text, types) : nullptr;
    if (declared != nullptr && declared->is_signed && declared->bits == 32) return declared;
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

const Type* TracepointArgs(const TracepointFormat& format, const Config& config,
                           const std::function<bool(const std::string&)>& used, TypeSource& source) {
  TypeTable& types = source.types();
  StructInfo* info = types.NewStruct("struct tracepoint:" + format.category + ":" + format.event + "_args");
  const AddressSpace space = format.category == "syscalls" ? AddressSpace::User : AddressSpace::Kernel;
  for (const TracepointField& field : format.fields) {
    StructField& to = info->fields.emplace_back();
    to.name = field.name;
    to.offset = field.offset;
    to.data_loc = field.data_loc;
    to.rel_data_loc = field.rel_data_loc;
    to.type = FieldType(field, space, config, used(field.name), source);
    info->size = std::max(info->size, field.offset + field.size);
  }
  info->alignment = 8;
  return types.Struct(info);
}

}  // namespace kawk
