// The calling convention of x86-64 Linux (System V ABI, 3.2.3): which registers and stack slots hold the parameters when a
// function is entered. Each eight bytes of a value are of a class; floating-point numbers go to registers that BPF
// programs do not get to see.
#include <algorithm>
#include <array>

#include "host/dwarf_file.h"

namespace kawk {
namespace {

constexpr std::array<const char*, 6> kIntegers = {"rdi", "rsi", "rdx", "rcx", "r8", "r9"};
constexpr size_t kVectors = 8;
constexpr uint64_t kWord = 8;
constexpr uint64_t kMostInRegisters = 2 * kWord;
constexpr int kDeepest = 16;

enum class Class : uint8_t { None, Integer, Vector, Memory };

Class Merge(Class a, Class b) {
  if (a == Class::None || a == b) return b;
  if (b == Class::None) return a;
  if (a == Class::Memory || b == Class::Memory) return Class::Memory;
  return a == Class::Integer || b == Class::Integer ? Class::Integer : Class::Vector;
}

struct Classes {
  std::array<Class, 2> words = {Class::None, Class::None};
  uint64_t size = 0;
  uint64_t alignment = kWord;

  bool InMemory() const { return words[0] == Class::Memory || words[1] == Class::Memory; }
  void Add(uint64_t offset, uint64_t bytes, Class kind) {
    if (bytes == 0) return;
    for (uint64_t word = offset / kWord; word <= (offset + bytes - 1) / kWord && word < 2; ++word)
      words[word] = Merge(words[word], kind);
  }
};

void Classify(Dwarf_Die type, uint64_t offset, int depth, Classes& classes);

void ClassifyNumber(Dwarf_Die& type, uint64_t offset, uint64_t size, Classes& classes) {
  const uint64_t encoding = NumberAttribute(type, DW_AT_encoding, DW_ATE_unsigned);
  const bool is_float = encoding == DW_ATE_float || encoding == DW_ATE_complex_float || encoding == DW_ATE_decimal_float;
  if (size > kWord) classes.alignment = 2 * kWord;  // __int128, long double
  const bool is_long = is_float && size > kWord;    // long double is passed on the stack
  classes.Add(offset, size, is_long ? Class::Memory : is_float ? Class::Vector : Class::Integer);
}

void ClassifyFields(Dwarf_Die& type, uint64_t offset, int depth, Classes& classes) {
  ForEachChild(type, [&](Dwarf_Die& member) {
    const int tag = dwarf_tag(&member);
    Dwarf_Die of;
    if ((tag != DW_TAG_member && tag != DW_TAG_inheritance) || !TypeOf(member, of)) return;
    if (NumberAttribute(member, DW_AT_external, 0) != 0) return;
    const uint64_t bits = NumberAttribute(member, DW_AT_data_bit_offset, UINT64_MAX);
    const uint64_t at = bits != UINT64_MAX ? bits / 8 : NumberAttribute(member, DW_AT_data_member_location, 0);
    Classify(of, offset + at, depth + 1, classes);
  });
}

void Classify(Dwarf_Die type, uint64_t offset, int depth, Classes& classes) {
  Dwarf_Word size = 0;
  if (depth > kDeepest || offset >= kMostInRegisters || !Peel(type)) return;
  if (dwarf_aggregate_size(&type, &size) != 0) size = 0;
  switch (dwarf_tag(&type)) {
    case DW_TAG_base_type: return ClassifyNumber(type, offset, size, classes);
    case DW_TAG_structure_type:
    case DW_TAG_class_type:
    case DW_TAG_union_type: return ClassifyFields(type, offset, depth, classes);
    case DW_TAG_array_type: {
      Dwarf_Die element;
      Dwarf_Word step = 0;
      if (!TypeOf(type, element) || dwarf_aggregate_size(&element, &step) != 0 || step == 0) return;
      for (uint64_t at = 0; at < size && offset + at < kMostInRegisters; at += step)
        Classify(element, offset + at, depth + 1, classes);
      return;
    }
    case DW_TAG_ptr_to_member_type: classes.Add(offset, std::max<uint64_t>(size, kWord), Class::Integer); return;
    case DW_TAG_enumeration_type: classes.Add(offset, std::max<uint64_t>(size, 1), Class::Integer); return;
    default: classes.Add(offset, kWord, Class::Integer);  // pointers and references
  }
}

Classes ClassesOf(Dwarf_Die type) {
  Classes classes;
  Dwarf_Word size = 0;
  if (!Peel(type)) return classes;
  classes.size = dwarf_aggregate_size(&type, &size) == 0 ? size : kWord;
  if (classes.size > kMostInRegisters) {
    classes.words[0] = Class::Memory;
  } else {
    Classify(type, 0, 0, classes);
  }
  return classes;
}

// A C++ object with a constructor of its own for copies: its address is passed.
bool ByReference(Dwarf_Die type) {
  return Peel(type) && NumberAttribute(type, DW_AT_calling_convention, 0) == DW_CC_pass_by_reference;
}

class Caller {
 public:
  void Pass(Dwarf_Die& type, DebugParameter& parameter) {
    parameter.pieces.clear();
    parameter.why_not.clear();
    if (ByReference(type)) {
      PassAddress(type, parameter);
      return;
    }
    const Classes classes = ClassesOf(type);
    if (classes.size == 0) return;
    const auto integers = static_cast<size_t>(std::count(classes.words.begin(), classes.words.end(), Class::Integer));
    const auto vectors = static_cast<size_t>(std::count(classes.words.begin(), classes.words.end(), Class::Vector));
    if (classes.InMemory() || integers_ + integers > kIntegers.size() || vectors_ + vectors > kVectors) {
      PushOnStack(classes, parameter);
      return;
    }
    if (vectors != 0) parameter.why_not = kFloatParameter;
    vectors_ += vectors;
    for (uint64_t at = 0; at < classes.size; at += kWord) {
      if (classes.words[at / kWord] != Class::Integer) continue;
      const auto bytes = static_cast<uint32_t>(std::min(kWord, classes.size - at));
      const char* name = kIntegers[integers_++];
      if (vectors == 0) parameter.pieces.push_back({DebugPiece::Place::Register, name, 0, bytes});
    }
  }

