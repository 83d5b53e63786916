// hist() and lhist(). Buckets are filled as programs do; rows are what bpftrace 0.27 prints for the same calls.
#include "runtime/hist.h"

#include "runtime/image/buckets.h"
#include "tests/runtime/image_builder.h"

namespace kawk {
namespace {

constexpr const char* kFull = "|@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|";
constexpr const char* kHalf = "|@@@@@@@@@@@@@@@@@@@@@@@@@@                          |";
constexpr const char* kNone = "|                                                    |";

// The bucket of hist(n, bits), as buckets.h defines it.
uint32_t Bucket(int64_t n, uint32_t bits) {
  if (n < 0) return 0;
  const uint64_t value = static_cast<uint64_t>(n);
  if (value < (1ull << bits)) return 1 + static_cast<uint32_t>(value);
  const uint32_t m = 63 - static_cast<uint32_t>(__builtin_clzll(value));
  return 1 + ((m - bits + 1) << bits) + (static_cast<uint32_t>(value >> (m - bits)) & ((1u << bits) - 1));
}

Data Counts(const std::map<uint32_t, uint64_t>& buckets, uint32_t size) {
  std::vector<uint64_t> counts(size);
  for (const auto& [bucket, count] : buckets) counts.at(bucket) = count;
  Data data(size * sizeof(uint64_t));
  std::memcpy(data.data(), counts.data(), data.size());
  return data;
}

Data HistOf(const std::vector<int64_t>& values, uint32_t bits) {
  std::map<uint32_t, uint64_t> buckets;
  for (const int64_t value : values) ++buckets[Bucket(value, bits)];
  return Counts(buckets, image::HistBuckets(bits));
}

ValueType HistType(uint32_t bits) {
  ValueType type;
  type.kind = ValueKind::Hist;
  type.size = 8;
  type.hist_bits = bits;
  return type;
}

// Labels of the rows, joined; zero rows between are left out.
std::string Labels(const ValueType& type, const Data& buckets) {
  std::string labels;
  for (const HistRow& row : HistRows(type, buckets, 0)) {
    if (row.count > 0) labels += (labels.empty() ? "" : " ") + row.label;
  }
  return labels;
}

std::string Text(const ValueType& type, const Data& buckets, uint64_t div = 0) {
  std::string text;
  AppendHistText(text, HistRows(type, buckets, div));
  return text;
}

std::string Json(const ValueType& type, const Data& buckets, uint64_t div = 0) {
  std::string json;
  AppendHistJson(json, HistRows(type, buckets, div));
  return json;
}

std::string Row(const std::string& label, const std::string& count, const std::string& bar) {
  std::string row = label;
  row.resize(std::max<size_t>(16, row.size()), ' ');
  return row + std::string(8 - count.size(), ' ') + count + " " + bar + "\n";
}

TEST(Hist, Rows) {
  const std::string text = Text(HistType(0), HistOf({-1, -5, 0, 1, 2, 3, 4, 512, 1024, 1500}, 0));
  EXPECT_EQ(text, Row("(..., 0)", "2", kFull) + Row("[0]", "1", kHalf) + Row("[1]", "1", kHalf) + Row("[2, 4)", "2", kFull) +
                      Row("[4, 8)", "1", kHalf) + Row("[8, 16)", "0", kNone) + Row("[16, 32)", "0", kNone) +
                      Row("[32, 64)", "0", kNone) + Row("[64, 128)", "0", kNone) + Row("[128, 256)", "0", kNone) +
                      Row("[256, 512)", "0", kNone) + Row("[512, 1K)", "1", kHalf) + Row("[1K, 2K)", "2", kFull));
}

TEST(Hist, BarsRoundDown) {
  std::vector<int64_t> values = {1, 1, 1, 2, 2, 8};
  values.insert(values.end(), 7, 4);
  const std::string text = Text(HistType(0), HistOf(values, 0));
  EXPECT_EQ(text,
            "[1]                    3 |@@@@@@@@@@@@@@@@@@@@@@                              |\n"
            "[2, 4)                 2 |@@@@@@@@@@@@@@                                      |\n"
            "[4, 8)                 7 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
            "[8, 16)                1 |@@@@@@@                                             |\n");
  EXPECT_EQ(Text(HistType(0), HistOf(values, 0), 10),
            Row("[1]", "0", kNone) + Row("[2, 4)", "0", kNone) + Row("[4, 8)", "0", kNone) + Row("[8, 16)", "0", kNone));
}

TEST(Hist, Labels) {
  struct Case {
    uint32_t bits;
    std::vector<int64_t> values;
    std::string labels;
  };
  const Case cases[] = {
      {0, {100}, "[64, 128)"},
      {0, {1 << 20, 1ll << 40, 1ll << 62}, "[1M, 2M) [1T, 2T) [4E, 8E)"},
      {0, {1 << 19, 1ll << 49}, "[512K, 1M) [512T, 1P)"},
      {1, {0, 1, 2, 3, 5, 100}, "[0] [1] [2] [3] [4, 6) [96, 128)"},
      {1, {1 << 20}, "[1024K, 1536K)"},
      {2, {5, 7, 8, 10, 1000, 1500, 2000}, "[5] [7] [8, 10) [10, 12) [896, 1024) [1280, 1536) [1792, 2048)"},
      {2, {3ll << 40, 7ll << 39, 1ll << 43}, "[3072G, 3584G) [3584G, 4T) [8T, 10T)"},
      {3, {5, 50, 1000, 2050, INT64_MAX}, "[5] [48, 52) [960, 1024) [2048, 2304) [7680P, 8E)"},
      {4,
       {33, 34, 1000, 1050, 15872, 16384, 1048575, 1 << 20},
       "[32, 34) [34, 36) [992, 1024) [1024, 1088) [15872, 16K) [16K, 17K) [992K, 1024K) [1024K, 1088K)"},
      {5, {31, 1 << 20, 1ll << 62, INT64_MAX}, "[31] [1024K, 1056K) [4096P, 4224P) [8064P, 8192P)"},
  };
  for (const Case& c : cases) EXPECT_EQ(Labels(HistType(c.bits), HistOf(c.values, c.bits)), c.labels) << c.bits;
}

// Every value lies in the row of its bucket, and rows leave no gaps.
TEST(Hist, RowsAreTheInverseOfBuckets) {
  for (uint32_t bits = 0; bits <= 5; ++bits) {
    for (uint32_t shift = 0; shift < 63; ++shift) {
      for (const int64_t near : {-1, 0, 1}) {
        const int64_t value = (int64_t{1} << shift) + near;
        const std::vector<HistRow> rows = HistRows(HistType(bits), HistOf({value}, bits), 0);
        ASSERT_EQ(rows.size(), 1u);
        EXPECT_LE(*rows[0].min, value) << bits;
        EXPECT_GE(*rows[0].max, value) << bits;
      }
    }
    const std::vector<HistRow> all = HistRows(HistType(bits), HistOf({-1, INT64_MAX}, bits), 0);
    for (size_t i = 1; i < all.size(); ++i) ASSERT_EQ(*all[i].min, *all[i - 1].max + 1) << bits;
  }
}

TEST(Hist, Json) {
  EXPECT_EQ(Json(HistType(0), HistOf({-1, 0, 3}, 0)),
            "[{\"max\": -1, \"count\": 1},{\"min\": 0, \"max\": 0, \"count\": 1},{\"min\": 1, \"max\": 1, \"count\": 0},"
            "{\"min\": 2, \"max\": 3, \"count\": 1}]");
  EXPECT_EQ(Json(HistType(0), HistOf({1ll << 62}, 0)),
            "[{\"min\": 4611686018427387904, \"max\": \"9223372036854775807\", \"count\": 1}]");
  EXPECT_EQ(Json(HistType(0), HistOf({}, 0)), "[]");
  // The largest unsigned numbers have a row of their own; the peer counts them as negative.
  const Data largest = Counts({{65, 1}}, image::HistBuckets(0));
  EXPECT_EQ(Labels(HistType(0), largest), "[8E, 16E)");
  EXPECT_EQ(Json(HistType(0), largest), "[{\"min\": 9223372036854775808, \"max\": \"18446744073709551615\", \"count\": 1}]");
}

ValueType LhistType(int64_t min, int64_t max, int64_t step) {
  ValueType type;
  type.kind = ValueKind::Lhist;
  type.lhist_min = min;
  type.lhist_max = max;
  type.lhist_step = step;
  return type;
}

std::string LhistLabels(int64_t min, int64_t max, int64_t step, const std::vector<int64_t>& values) {
  std::map<uint32_t, uint64_t> buckets;
  const uint32_t count = image::LhistBuckets(min, max, step);
  for (const int64_t value : values) {
    const uint32_t bucket = value < min ? 0 : value >= max ? count - 1 : 1 + static_cast<uint32_t>((value - min) / step);
    ++buckets[bucket];
  }
  return Labels(LhistType(min, max, step), Counts(buckets, count));
}

TEST(Lhist, Labels) {
  EXPECT_EQ(LhistLabels(0, 10, 1, {5, -5, 15, 10}), "(..., 0) [5] [10, ...)");
  EXPECT_EQ(LhistLabels(0, 1000, 100, {5, 500}), "[0, 100) [500, 600)");
  EXPECT_EQ(LhistLabels(100, 200, 10, {50, 100, 250}), "(..., 100) [100, 110) [200, ...)");
  EXPECT_EQ(LhistLabels(0, 100000, 1000, {64000, 100000}), "[64000, 65000) [100000, ...)");
  EXPECT_EQ(LhistLabels(0, 10485760, 524288, {524288, 1524288}), "[512K, 1M) [1M, 1536K)");
  EXPECT_EQ(LhistLabels(0, 30720, 3072, {3072, 30000, 32000}), "[3K, 6K) [27K, 30K) [30K, ...)");
  EXPECT_EQ(LhistLabels(1000, 11240, 1024, {3000, 1000000}), "[2024, 3048) [11240, ...)");
  EXPECT_EQ(LhistLabels(1024, 8192, 512, {5, 1025, 100000}), "(..., 1024) [1024, 1536) [8192, ...)");
  EXPECT_EQ(LhistLabels(0, 2048, 1024, {5, 1025, 5000}), "[0, 1K) [1K, 2K) [2K, ...)");
  EXPECT_EQ(LhistLabels(-10, 10, 5, {-15, -7, 3}), "(..., -10) [-10, -5) [0, 5)");
  // Beyond 32 bits; the peer's boundaries wrap there.
  EXPECT_EQ(LhistLabels(1000000000, 10000000000, 1000000000, {3000000000}), "[3000000000, 4000000000)");
}

TEST(Lhist, TextAndJson) {
  const ValueType type = LhistType(0, 6, 2);
  const Data buckets = Counts({{0, 1}, {2, 2}, {4, 4}}, 5);
  EXPECT_EQ(Text(type, buckets),
            "(..., 0)               1 |@@@@@@@@@@@@@                                       |\n"
            "[0, 2)                 0 |                                                    |\n"
            "[2, 4)                 2 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |\n"
            "[4, 6)                 0 |                                                    |\n"
            "[6, ...)               4 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n");
  EXPECT_EQ(Json(type, buckets),
            "[{\"max\": -1, \"count\": 1},{\"min\": 0, \"max\": 1, \"count\": 0},{\"min\": 2, \"max\": 3, \"count\": 2},"
            "{\"min\": 4, \"max\": 5, \"count\": 0},{\"min\": 6, \"count\": 4}]");
}

TEST(Lhist, LongLabelsPushTheCount) {
  EXPECT_EQ(Text(LhistType(2000000, 2200000, 100000), Counts({{1, 1}}, 4)),
            std::string("[2000000, 2100000)       1 ") + kFull + "\n");
}

class HistMaps : public testing::Test {
 protected:
  Builder b;
  image::MapSpec spec;
  std::string Print(const std::vector<MapEntry>& entries, OutputFormat format, uint64_t top = 0) {
    const MapSnapshot map{&spec, entries};
    return Printed(b.image, format, [&](Output& out) { out.Map(map, top, 0); });
  }
};

TEST_F(HistMaps, Scalar) {
  spec = {.name = "@h", .value = b.Hist(0)};
  EXPECT_EQ(Print({{{}, HistOf({5}, 0)}}, OutputFormat::Text), "@h:\n" + Row("[4, 8)", "1", kFull) + "\n");
  EXPECT_EQ(Print({{{}, HistOf({5}, 0)}}, OutputFormat::Json),
            "{\"type\": \"hist\", \"data\": {\"@h\": [{\"min\": 4, \"max\": 7, \"count\": 1}]}}\n");
  EXPECT_EQ(Print({{{}, HistOf({}, 0)}}, OutputFormat::Text), "@h:\n\n");  // after zero()
  EXPECT_EQ(Print({{{}, HistOf({}, 0)}}, OutputFormat::Json), "{\"type\": \"hist\", \"data\": {\"@h\": []}}\n");
}

TEST_F(HistMaps, KeyedSortByTotal) {
  const TypeIndex value = b.Hist(0);
  spec = {.name = "@h", .key = b.Tuple({b.String(2), b.Int(1, true)}), .value = value};
  const std::vector<MapEntry> entries = {
      {Chars("a\0\3"s), HistOf({7, 9}, 0)}, {Chars("b\0\1"s), HistOf({5}, 0)}, {Chars("a\0\2"s), HistOf({6}, 0)}};
  const std::string last = "@h[a, 3]:\n" + Row("[4, 8)", "1", kFull) + Row("[8, 16)", "1", kFull) + "\n";
  EXPECT_EQ(Print(entries, OutputFormat::Text),
            "@h[a, 2]:\n" + Row("[4, 8)", "1", kFull) + "\n@h[b, 1]:\n" + Row("[4, 8)", "1", kFull) + "\n" + last);
  EXPECT_EQ(Print(entries, OutputFormat::Text, 1), last);
  EXPECT_EQ(Print(entries, OutputFormat::Json, 1),
            "{\"type\": \"hist\", \"data\": {\"@h\": {\"a,3\": [{\"min\": 4, \"max\": 7, \"count\": 1},{\"min\": 8, \"max\": 15, "
            "\"count\": 1}]}}}\n");
}

}  // namespace
}  // namespace kawk
