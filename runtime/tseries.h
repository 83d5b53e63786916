// tseries(): slots of several CPUs → points in time → a chart or JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/clock.h"
#include "runtime/image/image.h"
#include "runtime/text.h"

namespace kawk {

// One interval's number, as it stands in MapEntry::value, oldest first.
struct SeriesPoint {
  uint64_t interval;  // since the wall clock's epoch, in intervals, by the wall clock as it was set at the start
  uint64_t value;     // int64 when the type is signed
};

// One element's slots (see buckets.h); the newest interval wins. Nothing when no CPU has set it.
std::optional<SeriesPoint> MergeSeriesSlots(const image::ValueType& type, std::span<const uint8_t> slots, size_t stride);
// Sorts and drops what is older than the type keeps.
void TrimSeries(const image::ValueType& type, std::vector<SeriesPoint>& points);
std::vector<SeriesPoint> LoadSeries(Bytes value);

// "<no data>" when there are no points.
void AppendSeriesText(std::string& out, const image::ValueType& type, const std::vector<SeriesPoint>& points, WallClock& clock);
void AppendSeriesJson(std::string& out, const image::ValueType& type, const std::vector<SeriesPoint>& points, WallClock& clock);

}  // namespace kawk
