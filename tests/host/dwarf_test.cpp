// Debug information of tests/live/triggers/t_debug.c, as it was built beside this test; and of damaged copies.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "host/dwarf_file.h"
#include "host/elf_file.h"
#include "host/files.h"
#include "tests/host/temp_folder.h"

namespace kawk {
namespace {

uint64_t AddressOf(const std::string& path, const std::string& function) {
  ElfCache elf;
  const Result<std::vector<ElfSymbol>> symbols = elf.MatchSymbols(path, function);
  return symbols && !symbols->empty() ? symbols->front().address : 0;
}

const DebugParameter* Find(const DebugFunction& function, const std::string& name) {
  const auto found = std::find_if(function.parameters.begin(), function.parameters.end(),
                                  [&](const DebugParameter& parameter) { return parameter.name == name; });
  return found == function.parameters.end() ? nullptr : &*found;
}

// "rdi" for a register, "[rsp+8]" for memory, "-" for nothing.
std::string PlaceOf(const DebugFunction& function, const std::string& name) {
  const DebugParameter* parameter = Find(function, name);
  if (parameter == nullptr) return "absent";
  std::string text;
  for (const DebugPiece& piece : parameter->pieces) {
    if (!text.empty()) text += " ";
    text += piece.place == DebugPiece::Place::Memory ? "[" + piece.base + "+" + std::to_string(piece.offset) + "]" : piece.base;
  }
  return text.empty() ? "-" : text;
}

TEST(Dwarf, ParametersAtTheEntry) {
  for (const std::string path : {KAWK_DEBUG_PROGRAM, KAWK_PLAIN_PROGRAM}) {
    Result<std::unique_ptr<DwarfFile>> file = DwarfFile::Open(path, {});
    ASSERT_TRUE(file) << file.error().message;
    const std::optional<DebugFunction> walk = (*file)->FunctionAt(AddressOf(path, "walk"));
    ASSERT_TRUE(walk);
    EXPECT_EQ(walk->name, "walk");
    const std::pair<const char*, const char*> in_walk[] = {
        {"first", "rdi"}, {"place", "rsi"}, {"color", "rdx"}, {"letter", "rcx"}, {"small", "r8"}};
    for (const auto& [name, place] : in_walk) EXPECT_EQ(PlaceOf(*walk, name), place) << path << " " << name;
    EXPECT_EQ(Find(*walk, "first")->text, "const node_t*");
    EXPECT_EQ(Find(*walk, "place")->text, "struct point");
    const std::optional<DebugFunction> many = (*file)->FunctionAt(AddressOf(path, "many"));
    ASSERT_TRUE(many);
    const std::pair<const char*, const char*> in_many[] = {{"a", "rdi"},           {"share", "-"},        {"f", "r9"},
                                                           {"seventh", "[rsp+8]"}, {"large", "[rsp+16]"}, {"ninth", "[rsp+48]"}};
    for (const auto& [name, place] : in_many) EXPECT_EQ(PlaceOf(*many, name), place) << path << " " << name;
    const std::optional<DebugFunction> make = (*file)->FunctionAt(AddressOf(path, "make"));
    ASSERT_TRUE(make);
    EXPECT_EQ(PlaceOf(*make, "seed"), "rsi");
  }
}

TEST(Dwarf, Types) {
  Result<std::unique_ptr<DwarfFile>> file = DwarfFile::Open(KAWK_DEBUG_PROGRAM, {});
  ASSERT_TRUE(file);
  const DebugType node = (*file)->Type((*file)->FindType("struct node"));
  EXPECT_EQ(node.kind, DebugType::Kind::Struct);
  EXPECT_EQ(node.size, 40u);
  ASSERT_EQ(node.fields.size(), 7u);
  EXPECT_EQ(node.fields[1].name, "at");
  EXPECT_EQ(node.fields[1].offset, 8u);
  EXPECT_EQ((*file)->Type(node.fields[1].type).name, "point");
  EXPECT_EQ(node.fields[5].name, "rest");
  EXPECT_EQ(node.fields[5].bit_offset, 3u);
  EXPECT_EQ(node.fields[5].bit_size, 5u);
  EXPECT_EQ((*file)->Type(node.fields[6].type).count, 8u);
  const DebugType color = (*file)->Type((*file)->FindType("color"));
  ASSERT_EQ(color.enumerators.size(), 2u);
  EXPECT_EQ(color.enumerators[1], std::make_pair(std::string("GREEN"), int64_t{5}));
  EXPECT_EQ((*file)->Type((*file)->FindType("node_t")).name, "node");
  EXPECT_EQ((*file)->FindType("struct nothing"), 0u);
}

TEST(Dwarf, Lines) {
  Result<std::unique_ptr<DwarfFile>> file = DwarfFile::Open(KAWK_DEBUG_PROGRAM, {});
  ASSERT_TRUE(file);
  EXPECT_EQ((*file)->LinesAt("t_debug.c", 28, 0).size(), 1u);
  EXPECT_EQ((*file)->LinesAt("triggers/t_debug.c", 46, 0).size(), 2u);  // in its two copies
  EXPECT_TRUE((*file)->LinesAt("debug.c", 28, 0).empty());
  EXPECT_EQ((*file)->NextLine("t_debug.c", 2), 27u);
  EXPECT_EQ((*file)->InlinedAt("inlined"), "t_debug.c:45");
  EXPECT_FALSE((*file)->InlinedAt("walk"));
}

TEST(Dwarf, Absent) {
  TempFolder folder;
  const Result<std::unique_ptr<DwarfFile>> file = DwarfFile::Open(folder.Write("text", "no program"), {});
  EXPECT_FALSE(file);
}

void FollowType(DwarfFile& file, uint32_t number, int depth) {
  if (number == 0 || depth > 4) return;
  const DebugType type = file.Type(number);
  FollowType(file, type.element, depth + 1);
  for (const DebugType::Field& field : type.fields) FollowType(file, field.type, depth + 1);
}

// Nobody vouches for the file: it may be wrong in any byte.
TEST(Dwarf, Damaged) {
  const Result<std::string> whole = ReadFile(KAWK_DEBUG_PROGRAM, 1 << 26);
  ASSERT_TRUE(whole);
  TempFolder folder;
  std::mt19937 random(1);
  const uint64_t address = AddressOf(KAWK_DEBUG_PROGRAM, "walk");
  for (int round = 0; round < 150; ++round) {
    std::string bytes = *whole;
    for (int i = 0; i < 40; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
    Result<std::unique_ptr<DwarfFile>> file = DwarfFile::Open(folder.Write("damaged", bytes), {});
    if (!file) continue;
    for (uint64_t at = address; at < address + 400; at += 3) {
      const std::optional<DebugFunction> function = (*file)->FunctionAt(at);
      if (!function) continue;
      for (const DebugParameter& parameter : function->parameters) FollowType(**file, parameter.type, 0);
    }
    FollowType(**file, (*file)->FindType("struct node"), 0);
    static_cast<void>((*file)->LinesAt("t_debug.c", 46, 0));
    static_cast<void>((*file)->InlinedAt("inlined"));
  }
}

}  // namespace
}  // namespace kawk
