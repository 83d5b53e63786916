#include "runtime/map_events.h"

#include <algorithm>
#include <cstring>

namespace kawk {
namespace {

uint64_t EpochIn(std::span<const uint8_t> record) {
  uint64_t epoch = 0;
  if (record.size() >= image::kEpochField + sizeof epoch) memcpy(&epoch, &record[image::kEpochField], sizeof epoch);
  return epoch;
}

}  // namespace

void MapEvents::Wait() {
  last_wait_ = Clock::now();
  for (uint32_t i = 0; i < at_wait_.size(); ++i) at_wait_[i] = maps_.CurrentEpoch(i);
  WaitForPrograms();
}

MapSnapshot MapEvents::Snapshot(const image::EventSpec& spec, std::span<const uint8_t> record, Clock::time_point drained) {
  if (!spec.args.empty()) return maps_.FromRecord(spec.map, record.subspan(std::min<size_t>(spec.args[0].offset, record.size())));
  if (!image_.maps[spec.map].has_epochs) return maps_.Read(spec.map);
  const uint64_t epoch = EpochIn(record);
  // The program that printed may be about to clear; once it has ended, it has done so or will not.
  if (!Over(spec.map, epoch) && last_wait_ < drained) Wait();
  // It cleared after that wait began: others may still be adding to what they had found before.
  if (!Over(spec.map, epoch) && maps_.CurrentEpoch(spec.map) != epoch) Wait();
  return maps_.Read(spec.map, epoch);
}

// Of the epoch that was current at the call: a clear() may have ended it since.
void MapEvents::Zero(const image::EventSpec& spec, std::span<const uint8_t> record) {
  maps_.Zero(spec.map, image_.maps[spec.map].has_epochs ? EpochIn(record) : maps_.CurrentEpoch(spec.map));
}

void MapEvents::Clear(const image::EventSpec& spec, std::span<const uint8_t> record) {
  const uint64_t epoch = EpochIn(record);
  if (epoch & image::kNotCleared) return maps_.Clear(spec.map);
  if (!Over(spec.map, epoch)) Wait();
  maps_.Retire(spec.map, epoch);
}

}  // namespace kawk
