// The script's maps in the kernel: read and cleared. Also the stacks behind their keys. Safe in several threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/image/image.h"
#include "runtime/loader.h"
#include "runtime/map_merge.h"
#include "runtime/output.h"

namespace kawk {

class MapStore : public StackSource {
 public:
  MapStore(const image::Image& image, const LoadedObject& object) : image_(image), object_(object) {}

  // The map as it is now, in its current epoch.
  MapSnapshot Read(size_t map) const { return Read(map, CurrentEpoch(map)); }
  // The map in this epoch. No program writes to an old one once those that may have run in it have ended: see WaitForPrograms.
  MapSnapshot Read(size_t map, uint64_t epoch) const;
  // The value that a record carries: a slot and a word that tells whether it was set.
  MapSnapshot FromRecord(size_t map, std::span<const uint8_t> slot) const;
  // 0 for maps without epochs.
  uint64_t CurrentEpoch(size_t map) const;
  // Deletes what an old epoch left.
  void Retire(size_t map, uint64_t epoch) const;
  // Deletes what is there now of this epoch: for a clear() that could not begin a new one.
  void Clear(size_t map, uint64_t epoch) const { DeleteEpoch(map, epoch); }
  std::vector<uint64_t> Frames(uint32_t stack_map, const image::StackKey& key) override;

 private:
  // The kernel's maps that hold it: one, or two by the size of keys.
  std::vector<const LoadedMap*> PartsOf(size_t map) const;
  RawElements ReadElements(size_t map, const LoadedMap& part) const;
  uint8_t* GlobalValue(const image::MapSpec& spec, uint64_t epoch) const;
  image::EpochState* EpochOf(size_t map) const;
  void ZeroScalar(size_t map, uint64_t epoch) const;
  void DeleteEpoch(size_t map, uint64_t epoch) const;

  const image::Image& image_;
  const LoadedObject& object_;
};

// Returns when every program that was running has ended.
void WaitForPrograms();

}  // namespace kawk
