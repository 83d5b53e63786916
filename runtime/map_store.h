// The script's maps in the kernel: read, cleared and zeroed. Also the stacks behind their keys. Safe in several threads.
#pragma once

#include <vector>

#include "runtime/image/image.h"
#include "runtime/loader.h"
#include "runtime/map_merge.h"
#include "runtime/output.h"

namespace kawk {

class MapStore : public StackSource {
 public:
  MapStore(const image::Image& image, const LoadedObject& object) : image_(image), object_(object) {}

  MapSnapshot Read(size_t map) const;
  std::vector<MapSnapshot> ReadAll() const;
  void Clear(size_t map) const;
  void Zero(size_t map) const;
  std::vector<uint64_t> Frames(uint32_t stack_map, const image::StackKey& key) override;

 private:
  RawElements ReadElements(size_t map) const;
  MapSnapshot ReadGlobal(const image::MapSpec& spec) const;
  void ZeroScalar(size_t map, bool keep_set) const;

  const image::Image& image_;
  const LoadedObject& object_;
};

}  // namespace kawk
