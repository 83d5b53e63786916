// Images survive the way through a file, and damaged files are errors.
#include "runtime/image/image.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>

namespace kawk::image {
namespace {

// One of everything, with values that would betray a mixed up field.
Image Sample() {
  Image image;
  image.object = {0x7f, 'E', 'L', 'F', 0, 255};
  image.types.resize(6);
  image.types[1] = {.kind = ValueKind::Int, .size = 8, .is_signed = true};
  image.types[2] = {.kind = ValueKind::String, .size = 64, .may_truncate = true};
  image.types[3] = {.kind = ValueKind::Tuple, .size = 72, .fields = {{"", 0, 1, 0, 0}, {"", 8, 2, 0, 0}}};
  image.types[4] = {.kind = ValueKind::Lhist, .size = 8, .lhist_min = -10, .lhist_max = 100, .lhist_step = 5};
  image.types[5] = {.kind = ValueKind::UserStack, .size = 16, .stack_mode = StackMode::Perf, .stack_limit = 9};
  image.types[5].enumerators = {{"A", -1}, {"B", INT64_MIN}};
  image.maps = {{"@a", "", MapStorage::Global, 0, 1, 0, sizeof(ProgramState)},
                {"@h", "map_h", MapStorage::PerCpuHash, 3, 4, 4096, 0}};
  image.stack_maps = {{"stacks", 9, true}};
  EventSpec print;
  print.location = {0, {3, 5}, {3, 20}};
  print.format = {{"x=", "-0", 5, 2, "ll", "d", 0}, {" \xff\n", "", -1, -1, "", "", 0}};
  print.args = {{1, 8, false}, {2, 16, true}};
  print.fixed_size = 20;
  EventSpec map;
  map.kind = EventKind::PrintMap;
  map.fixed_size = 8;
  map.map = 1;
  map.top = UINT64_MAX;
  image.events = {print, map};
  ProgramSpec program;
  program.object_name = "p0";
  program.type = 17;
  program.attach = {{.kind = AttachKind::Uprobe, .name = "uprobe:/bin/x:f", .path = "/bin/x", .offset = 0x1234, .cookie = 7}};
  image.programs = {program};
  image.loss_offset = 64;
  image.uses_ring = true;
  image.config.missing_probes = "warn";
  image.config.ring_pages = 64;
  image.sources = {{"s.bt", "BEGIN { }\n"}};
  return image;
}

TEST(Image, RoundTrip) {
  const std::vector<uint8_t> bytes = SerializeImage(Sample());
  Result<Image> read = DeserializeImage(bytes);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(SerializeImage(*read), bytes);
  EXPECT_EQ(read->object, Sample().object);
  EXPECT_EQ(read->types[4].lhist_min, -10);
  EXPECT_EQ(read->types[5].enumerators[1].value, INT64_MIN);
  EXPECT_EQ(read->events[1].top, UINT64_MAX);
  EXPECT_EQ(read->events[0].format[1].literal, " \xff\n");
  EXPECT_EQ(read->events[0].format[0].width, 5);
  EXPECT_EQ(read->events[0].location.end.column, 20u);
  EXPECT_EQ(read->programs[0].attach[0].cookie, 7u);
  EXPECT_EQ(read->config.missing_probes, "warn");
}

TEST(Image, OtherVersionsAreRefused) {
  Image image = Sample();
  image.version = kVersion + 1;
  Result<Image> read = DeserializeImage(SerializeImage(image));
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message.find("version"), std::string::npos);
}

// Each row makes one thing wrong.
TEST(Image, WrongIndicesAndOffsetsAreRefused) {
  const std::vector<std::pair<const char*, std::function<void(Image&)>>> rows = {
      {"no types", [](Image& i) { i.types.clear(); }},
      {"type 0", [](Image& i) { i.types[0].kind = ValueKind::Int; }},
      {"integer size", [](Image& i) { i.types[1].size = 3; }},
      {"field beyond", [](Image& i) { i.types[3].fields[1].offset = 9; }},
      {"field type", [](Image& i) { i.types[3].fields[0].type = 99; }},
      {"bitfield", [](Image& i) { i.types[3].fields[0].bit_size = 65; }},
      {"holds itself", [](Image& i) { i.types[3].fields[0] = {"", 0, 3, 0, 0}; }},
      {"holds nothing often", [](Image& i) { i.types[3] = {.kind = ValueKind::Array, .element = 0, .count = UINT32_MAX}; }},
      {"lhist step", [](Image& i) { i.types[4].lhist_step = 0; }},
      {"lhist too fine", [](Image& i) { i.types[4].lhist_max = INT64_MAX; }},
      {"stack map", [](Image& i) { i.types[5].stack_map = 1; }},
      {"map key", [](Image& i) { i.maps[1].key = 6; }},
      {"map without key", [](Image& i) { i.maps[1].key = 0; }},
      {"map value", [](Image& i) { i.maps[1].value = 6; }},
      {"map unaligned", [](Image& i) { i.maps[0].global_offset = 81; }},
      {"map over state", [](Image& i) { i.maps[0].global_offset = 8; }},
      {"map without name", [](Image& i) { i.maps[1].object_name = ""; }},
      {"stack limit", [](Image& i) { i.stack_maps[0].limit = 1 << 20; }},
      {"event's probe", [](Image& i) { i.events[0].probe = 1; }},
      {"event's size", [](Image& i) { i.events[0].fixed_size = 19; }},
      {"event's map", [](Image& i) { i.events[1].map = 2; }},
      {"argument's offset", [](Image& i) { i.events[0].args[1].offset = UINT32_MAX; }},
      {"variable number", [](Image& i) { i.events[0].args[0].variable = true; }},
      {"format's argument", [](Image& i) { i.events[0].format[0].arg = 2; }},
      {"program's name", [](Image& i) { i.programs[0].object_name = ""; }},
      {"missing_probes", [](Image& i) { i.config.missing_probes = "x"; }},
  };
  ASSERT_TRUE(ValidateImage(Sample()));
  for (const auto& [name, damage] : rows) {
    Image image = Sample();
    damage(image);
    EXPECT_FALSE(ValidateImage(image)) << name;
    EXPECT_FALSE(DeserializeImage(SerializeImage(image))) << name;
  }
}

TEST(Image, EveryTruncationIsRefused) {
  const std::vector<uint8_t> bytes = SerializeImage(Sample());
  for (size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_FALSE(DeserializeImage({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length)})) << length;
  }
}

