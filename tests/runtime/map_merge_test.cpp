// Values of several CPUs become one, by kind.
#include "runtime/map_merge.h"

#include <gtest/gtest.h>

#include <cstring>

#include "runtime/image/buckets.h"

namespace kawk {
namespace {

using image::MapStorage;
using image::ValueKind;

std::vector<uint8_t> Words(const std::vector<uint64_t>& words) {
  std::vector<uint8_t> bytes(words.size() * 8);
  if (!bytes.empty()) memcpy(bytes.data(), words.data(), bytes.size());
  return bytes;
}
std::vector<uint64_t> ToWords(std::span<const uint8_t> bytes) {
  std::vector<uint64_t> words(bytes.size() / 8);
  if (!words.empty()) memcpy(words.data(), bytes.data(), words.size() * 8);
  return words;
}
uint64_t Negative(int64_t value) { return static_cast<uint64_t>(value); }

struct MergeRow {
  ValueKind kind;
  bool is_signed;
  std::vector<uint64_t> slots;  // of all CPUs
  std::vector<uint64_t> merged;
};

TEST(MapMerge, Slots) {
  const std::vector<MergeRow> rows = {
      {ValueKind::Count, false, {1, 2, 3}, {6}},
      {ValueKind::Sum, true, {5, Negative(-9)}, {Negative(-4)}},
      // {rank, set}: the larger rank is the better extreme.
      {ValueKind::Min, true, {5, 1, 9, 1}, {9, 1}},
      {ValueKind::Max, false, {9, 1, 5, 1}, {9, 1}},
      {ValueKind::Max, true, {0, 0, 7, 1}, {7, 1}},
      {ValueKind::Min, true, {0, 0, 0, 0}, {0, 0}},
      {ValueKind::Avg, true, {10, 2, Negative(-4), 1}, {6, 3}},
      {ValueKind::Stats, false, {10, 2, 5, 1}, {15, 3}},
      {ValueKind::Int, true, {1, 0, 2}, {3}},
      {ValueKind::Pointer, false, {11, 22}, {11}},
  };
  for (const MergeRow& row : rows) {
    const uint32_t size = static_cast<uint32_t>(row.merged.size() * 8);
    const image::ValueType type = {.kind = row.kind, .size = size, .is_signed = row.is_signed};
    EXPECT_EQ(ToWords(MergeSlots(type, Words(row.slots), size)), row.merged) << static_cast<int>(row.kind);
  }
}

image::Image ImageOf(image::ValueType value, uint32_t key_size) {
  image::Image image;
  image.types.resize(3);
  image.types[1] = {.kind = ValueKind::Int, .size = key_size};
  image.types[2] = std::move(value);
  return image;
}

RawElements Elements(uint32_t key_size, uint32_t value_size, uint32_t slots, std::vector<uint8_t> keys,
                     std::vector<uint8_t> values) {
  RawElements elements;
  elements.key_size = key_size;
  elements.value_size = value_size;
  elements.slots = slots;
  elements.slots_aligned = true;
  elements.count = keys.size() / key_size;
  elements.keys = std::move(keys);
  elements.values = std::move(values);
  return elements;
}

TEST(MapMerge, ScalarAggregate) {
  const image::Image image = ImageOf({.kind = ValueKind::Count, .size = 8}, 4);
  const image::MapSpec spec = {.name = "@", .object_name = "m", .storage = MapStorage::PerCpuArray, .value = 2};
  std::vector<MapEntry> entries = MergeElements(image, spec, Elements(4, 16, 2, {0, 0, 0, 0}, Words({3, 1, 4, 1})));
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_TRUE(entries[0].key.empty());
  EXPECT_EQ(ToWords(entries[0].value), std::vector<uint64_t>{7});
  // Set on one CPU, to zero.
  EXPECT_EQ(MergeElements(image, spec, Elements(4, 16, 2, {0, 0, 0, 0}, Words({0, 0, 0, 1}))).size(), 1u);
  EXPECT_TRUE(MergeElements(image, spec, Elements(4, 16, 2, {0, 0, 0, 0}, Words({0, 0, 0, 0}))).empty());
}

TEST(MapMerge, ScalarHistogram) {
  const image::Image image = ImageOf({.kind = ValueKind::Lhist, .size = 8, .lhist_min = 0, .lhist_max = 2, .lhist_step = 1}, 4);
  const image::MapSpec spec = {.name = "@", .object_name = "m", .storage = MapStorage::PerCpuArray, .value = 2};
  const std::vector<uint8_t> keys = {0, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 9, 0, 0, 0};  // 9 is no bucket
  const auto entries = MergeElements(image, spec, Elements(4, 8, 2, keys, Words({1, 2, 0, 0, 5, 0, 9, 9})));
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(ToWords(entries[0].value), (std::vector<uint64_t>{3, 0, 0, 5}));
  EXPECT_TRUE(MergeElements(image, spec, Elements(4, 8, 2, keys, Words(std::vector<uint64_t>(8)))).empty());
}

TEST(MapMerge, KeyedHistogramIsGrouped) {
  const image::Image image = ImageOf({.kind = ValueKind::Hist, .size = 8, .hist_bits = 0}, 4);
  const image::MapSpec spec = {.name = "@", .object_name = "m", .storage = MapStorage::PerCpuHash, .key = 1, .value = 2};
  ASSERT_EQ(BucketKeyBytes(4), 16u);
  // {u32 key, padding, u64 bucket}; the padding is not part of the key.
  const auto entries = MergeElements(
      image, spec, Elements(16, 8, 2, Words({7, 3, 8, 3, 7 | 1ull << 40, 5, 8, 5000}), Words({1, 1, 2, 2, 3, 3, 4, 4})));
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].key, (std::vector<uint8_t>{7, 0, 0, 0}));
  EXPECT_EQ(ToWords(entries[0].value)[3], 2u);
  EXPECT_EQ(ToWords(entries[0].value)[5], 6u);
  EXPECT_EQ(ToWords(entries[1].value)[3], 4u);
  EXPECT_EQ(ToWords(entries[0].value).size(), image::HistBuckets(0));
}

TEST(MapMerge, SlotsAreAlignedInPerCpuMaps) {
  const image::Image image = ImageOf({.kind = ValueKind::Int, .size = 4}, 4);
  const image::MapSpec spec = {.name = "@", .object_name = "m", .storage = MapStorage::PerCpuHash, .key = 1, .value = 2};
  const auto entries = MergeElements(image, spec, Elements(4, 4, 2, {1, 0, 0, 0}, Words({5, 6})));
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].value, (std::vector<uint8_t>{11, 0, 0, 0}));
}

}  // namespace
}  // namespace kawk
