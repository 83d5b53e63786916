// print(@m), clear(@m) and zero(@m) as they come from the ring, in the thread that prints: what must wait for programs to
// end does not hold up the ring. Many wait at once: one wait serves all that was sent before it began.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/image/image.h"
#include "runtime/map_store.h"
#include "runtime/output.h"

namespace kawk {

class MapEvents {
 public:
  using Clock = std::chrono::steady_clock;

  MapEvents(const image::Image& image, const MapStore& maps)
      : image_(image),
        maps_(maps),
        at_wait_(image.maps.size()),
        told_(image.maps.size()),
        shown_(image.maps.size()),
        taken_(image.maps.size()) {}

  // What print(@m) shows. A scalar is in the record. Of a map with epochs it is the epoch that was current at the call: when
  // a clear() has ended it meanwhile, all of that epoch, once nobody can add to it any more. `drained` is when the record
  // was taken from the ring.
  MapSnapshot Snapshot(const image::EventSpec& spec, std::span<const uint8_t> record, Clock::time_point drained);
  void Clear(const image::EventSpec& spec, std::span<const uint8_t> record);
  // All maps as they are now.
  std::vector<MapSnapshot> Final() const;

 private:
  // A scalar that is a sum, as it was at some moment of an epoch.
  struct Sums {
    uint64_t epoch = 0;
    SmallBytes value;  // empty: nothing yet
  };
  bool IsSum(uint32_t map) const;
  // Less what a clear() of the same epoch has taken away.
  MapSnapshot WithoutTaken(uint32_t map, uint64_t epoch, MapSnapshot snapshot) const;
  MapSnapshot ReadForPrint(const image::EventSpec& spec, std::span<const uint8_t> record, Clock::time_point drained);
  // Whether no program can write to this epoch any more.
  bool Over(uint32_t map, uint64_t epoch) const { return epoch < at_wait_[map]; }
  void Wait();

  const image::Image& image_;
  const MapStore& maps_;
  Clock::time_point last_wait_;    // when the last wait began
  std::vector<uint64_t> at_wait_;  // each map's epoch at that moment
  // Of each map the ended epochs that were shown whole, plus one, by their number modulo kEpochCopies.
  std::vector<std::array<uint64_t, image::kEpochCopies>> told_;
  // Of each map what was printed last, and what clear() has taken away where there was no new epoch to begin: clears came
  // faster than they could be followed.
  std::vector<Sums> shown_;
  std::vector<Sums> taken_;
};

}  // namespace kawk
