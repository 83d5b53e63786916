// What a map holds → what a user sees: slots of several CPUs become one value, buckets become histograms. No system calls.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/image/image.h"
#include "runtime/output.h"

namespace kawk {

// Elements of a map as the kernel hands them out, one behind the other.
struct RawElements {
  size_t count = 0;
  uint32_t key_size = 0;
  uint32_t value_size = 0;  // one CPU's slot
  uint32_t slots = 1;       // CPUs, or 1
  std::vector<uint8_t> keys;
  std::vector<uint8_t> values;

  // The kernel aligns the slots of one element to 8 when there are several.
  size_t stride() const { return slots_aligned ? (value_size + size_t{7}) & ~size_t{7} : value_size; }
  bool slots_aligned = false;
  std::span<const uint8_t> Key(size_t i) const { return {keys.data() + i * key_size, key_size}; }
  std::span<const uint8_t> Value(size_t i) const { return {values.data() + i * stride() * slots, stride() * slots}; }
};

// Buckets of a Hist or Lhist, intervals of a Tseries; 0 for other kinds.
uint32_t BucketCount(const image::ValueType& value);
// Size of {key, padding to 8, u64 bucket}.
inline constexpr uint32_t BucketKeyBytes(uint32_t key_size) { return ((key_size + 7) & ~7u) + 8; }
// Bytes of a Global map's value, without its set word: padded so that the word is aligned.
inline constexpr size_t GlobalValueBytes(const image::ValueType& value) { return (size_t{value.size} + 7) & ~size_t{7}; }

// Merges one element's slots by the kind of value.
SmallBytes MergeSlots(const image::ValueType& value, std::span<const uint8_t> slots, size_t stride);

// The elements of one epoch as a map without epochs has them (see image::EpochState).
RawElements OfEpoch(const image::Image& image, const image::MapSpec& spec, RawElements elements, uint64_t epoch);

// The entries of a map from its elements.
std::vector<MapEntry> MergeElements(const image::Image& image, const image::MapSpec& spec, const RawElements& elements);

}  // namespace kawk
