// Two kinds of names: words of C in any order (`long unsigned int`), and typedefs that are the same everywhere.
#include "ast/c_integers.h"

#include <array>

namespace kawk {
namespace {

struct Typedef {
  std::string_view name;
  uint32_t bits;
  bool is_signed;
};
constexpr std::array kTypedefs = {
    Typedef{"u8", 8, false},         Typedef{"u16", 16, false},      Typedef{"u32", 32, false},    Typedef{"u64", 64, false},
    Typedef{"s8", 8, true},          Typedef{"s16", 16, true},       Typedef{"s32", 32, true},     Typedef{"s64", 64, true},
    Typedef{"__u8", 8, false},       Typedef{"__u16", 16, false},    Typedef{"__u32", 32, false},  Typedef{"__u64", 64, false},
    Typedef{"__s8", 8, true},        Typedef{"__s16", 16, true},     Typedef{"__s32", 32, true},   Typedef{"__s64", 64, true},
    Typedef{"__be16", 16, false},    Typedef{"__be32", 32, false},   Typedef{"__be64", 64, false}, Typedef{"__le16", 16, false},
    Typedef{"__le32", 32, false},    Typedef{"__le64", 64, false},   Typedef{"uint8_t", 8, false}, Typedef{"uint16_t", 16, false},
    Typedef{"uint32_t", 32, false},  Typedef{"uint64_t", 64, false}, Typedef{"int8_t", 8, true},   Typedef{"int16_t", 16, true},
    Typedef{"int32_t", 32, true},    Typedef{"int64_t", 64, true},   Typedef{"size_t", 64, false}, Typedef{"ssize_t", 64, true},
    Typedef{"uintptr_t", 64, false}, Typedef{"intptr_t", 64, true},  Typedef{"pid_t", 32, true},   Typedef{"uid_t", 32, false},
    Typedef{"gid_t", 32, false},     Typedef{"off_t", 64, true},     Typedef{"loff_t", 64, true},  Typedef{"sector_t", 64, false},
    Typedef{"umode_t", 16, false},   Typedef{"dev_t", 32, false},    Typedef{"time_t", 64, true},  Typedef{"ktime_t", 64, true},
    Typedef{"ulong", 64, false},     Typedef{"uint", 32, false},     Typedef{"ushort", 16, false},
};

struct Words {
  uint32_t longs = 0;
  bool is_unsigned = false, is_signed = false, is_char = false, is_short = false, is_int = false;
};

// Takes one word; false for one that is no part of an integer's name.
bool Take(Words& words, std::string_view word) {
  if (word == "long") return ++words.longs <= 2;
  bool Words::* const slot = word == "unsigned" ? &Words::is_unsigned
                             : word == "signed" ? &Words::is_signed
                             : word == "char"   ? &Words::is_char
                             : word == "short"  ? &Words::is_short
                             : word == "int"    ? &Words::is_int
                                                : nullptr;
  if (slot == nullptr || words.*slot) return false;
  return words.*slot = true;
}

const Type* FromWords(std::string_view name, TypeTable& types) {
  Words words;
  while (!name.empty()) {
    const size_t space = name.find(' ');
    if (space != 0 && !Take(words, name.substr(0, space))) return nullptr;
    name.remove_prefix(space == std::string_view::npos ? name.size() : space + 1);
  }
  const bool is_signed = !words.is_unsigned;
  if (words.is_char) return types.Int(8, is_signed);
  if (words.is_short) return types.Int(16, is_signed);
  if (words.longs > 0) return types.Int(64, is_signed);
  if (words.is_int || words.is_signed || words.is_unsigned) return types.Int(32, is_signed);
  return nullptr;
}

}  // namespace

const Type* CInteger(std::string_view name, TypeTable& types) {
  for (const Typedef& row : kTypedefs) {
    if (row.name == name) return types.Int(row.bits, row.is_signed);
  }
  if (name == "_Bool") return types.Bool();
  if (name == "float" || name == "double") return types.Int(name == "float" ? 32 : 64, false);  // their bits
  return FromWords(name, types);
}

}  // namespace kawk