  // A large result goes to memory of the caller's, whose address comes first.
  void Returns(Dwarf_Die& type) { integers_ += ClassesOf(type).InMemory() || ByReference(type); }

 private:
  void PassAddress(Dwarf_Die& type, DebugParameter& parameter) {
    Dwarf_Word size = 0;
    Dwarf_Die peeled = type;
    if (!Peel(peeled) || dwarf_aggregate_size(&peeled, &size) != 0) size = 1;
    if (integers_ < kIntegers.size()) {
      parameter.pieces = {{DebugPiece::Place::Memory, kIntegers[integers_++], 0, static_cast<uint32_t>(size)}};
      return;
    }
    stack_ += kWord;
    parameter.why_not = "it is passed by an address on the stack";
  }

  void PushOnStack(const Classes& classes, DebugParameter& parameter) {
    stack_ = (stack_ + classes.alignment - 1) / classes.alignment * classes.alignment;
    parameter.pieces = {
        {DebugPiece::Place::Memory, "rsp", static_cast<int64_t>(kWord + stack_), static_cast<uint32_t>(classes.size)}};
    stack_ += (classes.size + kWord - 1) / kWord * kWord;
  }

  size_t integers_ = 0;
  size_t vectors_ = 0;
  uint64_t stack_ = 0;  // bytes used, above the return address
};

}  // namespace

void PlaceByConvention(Dwarf_Die& function, std::vector<std::pair<Dwarf_Die, DebugParameter*>>& parameters) {
  Caller caller;
  Dwarf_Die type;
  if (TypeOf(function, type)) caller.Returns(type);
  for (auto& [die, parameter] : parameters) {
    if (TypeOf(die, type)) caller.Pass(type, *parameter);
  }
}

}  // namespace kawk
