#include "runtime/tseries.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "runtime/image/buckets.h"

namespace kawk {

using image::SeriesKind;
using image::ValueType;

namespace {

using Wide = __int128;

constexpr int64_t kSecond = 1000000000;
constexpr int64_t kMillisecond = 1000000;
constexpr int64_t kMicrosecond = 1000;
constexpr int kChartColumns = 52;        // the last column's number; the first is 0
constexpr int64_t kStep = kSecond / 10;  // a distance of clocks that changed by more was set, not slewed

uint64_t Load(std::span<const uint8_t> slots, size_t at) {
  uint64_t word = 0;
  memcpy(&word, &slots[at], sizeof word);
  return word;
}

// How finely times are shown, and how the column is headed.
struct Resolution {
  const char* heading;
  int digits;  // of the second's fraction
};

// By the interval, as in the peer; a single point is shown in full.
Resolution ResolutionOf(const ValueType& type, size_t rows) {
  const auto interval = static_cast<int64_t>(type.series_interval);
  if (rows > 1 && interval >= kSecond) return {"hh:mm:ss", 0};
  if (rows > 1 && interval >= kMillisecond) return {"hh:mm:ss.ms", 3};
  if (rows > 1 && interval >= kMicrosecond) return {"hh:mm:ss.μs", 6};
  return {"hh:mm:ss.ns", 9};
}

// When an interval began. If the wall clock was set meanwhile, by what it showed then.
int64_t StartOf(const ValueType& type, uint64_t interval, WallClock& clock) {
  const auto wall = static_cast<int64_t>(interval * type.series_interval);
  const int64_t boot = wall - clock.At(0);
  const int64_t now = clock.At(boot);
  return std::abs(now - wall) >= kStep ? now : wall;
}

void AppendClock(std::string& out, const char* format, int64_t wall_ns, int digits, bool utc) {
  const time_t seconds = wall_ns / kSecond;
  tm parts{};
  if ((utc ? gmtime_r(&seconds, &parts) : localtime_r(&seconds, &parts)) == nullptr) return;
  char text[64];
  out.append(text, strftime(text, sizeof text, format, &parts));
  if (digits == 0) return;
  const std::string fraction = std::to_string(wall_ns % kSecond);
  const std::string padded = std::string(9 - std::min<size_t>(fraction.size(), 9), '0') + fraction;
  out += '.';
  out.append(padded, 0, static_cast<size_t>(digits));
}

std::string Number(const ValueType& type, Wide value) {
  return type.is_signed ? std::to_string(static_cast<int64_t>(value)) : std::to_string(static_cast<uint64_t>(value));
}

Wide Widen(const ValueType& type, uint64_t value) { return type.is_signed ? Wide{static_cast<int64_t>(value)} : Wide{value}; }

// The numbers at the two ends of the chart.
struct Scale {
  Wide low, high;
  int Column(Wide value) const { return static_cast<int>((value - low) * kChartColumns / (high - low)); }
};

Scale ScaleOf(const ValueType& type, const std::vector<SeriesPoint>& points) {
  Scale scale{Widen(type, points[0].value), Widen(type, points[0].value)};
  for (const SeriesPoint& point : points) {
    scale.low = std::min(scale.low, Widen(type, point.value));
    scale.high = std::max(scale.high, Widen(type, point.value));
  }
  if (scale.low != scale.high) return scale;
  // All the same: in the middle, unless there is no number beside it.
  if (scale.low != (type.is_signed ? Wide{INT64_MIN} : Wide{0})) --scale.low;
  if (scale.high != (type.is_signed ? Wide{INT64_MAX} : Wide{UINT64_MAX})) ++scale.high;
  return scale;
}

class Chart {
 public:
  Chart(std::string& out, const ValueType& type, const std::vector<SeriesPoint>& points, WallClock& clock)
      : out_(out), type_(type), points_(points), clock_(clock), scale_(ScaleOf(type, points)) {}

  void Append() {
    const uint64_t first = points_.front().interval;
    const size_t rows = points_.back().interval - first + 1;
    resolution_ = ResolutionOf(type_, rows);
    label_columns_ = 8 + (resolution_.digits > 0 ? 1 + static_cast<size_t>(resolution_.digits) : 0);
    Ends();
    // Padded by bytes, as in the peer: the heading with a μ stands one column to the left.
    const size_t start = out_.size();
    out_ += resolution_.heading;
    PadTo(out_, start, static_cast<int>(label_columns_), true);
    out_ += " |" + std::string(kChartColumns - 1, '_') + "|\n";
    size_t next = 0;
    for (size_t row = 0; row < rows; ++row) {
      const bool set = points_[next].interval == first + row;
      Row(first + row, set ? &points_[next] : nullptr);
      if (set) ++next;
    }
    out_.append(label_columns_ + 1, ' ');
    out_ += "v" + std::string(kChartColumns - 1, '_') + "v\n";
    Ends();
  }

