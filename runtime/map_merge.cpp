#include "runtime/map_merge.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <unordered_map>

#include "base/check.h"
#include "runtime/image/buckets.h"
#include "runtime/tseries.h"

namespace kawk {
namespace {

using image::ValueKind;
using image::ValueType;

uint64_t Load64(const uint8_t* at) {
  uint64_t value;
  memcpy(&value, at, sizeof value);
  return value;
}
void Store64(uint8_t* at, uint64_t value) { memcpy(at, &value, sizeof value); }

void AddWords(SmallBytes& into, const uint8_t* slot, size_t words) {
  for (size_t i = 0; i < words; ++i) Store64(&into[i * 8], Load64(&into[i * 8]) + Load64(slot + i * 8));
}

// {rank, set}: the larger rank is the better extreme; on CPUs where nothing was taken it is 0.
void TakeExtreme(SmallBytes& into, const uint8_t* slot) {
  Store64(into.data(), std::max(Load64(into.data()), Load64(slot)));
  Store64(&into[8], Load64(&into[8]) | Load64(slot + 8));
}

// A plain integer in a per-CPU map reads as the sum over the CPUs.
void AddInteger(const ValueType& type, SmallBytes& into, const uint8_t* slot) {
  uint64_t a = 0, b = 0;
  const size_t size = std::min<size_t>(type.size, 8);
  memcpy(&a, into.data(), size);
  memcpy(&b, slot, size);
  a += b;
  memcpy(into.data(), &a, size);
}

void MergeSlot(const ValueType& type, SmallBytes& into, const uint8_t* slot, bool first) {
  switch (type.kind) {
    case ValueKind::Count:
    case ValueKind::Sum:
    case ValueKind::Hist:
    case ValueKind::Lhist: return AddWords(into, slot, 1);
    case ValueKind::Avg:
    case ValueKind::Stats: return AddWords(into, slot, 2);
    case ValueKind::Min:
    case ValueKind::Max: return TakeExtreme(into, slot);
    case ValueKind::Int: return AddInteger(type, into, slot);
    case ValueKind::None:
    case ValueKind::Bool:
    case ValueKind::Pointer:
    case ValueKind::Enum:
    case ValueKind::String:
    case ValueKind::Buffer:
    case ValueKind::Inet:
    case ValueKind::Mac:
    case ValueKind::Timestamp:
    case ValueKind::KernelSymbol:
    case ValueKind::UserSymbol:
    case ValueKind::KernelStack:
    case ValueKind::UserStack:
    case ValueKind::CgroupPath:
    case ValueKind::Username:
    case ValueKind::Array:
    case ValueKind::Struct:
    case ValueKind::Tuple:
    case ValueKind::Record:
    case ValueKind::Tseries:
      if (first) memcpy(into.data(), slot, into.size());
      return;
  }
  UNREACHABLE("value kind");
}

// The points of a Tseries as the value of an entry.
std::vector<uint8_t> SeriesValue(const ValueType& type, std::vector<SeriesPoint>& points) {
  TrimSeries(type, points);
  std::vector<uint8_t> value(points.size() * sizeof(SeriesPoint));
  if (!value.empty()) memcpy(value.data(), points.data(), value.size());
  return value;
}

// A scalar Tseries: element i is the slot of the intervals with that remainder.
std::vector<MapEntry> MergeScalarSeries(const ValueType& type, const RawElements& elements) {
  std::vector<SeriesPoint> points;
  for (size_t i = 0; i < elements.count; ++i) {
    const auto point = MergeSeriesSlots(type, elements.Value(i), elements.stride());
    if (point) points.push_back(*point);
  }
  return points.empty() ? std::vector<MapEntry>() : std::vector<MapEntry>{MapEntry{{}, SeriesValue(type, points)}};
}

// Keyed Tseries: elements {key, padding, remainder} are grouped by key, in order of first appearance.
std::vector<MapEntry> GroupSeries(const image::Image& image, const image::MapSpec& spec, const RawElements& elements) {
  const ValueType& type = image.types[spec.value];
  const uint32_t key_size = image.types[spec.key].size;
  std::vector<MapEntry> entries;
  std::vector<std::vector<SeriesPoint>> points;
  std::unordered_map<std::string, size_t> index;
  for (size_t i = 0; i < elements.count; ++i) {
    const std::span<const uint8_t> key = elements.Key(i);
    const auto [found, is_new] = index.try_emplace(std::string(key.begin(), key.begin() + key_size), entries.size());
    if (is_new) {
      entries.push_back(MapEntry{key.first(key_size), {}});
      points.emplace_back();
    }
    const auto point = MergeSeriesSlots(type, elements.Value(i), elements.stride());
    if (point) points[found->second].push_back(*point);
  }
  for (size_t i = 0; i < entries.size(); ++i) entries[i].value = SeriesValue(type, points[i]);
  return entries;
}

// A scalar Hist or Lhist: element i is bucket i. Never set when all are zero.
std::vector<MapEntry> MergeScalarBuckets(const ValueType& type, const RawElements& elements) {
  MapEntry entry;
  entry.value.Zero(size_t{BucketCount(type)} * 8);
  bool set = false;
  for (size_t i = 0; i < elements.count; ++i) {
    uint32_t bucket;
    memcpy(&bucket, elements.Key(i).data(), sizeof bucket);
    const uint64_t count = Load64(MergeSlots(type, elements.Value(i), elements.stride()).data());
    if (count == 0 || bucket >= BucketCount(type)) continue;
    Store64(&entry.value[size_t{bucket} * 8], count);
    set = true;
  }
  return set ? std::vector<MapEntry>{std::move(entry)} : std::vector<MapEntry>();
}

// A scalar aggregate: one element whose slots are followed by a word that tells whether they were set.
std::vector<MapEntry> MergeScalar(const ValueType& type, const RawElements& elements) {
  if (elements.count == 0) return {};
  const std::span<const uint8_t> slots = elements.Value(0);
  bool set = false;
  for (size_t at = 0; at < slots.size(); at += elements.stride()) set = set || Load64(&slots[at + type.size]) != 0;
  if (!set) return {};
  return {MapEntry{{}, MergeSlots(type, slots, elements.stride())}};
}

// Keyed Hist or Lhist: elements {key, padding, bucket} are grouped by key, in order of first appearance.
std::vector<MapEntry> GroupBuckets(const image::Image& image, const image::MapSpec& spec, const RawElements& elements) {
  const ValueType& type = image.types[spec.value];
  const uint32_t key_size = image.types[spec.key].size;
  const size_t bucket_at = BucketKeyBytes(key_size) - 8;
  std::vector<MapEntry> entries;
  std::unordered_map<std::string, size_t> index;
  for (size_t i = 0; i < elements.count; ++i) {
    const std::span<const uint8_t> key = elements.Key(i);
    const uint64_t bucket = Load64(&key[bucket_at]);
    if (bucket >= BucketCount(type)) continue;
    const auto [found, is_new] = index.try_emplace(std::string(key.begin(), key.begin() + key_size), entries.size());
    if (is_new) {
      entries.push_back(MapEntry{key.first(key_size), {}});
      entries.back().value.Zero(size_t{BucketCount(type)} * 8);
    }
    Store64(&entries[found->second].value[bucket * 8], Load64(MergeSlots(type, elements.Value(i), elements.stride()).data()));
  }
  return entries;
}

}  // namespace

uint32_t BucketCount(const ValueType& value) {
  if (value.kind == ValueKind::Hist) return image::HistBuckets(value.hist_bits);
  if (value.kind == ValueKind::Lhist) return image::LhistBuckets(value.lhist_min, value.lhist_max, value.lhist_step);
  if (value.kind == ValueKind::Tseries) return value.series_length;
  return 0;
}

SmallBytes MergeSlots(const ValueType& value, std::span<const uint8_t> slots, size_t stride) {
  SmallBytes merged;
  merged.Zero(value.size);
  for (size_t at = 0; at + value.size <= slots.size(); at += stride) MergeSlot(value, merged, &slots[at], at == 0);
  return merged;
}

RawElements OfEpoch(const image::Image& image, const image::MapSpec& spec, RawElements elements, uint64_t epoch) {
  const bool array = spec.storage == image::MapStorage::PerCpuArray;
  const uint32_t in_front = array ? 0 : sizeof epoch;
  const uint32_t per_copy = std::max(BucketCount(image.types[spec.value]), 1u);
  const uint32_t first = static_cast<uint32_t>(epoch % image::kEpochCopies) * per_copy;
  const uint32_t key_size = elements.key_size - in_front;
  const size_t bytes = elements.stride() * elements.slots;
  size_t kept = 0;  // they move to the front, so that nothing is copied twice
  for (size_t i = 0; i < elements.count; ++i) {
    const std::span<const uint8_t> key = elements.Key(i);
    uint8_t* to = &elements.keys[kept * key_size];
    if (array) {
      uint32_t index;
      memcpy(&index, key.data(), sizeof index);
      if (index < first || index >= first + per_copy) continue;
      index -= first;
      memcpy(to, &index, sizeof index);
    } else {
      if (Load64(key.data()) != epoch) continue;
      memmove(to, &key[in_front], key_size);
    }
    if (kept != i) memmove(&elements.values[kept * bytes], elements.Value(i).data(), bytes);
    ++kept;
  }
  elements.key_size = key_size;
  elements.count = kept;
  return elements;
}

std::vector<MapEntry> MergeElements(const image::Image& image, const image::MapSpec& spec, const RawElements& elements) {
  const ValueType& type = image.types[spec.value];
  const bool buckets = BucketCount(type) > 0;
  const bool series = type.kind == ValueKind::Tseries;
  std::vector<MapEntry> entries;
  switch (spec.storage) {
    case image::MapStorage::Global: break;  // is not made of elements
    case image::MapStorage::PerCpuArray:
      if (series) return MergeScalarSeries(type, elements);
      return buckets ? MergeScalarBuckets(type, elements) : MergeScalar(type, elements);
    case image::MapStorage::Hash:
      entries.reserve(elements.count);
      for (size_t i = 0; i < elements.count; ++i) entries.push_back({elements.Key(i), elements.Value(i)});
      break;
    case image::MapStorage::PerCpuHash:
      if (series) return GroupSeries(image, spec, elements);
      if (buckets) return GroupBuckets(image, spec, elements);
      entries.reserve(elements.count);
      for (size_t i = 0; i < elements.count; ++i) {
        entries.push_back({elements.Key(i), MergeSlots(type, elements.Value(i), elements.stride())});
      }
      break;
  }
  return entries;
}

}  // namespace kawk