TEST(Image, EveryChangedByteIsRefusedOrValid) {
  const std::vector<uint8_t> bytes = SerializeImage(Sample());
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      std::vector<uint8_t> damaged = bytes;
      damaged[at] = static_cast<uint8_t>(value);
      Result<Image> read = DeserializeImage(damaged);
      if (read) {
        EXPECT_TRUE(ValidateImage(*read)) << at;
      }
    }
  }
}

TEST(Image, RandomDamageIsRefusedOrValid) {
  const std::vector<uint8_t> bytes = SerializeImage(Sample());
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    std::vector<uint8_t> damaged = bytes;
    const int changes = 1 + static_cast<int>(random() % 8);
    for (int i = 0; i < changes; ++i) {
      const size_t at = random() % damaged.size();
      if (random() % 4 == 0) {
        damaged.erase(damaged.begin() + static_cast<std::ptrdiff_t>(at));
      } else if (random() % 4 == 0) {
        damaged.insert(damaged.begin() + static_cast<std::ptrdiff_t>(at), static_cast<uint8_t>(random()));
      } else {
        damaged[at] = static_cast<uint8_t>(random());
      }
    }
    Result<Image> read = DeserializeImage(damaged);
    if (read) {
      EXPECT_TRUE(ValidateImage(*read));
    }
  }
}

TEST(Image, DeepNestingAndHugeLengthsAreRefused) {
  EXPECT_FALSE(DeserializeImage(std::vector<uint8_t>(1 << 20, 0x81)));
  EXPECT_FALSE(DeserializeImage({0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}));
  EXPECT_FALSE(DeserializeImage({0x82, 0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}));
  EXPECT_FALSE(DeserializeImage({}));
}

// Types that each hold the next many times would print without end.
TEST(Image, MultipliedPartsAreRefused) {
  Image image = Sample();
  const TypeIndex first = static_cast<TypeIndex>(image.types.size());
  for (TypeIndex i = 0; i < 40; ++i) {
    ValueType type = {.kind = ValueKind::Struct, .size = 8};
    for (int field = 0; field < 10; ++field) type.fields.push_back({"f", 0, i == 39 ? 1 : first + i + 1, 0, 0});
    image.types.push_back(type);
  }
  EXPECT_FALSE(ValidateImage(image));
}

}  // namespace
}  // namespace kawk::image