 private:
  // The line with the numbers at both ends.
  void Ends() {
    const std::string low = Number(type_, scale_.low);
    const std::string high = Number(type_, scale_.high);
    out_.append(label_columns_ + 1, ' ');
    out_ += low;
    const size_t width = kChartColumns + 1;
    const size_t used = low.size() + high.size();
    out_.append(used < width ? width - used : 1, ' ');
    out_ += high;
    out_ += '\n';
  }

  void Row(uint64_t interval, const SeriesPoint* point) {
    AppendClock(out_, "%H:%M:%S", StartOf(type_, interval, clock_), resolution_.digits, false);
    std::string chart = '|' + std::string(kChartColumns - 1, ' ') + '|';
    if (scale_.low < 0 && scale_.high > 0) chart[static_cast<size_t>(scale_.Column(0))] = '.';
    if (point != nullptr) chart[static_cast<size_t>(scale_.Column(Widen(type_, point->value)))] = '*';
    out_ += ' ' + chart + ' ';
    out_ += point != nullptr ? Number(type_, Widen(type_, point->value)) : "-";
    out_ += '\n';
  }

  std::string& out_;
  const ValueType& type_;
  const std::vector<SeriesPoint>& points_;
  WallClock& clock_;
  const Scale scale_;
  Resolution resolution_{};
  size_t label_columns_ = 0;
};

}  // namespace

std::optional<SeriesPoint> MergeSeriesSlots(const ValueType& type, std::span<const uint8_t> slots, size_t stride) {
  uint64_t newest = 0;
  for (size_t at = 0; at + image::kSeriesSlot <= slots.size(); at += stride) newest = std::max(newest, Load(slots, at) >> 1);
  uint64_t value = 0, count = 0;
  for (size_t at = 0; at + image::kSeriesSlot <= slots.size(); at += stride) {
    const uint64_t tag = Load(slots, at);
    const size_t pair = at + 8 + (tag & 1) * image::kSeriesPair;
    const uint64_t theirs = Load(slots, pair), weight = Load(slots, pair + 8);
    if (tag >> 1 != newest || weight == 0) continue;
    switch (type.series_kind) {
      case SeriesKind::Last:
        if (weight >= count) value = theirs;
        count = std::max(count, weight);
        break;
      case SeriesKind::Sum:
      case SeriesKind::Avg:
        value += theirs;
        count += weight;
        break;
      case SeriesKind::Min:
      case SeriesKind::Max:
        value = std::max(value, theirs);
        count = 1;
        break;
    }
  }
  if (newest == 0 || count == 0) return std::nullopt;
  if (type.series_kind == SeriesKind::Avg) value = static_cast<uint64_t>(Widen(type, value) / Wide{count});
  if (type.series_kind == SeriesKind::Min || type.series_kind == SeriesKind::Max) {
    value = image::RankToValue(value, type.series_kind == SeriesKind::Min, type.is_signed);
  }
  return SeriesPoint{newest, value};
}

void TrimSeries(const ValueType& type, std::vector<SeriesPoint>& points) {
  if (points.empty()) return;
  std::ranges::sort(points, {}, &SeriesPoint::interval);
  const uint64_t newest = points.back().interval;
  std::erase_if(points, [&](const SeriesPoint& point) { return newest - point.interval >= type.series_length; });
}

std::vector<SeriesPoint> LoadSeries(Bytes value) {
  std::vector<SeriesPoint> points(value.size() / sizeof(SeriesPoint));
  if (!points.empty()) memcpy(points.data(), value.data(), points.size() * sizeof(SeriesPoint));
  return points;
}

void AppendSeriesText(std::string& out, const ValueType& type, const std::vector<SeriesPoint>& points, WallClock& clock) {
  if (points.empty()) {
    out += "<no data>\n";
  } else {
    Chart(out, type, points, clock).Append();
  }
}

void AppendSeriesJson(std::string& out, const ValueType& type, const std::vector<SeriesPoint>& points, WallClock& clock) {
  out += '[';
  for (size_t i = 0; i < points.size(); ++i) {
    out += i == 0 ? "{\"interval_start\":\"" : ",{\"interval_start\":\"";
    AppendClock(out, "%Y-%m-%d %H:%M:%S", StartOf(type, points[i].interval, clock), 9, true);
    out += "\",\"value\":" + Number(type, Widen(type, points[i].value)) + '}';
  }
  out += ']';
}

}  // namespace kawk
