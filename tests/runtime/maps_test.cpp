// Maps as text and JSON. Expectations are what bpftrace 0.27 prints, but where a comment says otherwise.
#include "tests/runtime/image_builder.h"

namespace kawk {
namespace {

class Maps : public testing::Test {
 protected:
  Builder b;
  std::vector<image::MapSpec> specs;
  TypeIndex i64 = b.Int(8, true);
  TypeIndex name = b.String(4);

  MapSnapshot Make(const std::string& map, TypeIndex key, TypeIndex value, const std::vector<MapEntry>& entries) {
    image::MapSpec spec;
    spec.name = map;
    spec.key = key;
    spec.value = value;
    specs.reserve(64);  // snapshots point into it
    specs.push_back(spec);
    return {&specs.back(), entries};
  }
  std::string Text(const MapSnapshot& map, uint64_t top = 0, uint64_t div = 0) {
    return Printed(b.image, OutputFormat::Text, [&](Output& out) { out.Map(map, top, div); });
  }
  std::string Json(const MapSnapshot& map, uint64_t top = 0, uint64_t div = 0) {
    return Printed(b.image, OutputFormat::Json, [&](Output& out) { out.Map(map, top, div); });
  }
  MapEntry Entry(const std::string& key, int64_t value) { return {Padded(key, 4), Pack(value)}; }
};

TEST_F(Maps, Scalars) {
  EXPECT_EQ(Text(Make("@", 0, i64, {{{}, Pack<int64_t>(-5)}})), "@: -5\n");
  EXPECT_EQ(Json(Make("@", 0, i64, {{{}, Pack<int64_t>(-5)}})), "{\"type\": \"map\", \"data\": {\"@\": -5}}\n");
  EXPECT_EQ(Text(Make("@s", 0, name, {{{}, Padded("", 4)}})), "@s: \n");
  const TypeIndex avg = b.Kind(ValueKind::Avg, 16);
  const Data slot = Pack<uint64_t>(15) + Pack<uint64_t>(2);
  EXPECT_EQ(Text(Make("@a", 0, avg, {{{}, slot}})), "@a: 7\n");
  EXPECT_EQ(Json(Make("@a", 0, avg, {{{}, slot}})), "{\"type\": \"stats\", \"data\": {\"@a\": 7}}\n");
}

TEST_F(Maps, UnsetScalarsPrintAsZero) {
  EXPECT_EQ(Text(Make("@a", 0, i64, {})), "@a: 0\n");
  EXPECT_EQ(Json(Make("@a", 0, i64, {})), "{\"type\": \"map\", \"data\": {\"@a\": 0}}\n");
  EXPECT_EQ(Text(Make("@b", 0, name, {})), "@b: \n");
  EXPECT_EQ(Text(Make("@n", 0, b.Tuple({i64, i64}), {})), "@n: (0, 0)\n");
  EXPECT_EQ(Text(Make("@o", 0, b.Kind(ValueKind::Bool, 1), {})), "@o: false\n");
  EXPECT_EQ(Text(Make("@f", 0, b.Kind(ValueKind::Min, 16, true), {})), "@f: 0\n");
  EXPECT_EQ(Text(Make("@j", 0, b.Kind(ValueKind::Stats, 16), {})), "@j: { .count = 0, .average = 0, .total = 0 }\n");
  EXPECT_EQ(Text(Make("@h", 0, b.Hist(0), {})), "");
  EXPECT_EQ(Json(Make("@h", 0, b.Hist(0), {})), "");
}

TEST_F(Maps, EmptyKeyedMapsPrintNothing) {
  EXPECT_EQ(Text(Make("@x", name, i64, {})), "");
  EXPECT_EQ(Json(Make("@x", name, i64, {})), "");
}

TEST_F(Maps, SortByValueThenKey) {
  const MapSnapshot map = Make("@x", name, i64, {Entry("a", 3), Entry("d", 2), Entry("c", 2), Entry("b", -1), Entry("cc", 2)});
  EXPECT_EQ(Text(map), "@x[b]: -1\n@x[c]: 2\n@x[cc]: 2\n@x[d]: 2\n@x[a]: 3\n");
  EXPECT_EQ(Json(map), "{\"type\": \"map\", \"data\": {\"@x\": {\"b\": -1, \"c\": 2, \"cc\": 2, \"d\": 2, \"a\": 3}}}\n");
  EXPECT_EQ(Text(map, 2), "@x[d]: 2\n@x[a]: 3\n");
  EXPECT_EQ(Text(map, 1, 2), "@x[a]: 1\n");
  EXPECT_EQ(Text(map, 9, 2), "@x[b]: 0\n@x[c]: 1\n@x[cc]: 1\n@x[d]: 1\n@x[a]: 1\n");
}

TEST_F(Maps, UnsignedValuesSortUnsigned) {
  const TypeIndex u64 = b.Int(8, false);
  const MapSnapshot map = Make("@e", u64, u64, {{Pack<int64_t>(-1), Pack<int64_t>(-1)}, {Pack<int64_t>(5), Pack<int64_t>(1)}});
  EXPECT_EQ(Text(map), "@e[5]: 1\n@e[18446744073709551615]: 18446744073709551615\n");
  EXPECT_EQ(Json(map),
            "{\"type\": \"map\", \"data\": {\"@e\": {\"5\": 1, \"18446744073709551615\": \"18446744073709551615\"}}}\n");
}

TEST_F(Maps, OtherValuesSortByKey) {
  const std::vector<MapEntry> entries = {
      {Pack<int64_t>(5), Padded("b", 4)}, {Pack<int64_t>(-7), Padded("c", 4)}, {Pack<int64_t>(1000), Padded("a", 4)}};
  EXPECT_EQ(Text(Make("@m", i64, name, entries)), "@m[-7]: c\n@m[5]: b\n@m[1000]: a\n");
  EXPECT_EQ(Text(Make("@m", i64, name, entries), 1), "@m[1000]: a\n");
  EXPECT_EQ(Text(Make("@m", i64, name, entries), 1, 2), "@m[1000]: a\n");
}

TEST_F(Maps, AggregatesSortByWhatTheyShow) {
  const TypeIndex stats = b.Kind(ValueKind::Stats, 16);
  const auto slot = [](int64_t total, uint64_t count) { return Pack(total) + Pack(count); };
  const MapSnapshot map =
      Make("@z", i64, stats, {{Pack<int64_t>(2), slot(10, 1)}, {Pack<int64_t>(1), slot(11, 2)}, {Pack<int64_t>(3), slot(12, 7)}});
  EXPECT_EQ(Text(map),
            "@z[3]: { .count = 7, .average = 1, .total = 12 }\n@z[1]: { .count = 2, .average = 5, .total = 11 }\n"
            "@z[2]: { .count = 1, .average = 10, .total = 10 }\n");
  EXPECT_EQ(Text(map, 1, 3), "@z[2]: { .count = 1, .average = 3, .total = 10 }\n");
  EXPECT_EQ(Json(map, 1, 3),
            "{\"type\": \"stats\", \"data\": {\"@z\": {\"2\": {\"count\": 1, \"average\": 3, \"total\": 10}}}}\n");
  const TypeIndex avg = b.Kind(ValueKind::Avg, 16, true);
  EXPECT_EQ(Text(Make("@t", 0, avg, {{{}, slot(-7, 2)}}), 0, 2), "@t: -1\n");
  const TypeIndex min = b.Kind(ValueKind::Min, 16);
  const auto rank = [](uint64_t value) { return Pack(~value) + Pack<uint64_t>(1); };
  EXPECT_EQ(Text(Make("@m", name, min, {{Padded("a", 4), rank(8)}, {Padded("b", 4), rank(5)}}), 0, 2), "@m[b]: 2\n@m[a]: 4\n");
}

TEST_F(Maps, TupleKeys) {
  const TypeIndex i8 = b.Int(1, true);
  const TypeIndex pair = b.Tuple({i8, name});
  EXPECT_EQ(Text(Make("@b", pair, i64, {{Data{1} + Padded("x", 4), Pack<int64_t>(2)}})), "@b[1, x]: 2\n");
  EXPECT_EQ(Json(Make("@b", pair, i64, {{Data{1} + Padded("x", 4), Pack<int64_t>(2)}})),
            "{\"type\": \"map\", \"data\": {\"@b\": {\"1,x\": 2}}}\n");
  const TypeIndex nested = b.Tuple({pair, i8});
  const MapSnapshot map = Make("@tk", nested, pair,
                               {{Data{1} + Padded("b", 4) + Data{2}, Data{3} + Padded("q", 4)},
                                {Data{1} + Padded("a", 4) + Data{9}, Data{5} + Padded("q", 4)},
                                {Data{255} + Padded("a", 4) + Data{9}, Data{5} + Padded("q", 4)}});
  EXPECT_EQ(Text(map), "@tk[(-1, a), 9]: (5, q)\n@tk[(1, a), 9]: (5, q)\n@tk[(1, b), 2]: (3, q)\n");
  EXPECT_EQ(
      Json(map),
      "{\"type\": \"map\", \"data\": {\"@tk\": {\"(-1,a),9\": [5,\"q\"], \"(1,a),9\": [5,\"q\"], \"(1,b),2\": [3,\"q\"]}}}\n");
}

TEST_F(Maps, OtherKeys) {
  const Data one = Pack<int64_t>(1);
  const TypeIndex i8 = b.Int(1, true);
  const TypeIndex record = b.Fields(ValueKind::Record, {i8, name}, {"a", "b"});
  const auto both = [&](TypeIndex key, const Data& bytes) {
    const MapSnapshot map = Make("@", key, i64, {{bytes, one}});
    return Text(map) + Json(map);
  };
  const auto json = [](const std::string& key) { return "{\"type\": \"map\", \"data\": {\"@\": {\"" + key + "\": 1}}}\n"; };
  EXPECT_EQ(both(name, Padded("", 4)), "@[]: 1\n" + json(""));
  EXPECT_EQ(both(b.Tuple({i8}), {1}), "@[1]: 1\n" + json("1"));
  EXPECT_EQ(both(b.Kind(ValueKind::Bool, 1), {1}), "@[true]: 1\n" + json("true"));
  EXPECT_EQ(both(b.Enum(1, {{"RED", 1}}), {1}), "@[RED]: 1\n" + json("RED"));
  EXPECT_EQ(both(b.Kind(ValueKind::Pointer, 8), Pack<uint64_t>(4096)), "@[0x1000]: 1\n" + json("0x1000"));
  EXPECT_EQ(both(b.Array(i8, 3), {0, 5, 0}), "@[[0,5,0]]: 1\n" + json("[0,5,0]"));
  EXPECT_EQ(both(record, Data{1} + Padded("xy", 4)), "@[{ .a = 1, .b = xy }]: 1\n" + json("{.a=1,.b=xy}"));
  EXPECT_EQ(both(b.Kind(ValueKind::Buffer, 8), Pack<uint32_t>(2) + Padded("\x01z", 4)), "@[\\x01z]: 1\n" + json("\\\\x01z"));
  // The peer drops the blanks of strings, too, so that "a b" and "ab" become one key.
  EXPECT_EQ(both(name, Padded("a b", 4)), "@[a b]: 1\n" + json("a b"));
  ValueType stack;
  stack.kind = ValueKind::UserStack;
  stack.size = 16;
  EXPECT_EQ(both(b.Add(stack), Padded("", 16)), "@[\n]: 1\n" + json("\\n"));
}

TEST_F(Maps, FinalMaps) {
  const std::vector<MapSnapshot> maps = {Make("@a", 0, i64, {{{}, Pack<int64_t>(1)}}), Make("@b", name, i64, {}),
                                         Make("@c", 0, i64, {}), Make("@d", name, i64, {Entry("k", 2)})};
  const auto end = [&](Output& out) { out.FinalMaps(maps); };
  EXPECT_EQ(Printed(b.image, OutputFormat::Text, end), "\n\n@a: 1\n@d[k]: 2\n");
  EXPECT_EQ(Printed(b.image, OutputFormat::Json, end),
            "{\"type\": \"map\", \"data\": {\"@a\": 1}}\n{\"type\": \"map\", \"data\": {\"@d\": {\"k\": 2}}}\n");
  EXPECT_EQ(Printed(b.image, OutputFormat::Text, [](Output& out) { out.FinalMaps({}); }), "\n\n");
  b.image.config.print_maps_on_exit = false;
  EXPECT_EQ(Printed(b.image, OutputFormat::Text, end), "\n\n");
}

TEST_F(Maps, DamagedEntries) {
  const MapSnapshot map = Make("@x", b.Tuple({i64, name}), i64, {{{1}, {2}}, {{}, {}}});
  EXPECT_EQ(Text(map), "@x[0, ]: 0\n@x[0, ]: 0\n");
}

}  // namespace
}  // namespace kawk
