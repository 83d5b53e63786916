// What C's headers declare, as plain data with the layouts that C's own compiler gives: who reads headers (cli/) knows
// nothing of our types, and the passes nothing of who reads them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace kawk {

class TypeSource;

struct HeaderType {
  enum class Kind : uint8_t { None, Bool, Char, Int, Opaque, Pointer, Array, Record, Enum };
  Kind kind = Kind::None;
  bool is_signed = false;
  uint32_t size = 0;   // Int, Opaque: bytes
  uint32_t of = 0;     // Pointer, Array: into types; Record: into records; Enum: into enums
  uint64_t count = 0;  // Array
};

struct HeaderField {
  std::string name;  // empty: anonymous
  uint32_t type = 0;
  uint64_t bit = 0;        // where it begins
  uint32_t bit_count = 0;  // 0: not a bitfield
};

struct HeaderRecord {
  std::string name;  // "struct foo", "union u"; "struct " for one without a name
  bool is_union = false;
  uint64_t size = 0;
  uint32_t alignment = 1;
  std::vector<HeaderField> fields;
};

struct HeaderEnum {
  std::string name;  // "enum e"; "enum " for one without a name
  uint32_t bits = 32;
  bool is_signed = false;
  std::vector<std::pair<std::string, int64_t>> values;
};

struct HeaderDeclarations {
  std::vector<HeaderType> types;
  std::vector<HeaderRecord> records;
  std::vector<HeaderEnum> enums;
  std::vector<std::pair<std::string, uint32_t>> typedefs;  // names of types
  std::vector<std::string> defines;                        // `#define NAME text`, in order
  std::string problem;                                     // the first error in the headers; empty: none
};

// Defines the types and enumerators, but no macros. Records and arrays too large for the language are left out.
void DefineHeaderTypes(const HeaderDeclarations& headers, TypeSource& source);

}  // namespace kawk
