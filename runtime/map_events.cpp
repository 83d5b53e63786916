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

bool MapEvents::IsSum(uint32_t map) const {
  const image::MapSpec& spec = image_.maps[map];
  if (!spec.has_epochs || spec.key != 0) return false;
  switch (image_.types[spec.value].kind) {
    case image::ValueKind::Count:
    case image::ValueKind::Sum:
    case image::ValueKind::Avg:
    case image::ValueKind::Stats:
    case image::ValueKind::Hist:
    case image::ValueKind::Lhist: return true;
    default: return false;
  }
}

MapSnapshot MapEvents::WithoutTaken(uint32_t map, uint64_t epoch, MapSnapshot snapshot) const {
  const Sums& taken = taken_[map];
  if (taken.value.empty() || taken.epoch != epoch || snapshot.entries.empty()) return snapshot;
  SmallBytes& value = snapshot.entries[0].value;
  bool any = false;
  for (size_t at = 0; at + sizeof(uint64_t) <= std::min(value.size(), taken.value.size()); at += sizeof(uint64_t)) {
    uint64_t word, less;
    memcpy(&word, &value[at], sizeof word);
    memcpy(&less, &taken.value[at], sizeof less);
    word -= less;
    memcpy(&value[at], &word, sizeof word);
    any = any || word != 0;
  }
  if (!any) snapshot.entries.clear();
  return snapshot;
}

MapSnapshot MapEvents::Snapshot(const image::EventSpec& spec, std::span<const uint8_t> record, Clock::time_point drained) {
  // When two CPUs come to `print(@x); clear(@x);` at once, one shows what was in the epoch.
  uint64_t& told = told_[spec.map][EpochIn(record) % image::kEpochCopies];
  if (spec.whole_epoch && told == EpochIn(record) + 1) return {&image_.maps[spec.map], {}};
  MapSnapshot snapshot = ReadForPrint(spec, record, drained);
  if (spec.whole_epoch && Over(spec.map, EpochIn(record))) told = EpochIn(record) + 1;
  if (!IsSum(spec.map)) return snapshot;
  const uint64_t epoch = EpochIn(record);
  shown_[spec.map] = {epoch, snapshot.entries.empty() ? SmallBytes() : snapshot.entries[0].value};
  return WithoutTaken(spec.map, epoch, std::move(snapshot));
}

MapSnapshot MapEvents::ReadForPrint(const image::EventSpec& spec, std::span<const uint8_t> record, Clock::time_point drained) {
  if (!spec.args.empty()) return maps_.FromRecord(spec.map, record.subspan(std::min<size_t>(spec.args[0].offset, record.size())));
  if (!image_.maps[spec.map].has_epochs) return maps_.Read(spec.map);
  const uint64_t epoch = EpochIn(record);
  // The program that printed may be about to clear; once it has ended, it has done so or will not.
  if (!Over(spec.map, epoch) && last_wait_ < drained) Wait();
  // It cleared after that wait began: others may still be adding to what they had found before.
  if (!Over(spec.map, epoch) && maps_.CurrentEpoch(spec.map) != epoch) Wait();
  return maps_.Read(spec.map, epoch);
}

// Also of zero(): the program has put the keys into the new epoch.
void MapEvents::Clear(const image::EventSpec& spec, std::span<const uint8_t> record) {
  const uint64_t epoch = EpochIn(record) & ~image::kNotCleared;
  if ((EpochIn(record) & image::kNotCleared) == 0) {
    if (!Over(spec.map, epoch)) Wait();
    return maps_.Retire(spec.map, epoch);
  }
  if (!IsSum(spec.map)) return maps_.Clear(spec.map, epoch);
  // All that was printed is taken away, and no update since is lost.
  Sums& taken = taken_[spec.map];
  if (shown_[spec.map].epoch == epoch && !shown_[spec.map].value.empty()) {
    taken = shown_[spec.map];
  } else if (const MapSnapshot now = maps_.Read(spec.map, epoch); !now.entries.empty()) {
    taken = {epoch, now.entries[0].value};
  }
}

std::vector<MapSnapshot> MapEvents::Final() const {
  std::vector<MapSnapshot> snapshots;
  for (uint32_t i = 0; i < image_.maps.size(); ++i) snapshots.push_back(WithoutTaken(i, maps_.CurrentEpoch(i), maps_.Read(i)));
  return snapshots;
}

}  // namespace kawk
