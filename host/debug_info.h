// What the debug information of a user program says: functions with their parameters, types, and places of source lines.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace kawk {

// A type of a program. Those that it is made of are known by number, of the same file; 0 is void.
struct DebugType {
  enum class Kind : uint8_t { None, Bool, Int, Float, Pointer, Array, Struct, Union, Enum };
  struct Field {
    std::string name;  // empty: its fields are reached through it
    uint32_t type = 0;
    uint32_t offset = 0;    // bytes; of a bitfield of the integer that holds it
    uint32_t bit_size = 0;  // 0: not a bitfield
    uint32_t bit_offset = 0;
  };
  Kind kind = Kind::None;
  std::string name;  // "node" of Struct, Union and Enum
  uint64_t size = 0;
  bool is_signed = false;
  bool is_char = false;  // Int: of text
  uint32_t element = 0;  // Pointer, Array
  uint64_t count = 0;    // Array
  std::vector<Field> fields;
  std::vector<std::pair<std::string, int64_t>> enumerators;
};

// Where a piece of a parameter is when the program has come to an address. Registers by the name of their 64 bits.
struct DebugPiece {
  enum class Place : uint8_t { Register, Memory, Value };  // Value: the sum itself, not what lies there
  Place place = Place::Register;
  std::string base;  // Memory, Value: empty for none
  int64_t offset = 0;
  uint32_t size = 0;  // bytes of the parameter

  bool operator==(const DebugPiece&) const = default;
};

struct DebugParameter {
  std::string name;
  std::string text;  // its type in C
  uint32_t type = 0;
  std::vector<DebugPiece> pieces;  // together the parameter; empty: it cannot be read
  std::string why_not;
};

struct DebugFunction {
  std::string name;
  std::vector<DebugParameter> parameters;
};

// A place where the code of a source line begins.
struct DebugLine {
  uint64_t address = 0;  // as in the symbol table
  std::string file;
  uint32_t line = 0;
  uint32_t column = 0;
};

// Of one program; what there is of it is read when it is asked for.
class DebugInfo {
 public:
  virtual ~DebugInfo() = default;

  // The function whose code this address of the symbol table is in; its parameters as they are there.
  virtual std::optional<DebugFunction> FunctionAt(uint64_t address) = 0;
  // Places where the code of a line begins: one for each function, and each copy of an inlined one, that has some of it.
  // `column` 0: any.
  virtual std::vector<DebugLine> LinesAt(const std::string& file, uint32_t line, uint32_t column) = 0;
  // The first line with code from this one on; 0: there is none.
  virtual uint32_t NextLine(const std::string& file, uint32_t line) = 0;
  // Of a function that is inlined somewhere: where it stands in the source, "d.c:14".
  virtual std::optional<std::string> InlinedAt(const std::string& function) = 0;

  virtual DebugType Type(uint32_t number) = 0;
  // "struct node", "union u", "enum e", or a bare name: of a typedef, a class or any of these. 0: there is none.
  virtual uint32_t FindType(const std::string& name) = 0;
};

}  // namespace kawk
