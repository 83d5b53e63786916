#include "runtime/map_store.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.h"

namespace kawk {
namespace {

constexpr size_t kBatchBytes = 1 << 20;  // of the first batch; grows when one bucket of a hash does not fit
constexpr size_t kLargestBatch = 1 << 20;

// Whether the kernel does batches for this map, or elements must be taken one by one.
bool LacksBatches(int error) { return error == -EINVAL || error == -ENOTSUP || error == -ENOSYS; }

RawElements Shape(const LoadedMap& map, uint32_t slots, bool per_cpu) {
  RawElements elements;
  elements.key_size = map.key_size;
  elements.value_size = map.value_size;
  elements.slots = per_cpu ? slots : 1;
  elements.slots_aligned = per_cpu;
  return elements;
}

// Appends all elements by batches; false when the kernel has none for this map.
bool ReadByBatches(const LoadedMap& map, RawElements& elements) {
  const size_t element = elements.stride() * elements.slots;
  uint32_t capacity = static_cast<uint32_t>(std::clamp<size_t>(kBatchBytes / (element + map.key_size), 64, map.max_entries + 64));
  std::vector<uint8_t> position(std::max<size_t>(map.key_size, 8));
  std::vector<uint8_t> next(position.size());
  bool first = true;
  for (;;) {
    elements.keys.resize((elements.count + capacity) * map.key_size);
    elements.values.resize((elements.count + capacity) * element);
    uint32_t count = capacity;
    const int error = bpf_map_lookup_batch(map.fd, first ? nullptr : position.data(), next.data(),
                                           elements.keys.data() + elements.count * map.key_size,
                                           elements.values.data() + elements.count * element, &count, nullptr);
    if (error == -ENOSPC && capacity < kLargestBatch) {
      capacity *= 2;
      continue;
    }
    if (error == -EINTR || error == -EAGAIN) continue;
    if (error != 0 && error != -ENOENT) {
      if (first && LacksBatches(error)) return false;
      return true;  // what came so far is all there is
    }
    elements.count += count;
    if (error == -ENOENT) return true;
    first = false;
    position = next;
  }
}

void ReadOneByOne(const LoadedMap& map, RawElements& elements) {
  const size_t element = elements.stride() * elements.slots;
  std::vector<uint8_t> key(map.key_size), next(map.key_size);
  // Keys deleted meanwhile can make the walk start again, so it is bounded.
  for (uint64_t i = 0; i < uint64_t{map.max_entries} * 2; ++i) {
    if (bpf_map_get_next_key(map.fd, i == 0 ? nullptr : key.data(), next.data()) != 0) break;
    key = next;
    elements.keys.resize((elements.count + 1) * map.key_size);
    elements.values.resize((elements.count + 1) * element);
    memcpy(elements.keys.data() + elements.count * map.key_size, key.data(), map.key_size);
    if (bpf_map_lookup_elem(map.fd, key.data(), elements.values.data() + elements.count * element) == 0) ++elements.count;
  }
}

void DeleteAll(const LoadedMap& map, RawElements& elements) {
  uint32_t count = static_cast<uint32_t>(elements.count);
  if (count == 0) return;
  if (bpf_map_delete_batch(map.fd, elements.keys.data(), &count, nullptr) == 0) return;
  // A key that a program deleted meanwhile ends a batch; the others still have to go.
  for (size_t i = 0; i < elements.count; ++i) bpf_map_delete_elem(map.fd, elements.Key(i).data());
}

void WriteAll(const LoadedMap& map, const RawElements& elements) {
  for (size_t i = 0; i < elements.count; ++i) bpf_map_update_elem(map.fd, elements.Key(i).data(), elements.Value(i).data(), BPF_EXIST);
}

}  // namespace

RawElements MapStore::ReadElements(size_t map) const {
  const image::MapStorage storage = image_.maps[map].storage;
  const bool per_cpu = storage == image::MapStorage::PerCpuArray || storage == image::MapStorage::PerCpuHash;
  RawElements elements = Shape(object_.map(map), object_.possible_cpus(), per_cpu);
  if (!ReadByBatches(object_.map(map), elements)) ReadOneByOne(object_.map(map), elements);
  return elements;
}

MapSnapshot MapStore::ReadGlobal(const image::MapSpec& spec) const {
  MapSnapshot snapshot{&spec, {}};
  const image::ValueType& type = image_.types[spec.value];
  const uint8_t* at = object_.globals().data() + spec.global_offset;
  uint64_t set;
  memcpy(&set, at + GlobalValueBytes(type), sizeof set);
  if (set != 0) snapshot.entries.push_back(MapEntry{{}, {at, at + type.size}});
  return snapshot;
}

MapSnapshot MapStore::Read(size_t map) const {
  const image::MapSpec& spec = image_.maps[map];
  if (spec.storage == image::MapStorage::Global) return ReadGlobal(spec);
  return MapSnapshot{&spec, MergeElements(image_, spec, ReadElements(map))};
}

std::vector<MapSnapshot> MapStore::ReadAll() const {
  std::vector<MapSnapshot> snapshots;
  for (size_t i = 0; i < image_.maps.size(); ++i) snapshots.push_back(Read(i));
  return snapshots;
}

// Scalars cannot be deleted: they are zeroed, and with them, unless `keep_set`, the word that tells they were set.
void MapStore::ZeroScalar(size_t map, bool keep_set) const {
  const image::MapSpec& spec = image_.maps[map];
  const image::ValueType& type = image_.types[spec.value];
  if (spec.storage == image::MapStorage::Global) {
    memset(object_.globals().data() + spec.global_offset, 0, GlobalValueBytes(type) + (keep_set ? 0 : 8));
    return;
  }
  RawElements elements = ReadElements(map);
  if (!keep_set || BucketCount(type) > 0) {
    std::fill(elements.values.begin(), elements.values.end(), 0);
  } else {
    for (size_t at = 0; at < elements.values.size(); at += elements.stride()) memset(&elements.values[at], 0, type.size);
  }
  WriteAll(object_.map(map), elements);
}

void MapStore::Clear(size_t map) const {
  switch (image_.maps[map].storage) {
    case image::MapStorage::Global:
    case image::MapStorage::PerCpuArray: return ZeroScalar(map, false);
    case image::MapStorage::Hash:
    case image::MapStorage::PerCpuHash: {
      RawElements elements = ReadElements(map);
      return DeleteAll(object_.map(map), elements);
    }
  }
  UNREACHABLE("map storage");
}

void MapStore::Zero(size_t map) const {
  switch (image_.maps[map].storage) {
    case image::MapStorage::Global:
    case image::MapStorage::PerCpuArray: return ZeroScalar(map, true);
    case image::MapStorage::Hash:
    case image::MapStorage::PerCpuHash: {
      RawElements elements = ReadElements(map);
      std::fill(elements.values.begin(), elements.values.end(), 0);
      return WriteAll(object_.map(map), elements);
    }
  }
  UNREACHABLE("map storage");
}

std::vector<uint64_t> MapStore::Frames(uint32_t stack_map, const image::StackKey& key) {
  if (key.hash == 0 || stack_map >= image_.stack_maps.size()) return {};
  const LoadedMap& map = object_.stack_map(stack_map);
  std::vector<uint64_t> frames((map.value_size + 7) / 8);
  if (map.key_size != sizeof key.hash || bpf_map_lookup_elem(map.fd, &key.hash, frames.data()) != 0) return {};
  frames.resize(std::min<size_t>(key.depth, frames.size()));
  return frames;
}

}  // namespace kawk
