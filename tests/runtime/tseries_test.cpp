// Points of tseries() from the slots of several CPUs, and their chart.
#include "runtime/tseries.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <ctime>

#include "runtime/image/buckets.h"

namespace kawk {
namespace {

using image::SeriesKind;
using image::ValueType;

constexpr int64_t kSecond = 1000000000;

ValueType Series(SeriesKind kind, bool is_signed, uint64_t interval = kSecond, uint32_t length = 10) {
  ValueType type;
  type.kind = image::ValueKind::Tseries;
  type.size = image::kSeriesSlot;
  type.is_signed = is_signed;
  type.series_interval = interval;
  type.series_length = length;
  type.series_kind = kind;
  return type;
}

struct Slot {
  uint64_t interval, pair, value, count;
};

// One slot a CPU; the pair that is not the interval's own holds rubbish, as it may between two intervals.
std::vector<uint8_t> Slots(const std::vector<Slot>& cpus) {
  std::vector<uint8_t> bytes;
  for (const Slot& cpu : cpus) {
    uint64_t words[5] = {cpu.interval << 1 | cpu.pair, 77, 77, 77, 77};
    words[1 + 2 * cpu.pair] = cpu.value;
    words[2 + 2 * cpu.pair] = cpu.count;
    const auto* begin = reinterpret_cast<const uint8_t*>(words);
    bytes.insert(bytes.end(), begin, begin + sizeof words);
  }
  return bytes;
}

uint64_t Merged(const ValueType& type, const std::vector<Slot>& cpus) {
  const auto point = MergeSeriesSlots(type, Slots(cpus), image::kSeriesSlot);
  return point ? point->value : 12345;
}

TEST(TseriesTest, Merge) {
  const auto minus = [](int64_t n) { return static_cast<uint64_t>(n); };
  EXPECT_EQ(Merged(Series(SeriesKind::Sum, true), {{9, 0, 5, 1}, {9, 1, minus(-7), 2}}), minus(-2));
  EXPECT_EQ(Merged(Series(SeriesKind::Avg, true), {{9, 0, 5, 1}, {9, 1, minus(-20), 2}}), minus(-5));
  EXPECT_EQ(Merged(Series(SeriesKind::Last, false), {{9, 0, 5, 100}, {9, 1, 6, 99}}), 5u);
  // Ranks: see image::RankToValue.
  EXPECT_EQ(Merged(Series(SeriesKind::Max, false), {{9, 0, 5, 1}, {9, 0, 6, 1}}), 6u);
  EXPECT_EQ(Merged(Series(SeriesKind::Min, false), {{9, 0, ~5ull, 1}, {9, 0, ~6ull, 1}}), 5u);
  // A CPU that has not been there for a while holds an older interval.
  EXPECT_EQ(Merged(Series(SeriesKind::Sum, false), {{9, 0, 5, 1}, {8, 1, 100, 1}}), 5u);
  EXPECT_EQ(Merged(Series(SeriesKind::Sum, false), {{0, 0, 0, 0}, {0, 0, 0, 0}}), 12345u);
}

TEST(TseriesTest, OnlyTheLatestAreKept) {
  std::vector<SeriesPoint> points{{12, 1}, {3, 2}, {2, 3}, {11, 4}};
  TrimSeries(Series(SeriesKind::Last, true), points);
  ASSERT_EQ(points.size(), 3u);
  EXPECT_EQ(points[0].interval, 3u);
  EXPECT_EQ(points[2].interval, 12u);
}

class TseriesChart : public testing::Test {
 protected:
  TseriesChart() {
    setenv("TZ", "UTC", 1);
    tzset();
  }
  std::string Text(const ValueType& type, const std::vector<SeriesPoint>& points) {
    std::string out;
    AppendSeriesText(out, type, points, clock);
    return out;
  }
  std::string Json(const ValueType& type, const std::vector<SeriesPoint>& points) {
    std::string out;
    AppendSeriesJson(out, type, points, clock);
    return out;
  }
  ClockPair now{5 * kSecond, 1005 * kSecond};
  WallClock clock{[this] { return now; }};
};

TEST_F(TseriesChart, RowsGapsAndTheZeroLine) {
  EXPECT_EQ(Text(Series(SeriesKind::Last, true), {{1000, static_cast<uint64_t>(-1)}, {1002, 1}}),
            "         -1                                                  1\n"
            "hh:mm:ss |___________________________________________________|\n"
            "00:16:40 *                         .                         | -1\n"
            "00:16:41 |                         .                         | -\n"
            "00:16:42 |                         .                         * 1\n"
            "         v___________________________________________________v\n"
            "         -1                                                  1\n");
  EXPECT_EQ(Text(Series(SeriesKind::Last, true), {}), "<no data>\n");
}

TEST_F(TseriesChart, TheEndsOfTheRange) {
  const std::string text = Text(Series(SeriesKind::Last, false, 1), {{7, UINT64_MAX}});
  EXPECT_NE(text.find("18446744073709551614             18446744073709551615\n"), std::string::npos) << text;
  EXPECT_NE(text.find("00:00:00.000000007 |                                                   * 18446744073709551615\n"),
            std::string::npos)
      << text;
}

// Set forward by an hour at 20 s since boot: intervals are counted by the old setting, and shown as they were at their time.
TEST_F(TseriesChart, AfterAStepOfTheClock) {
  now = {20 * kSecond, 1020 * kSecond + 3600 * kSecond};
  clock.Look();
  EXPECT_EQ(Json(Series(SeriesKind::Last, true), {{1010, 1}, {1030, 2}}),
            R"([{"interval_start":"1970-01-01 00:16:50.000000000","value":1},)"
            R"({"interval_start":"1970-01-01 01:17:10.000000000","value":2}])");
}

}  // namespace
}  // namespace kawk
