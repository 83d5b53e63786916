#include "runtime/map_store.h"

#include <bpf/bpf.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <iterator>

#include "base/check.h"

namespace kawk {
namespace {

constexpr size_t kBatchBytes = 1 << 20;  // of the first batch; grows when one bucket of a hash does not fit
constexpr size_t kLargestBatch = 1 << 20;
constexpr size_t kMostReserved = 256 << 20;

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
  // Room in the address space for a full map, so that growing copies nothing; what is not used is never touched.
  const size_t most = size_t{map.max_entries} + capacity;
  if (most <= kMostReserved / (element + map.key_size)) {
    elements.keys.reserve(most * map.key_size);
    elements.values.reserve(most * element);
  }
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

}  // namespace

std::vector<const LoadedMap*> MapStore::PartsOf(size_t map) const {
  std::vector<const LoadedMap*> parts{&object_.map(map)};
  if (object_.short_map(map).fd >= 0) parts.push_back(&object_.short_map(map));
  return parts;
}

RawElements MapStore::ReadElements(size_t map, const LoadedMap& part) const {
  const image::MapStorage storage = image_.maps[map].storage;
  const bool per_cpu = storage == image::MapStorage::PerCpuArray || storage == image::MapStorage::PerCpuHash;
  RawElements elements = Shape(part, object_.possible_cpus(), per_cpu);
  if (!ReadByBatches(part, elements)) ReadOneByOne(part, elements);
  return elements;
}

image::EpochState* MapStore::EpochOf(size_t map) const {
  const image::MapSpec& spec = image_.maps[map];
  return spec.has_epochs ? reinterpret_cast<image::EpochState*>(object_.globals().data() + spec.epoch_offset) : nullptr;
}

uint64_t MapStore::CurrentEpoch(size_t map) const {
  image::EpochState* state = EpochOf(map);
  return state ? std::atomic_ref(state->epoch).load() : 0;
}

uint8_t* MapStore::GlobalValue(const image::MapSpec& spec, uint64_t epoch) const {
  const size_t copy = spec.has_epochs ? epoch % image::kEpochCopies : 0;
  return object_.globals().data() + spec.global_offset + copy * (GlobalValueBytes(image_.types[spec.value]) + 8);
}

MapSnapshot MapStore::FromRecord(size_t map, std::span<const uint8_t> slot) const {
  const image::MapSpec& spec = image_.maps[map];
  const image::ValueType& type = image_.types[spec.value];
  MapSnapshot snapshot{&spec, {}};
  const size_t set_at = GlobalValueBytes(type);
  uint64_t set = 0;
  if (slot.size() >= set_at + sizeof set) memcpy(&set, &slot[set_at], sizeof set);
  if (set != 0) snapshot.entries.push_back(MapEntry{{}, MergeSlots(type, slot.first(type.size), type.size)});
  return snapshot;
}

MapSnapshot MapStore::Read(size_t map, uint64_t epoch) const {
  const image::MapSpec& spec = image_.maps[map];
  if (spec.storage == image::MapStorage::Global) {
    const uint8_t* at = GlobalValue(spec, epoch);
    return FromRecord(map, {at, GlobalValueBytes(image_.types[spec.value]) + 8});
  }
  MapSnapshot snapshot{&spec, {}};
  for (const LoadedMap* part : PartsOf(map)) {
    RawElements elements = ReadElements(map, *part);
    if (spec.has_epochs) elements = OfEpoch(image_, spec, std::move(elements), epoch);
    std::vector<MapEntry> entries = MergeElements(image_, spec, elements);
    std::move(entries.begin(), entries.end(), std::back_inserter(snapshot.entries));
  }
  return snapshot;
}

// Scalars cannot be deleted: they are zeroed, and with them the word that tells they were set.
void MapStore::ZeroScalar(size_t map, uint64_t epoch) const {
  const image::MapSpec& spec = image_.maps[map];
  const image::ValueType& type = image_.types[spec.value];
  if (spec.storage == image::MapStorage::Global) {
    memset(GlobalValue(spec, epoch), 0, GlobalValueBytes(type) + 8);
    return;
  }
  const uint32_t per_copy = std::max(BucketCount(type), 1u);
  const uint32_t first = spec.has_epochs ? static_cast<uint32_t>(epoch % image::kEpochCopies) * per_copy : 0;
  RawElements elements = ReadElements(map, object_.map(map));
  for (size_t i = 0; i < elements.count; ++i) {
    uint32_t index;
    memcpy(&index, elements.Key(i).data(), sizeof index);
    if (index < first || index >= first + per_copy) continue;
    const std::vector<uint8_t> value(elements.Value(i).size());
    bpf_map_update_elem(object_.map(map).fd, &index, value.data(), BPF_EXIST);
  }
}

void MapStore::DeleteEpoch(size_t map, uint64_t epoch) const {
  const image::MapSpec& spec = image_.maps[map];
  if (spec.storage == image::MapStorage::Global || spec.storage == image::MapStorage::PerCpuArray) return ZeroScalar(map, epoch);
  for (const LoadedMap* part : PartsOf(map)) {
    RawElements elements = ReadElements(map, *part);
    if (spec.has_epochs) {
      size_t kept = 0;  // only keys are needed to delete
      for (size_t i = 0; i < elements.count; ++i) {
        uint64_t of;
        memcpy(&of, elements.Key(i).data(), sizeof of);
        if (of == epoch) memmove(&elements.keys[kept++ * elements.key_size], elements.Key(i).data(), elements.key_size);
      }
      elements.count = kept;
    }
    DeleteAll(*part, elements);
  }
}

void MapStore::Retire(size_t map, uint64_t epoch) const {
  DeleteEpoch(map, epoch);
  if (image::EpochState* state = EpochOf(map)) std::atomic_ref(state->cleaned).store(epoch + 1);
}

std::vector<uint64_t> MapStore::Frames(uint32_t stack_map, const image::StackKey& key) {
  if (key.hash == 0 || stack_map >= image_.stack_maps.size()) return {};
  const LoadedMap& map = object_.stack_map(stack_map);
  std::vector<uint64_t> frames((map.value_size + 7) / 8);
  if (map.key_size != sizeof key.hash || bpf_map_lookup_elem(map.fd, &key.hash, frames.data()) != 0) return {};
  frames.resize(std::min<size_t>(key.depth, frames.size()));
  return frames;
}

// Programs run within RCU read-side sections, whose end this call of the kernel waits for.
void WaitForPrograms() { syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0); }

}  // namespace kawk
