// Values of every kind as text and JSON. Expectations are what bpftrace 0.27 prints, but where a comment says otherwise.
#include <nlohmann/json.hpp>

#include "runtime/clock.h"
#include "runtime/order.h"
#include "tests/runtime/image_builder.h"

namespace kawk {
namespace {

struct ValueCase {
  const char* name;
  TypeIndex type;
  Data bytes;
  std::string text;
  std::string json;
};

class Values : public testing::Test {
 protected:
  Builder b;
  FakeStacks stacks;

  void Check(const std::vector<ValueCase>& cases) {
    Symbols symbols(b.image.config);
    const ValuePrinter printer(b.image, symbols, stacks, false);
    for (const ValueCase& c : cases) {
      std::string text, json;
      printer.Text(c.type, c.bytes, text);
      printer.Json(c.type, c.bytes, json);
      EXPECT_EQ(text, c.text) << c.name;
      EXPECT_EQ(json, c.json) << c.name;
      EXPECT_TRUE(nlohmann::json::accept(json)) << c.name << ": " << json;
    }
  }
};

TEST_F(Values, Scalars) {
  const TypeIndex color = b.Enum(4, {{"RED", 1}, {"GREEN", 2}});
  const TypeIndex pointer = b.Kind(ValueKind::Pointer, 8);
  Check({
      {"nothing", 0, {}, "", "null"},
      {"true", b.Kind(ValueKind::Bool, 1), {1}, "true", "true"},
      {"false", b.Kind(ValueKind::Bool, 1), {0}, "false", "false"},
      {"uint8", b.Int(1, false), {200}, "200", "200"},
      {"int8", b.Int(1, true), {255}, "-1", "-1"},
      {"int16", b.Int(2, true), Pack<int16_t>(-300), "-300", "-300"},
      {"uint32", b.Int(4, false), Pack<uint32_t>(4294967295), "4294967295", "4294967295"},
      {"int64", b.Int(8, true), Pack<int64_t>(-5000000000), "-5000000000", "-5000000000"},
      // Numbers that no double holds are strings, so that no reader changes them.
      {"2^53", b.Int(8, false), Pack<uint64_t>(9007199254740992), "9007199254740992", "9007199254740992"},
      {"2^53 + 1", b.Int(8, false), Pack<uint64_t>(9007199254740993), "9007199254740993", "\"9007199254740993\""},
      {"2^53 + 2", b.Int(8, false), Pack<uint64_t>(9007199254740994), "9007199254740994", "9007199254740994"},
      {"-2^53 - 1", b.Int(8, true), Pack<int64_t>(-9007199254740993), "-9007199254740993", "\"-9007199254740993\""},
      {"2^63", b.Int(8, false), Pack<uint64_t>(1ull << 63), "9223372036854775808", "9223372036854775808"},
      {"2^63 - 1", b.Int(8, false), Pack<uint64_t>(INT64_MAX), "9223372036854775807", "\"9223372036854775807\""},
      {"int64 min", b.Int(8, true), Pack(INT64_MIN), "-9223372036854775808", "-9223372036854775808"},
      {"pointer", pointer, Pack<uint64_t>(4096), "0x1000", "4096"},
      {"null", pointer, Pack<uint64_t>(0), "0x0", "0"},
      {"enum", color, Pack<uint32_t>(2), "GREEN", "2"},
      {"enum without a name", color, Pack<uint32_t>(7), "7", "7"},
      {"short bytes", b.Int(8, false), {1, 2}, "0", "0"},
      {"no bytes", b.Int(4, true), {}, "0", "0"},
  });
}

TEST_F(Values, Strings) {
  Check({
      {"string", b.String(8), Padded("hi", 8), "hi", "\"hi\""},
      {"empty", b.String(8), Padded("", 8), "", "\"\""},
      {"full", b.String(4), Chars("abcd"), "abcd", "\"abcd\""},
      {"cut", b.String(5, true), Padded("abcd", 5), "abcd..", "\"abcd..\""},
      {"not cut", b.String(6, true), Padded("abcd", 6), "abcd", "\"abcd\""},
      {"controls", b.String(8), Padded("x\ty\x01\"q\\", 8), "x\ty\x01\"q\\", "\"x\\ty\\u0001\\\"q\\\\\""},
      {"more controls", b.String(8), Padded("\n\r\b\f\x1b", 8), "\n\r\b\f\x1b", R"("\n\r\b\f\u001b")"},
      // The peer writes \uffffffff for such bytes, which is no JSON for what was meant.
      {"no UTF-8", b.String(8), Padded("a\xff\xc3", 8), "a\xff\xc3", R"("a\\xff\\xc3")"},
      {"UTF-8", b.String(8), Padded("\xc3\xa9\xe2\x82\xac", 8), "é€", "\"é€\""},
      {"surrogate", b.String(8), Padded("\xed\xa0\x80", 8), "\xed\xa0\x80", R"("\\xed\\xa0\\x80")"},
      {"overlong", b.String(8), Padded("\xc0\xaf", 8), "\xc0\xaf", R"("\\xc0\\xaf")"},
      // The peer shows 0xff as -1.
      {"buffer", b.Kind(ValueKind::Buffer, 12), Pack<uint32_t>(6) + Padded("ab\x01\xffz\n", 8), "ab\\x01\\xffz\\x0a",
       "[97,98,1,255,122,10]"},
      {"buffer that lies", b.Kind(ValueKind::Buffer, 6), Pack<uint32_t>(99) + Chars("ab"), "ab", "[97,98]"},
      {"buffer too short", b.Kind(ValueKind::Buffer, 6), {1, 2}, "", "[]"},
  });
}

TEST_F(Values, Addresses) {
  const Data v4 = Pack<uint32_t>(2) + Padded("\x7f\x00\x00\x01"s, 16);
  const Data v6 = Pack<uint32_t>(10) + Padded("", 15) + Data{1};
  Check({
      {"v4", b.Kind(ValueKind::Inet, 20), v4, "127.0.0.1", "\"127.0.0.1\""},
      {"v6", b.Kind(ValueKind::Inet, 20), v6, "::1", "\"::1\""},
      {"no family", b.Kind(ValueKind::Inet, 20), Padded("", 20), "", "\"\""},
      {"mac", b.Kind(ValueKind::Mac, 6), {0xff, 0, 0xa, 0xbc, 1, 2}, "FF:00:0A:BC:01:02", "\"FF:00:0A:BC:01:02\""},
      {"unknown kernel symbol", b.Kind(ValueKind::KernelSymbol, 8), Pack<uint64_t>(5), "0x5", "\"0x5\""},
      {"unknown user symbol", b.Kind(ValueKind::UserSymbol, 16), Pack<uint64_t>(5) + Pack<uint64_t>(0xffffffff), "0x5",
       "\"0x5\""},
  });
}

TEST_F(Values, Compounds) {
  const TypeIndex u8 = b.Int(1, false);
  const TypeIndex i32 = b.Int(4, true);
  const TypeIndex name = b.String(4);
  const TypeIndex inner = b.Fields(ValueKind::Struct, {i32, u8}, {"a", "b"});
  const TypeIndex pair = b.Tuple({i32, name});
  const TypeIndex nested = b.Tuple({u8, pair, b.Kind(ValueKind::Bool, 1)});
  const TypeIndex single = b.Tuple({b.Tuple({u8})});
  const TypeIndex record = b.Fields(ValueKind::Record, {u8, name, pair}, {"x", "y", "q"});
  const TypeIndex matrix = b.Array(b.Array(i32, 2), 2);
  ValueType bits;
  bits.kind = ValueKind::Struct;
  bits.size = 4;
  bits.fields = {{"low", 0, i32, 0, 3}, {"high", 0, b.Int(4, false), 3, 5}};
  const TypeIndex bitfields = b.Add(bits);
  const Data seven_c = Pack(7) + Data{99};
  Check({
      {"array", b.Array(i32, 3), Pack(0) + Pack(5) + Pack(-1), "[0,5,-1]", "[0,5,-1]"},
      {"matrix", matrix, Pack(0) + Pack(0) + Pack(9) + Pack(0), "[[0,0],[9,0]]", "[[0,0],[9,0]]"},
      {"struct", inner, seven_c, "{ .a = 7, .b = 99 }", R"({"a": 7, "b": 99})"},
      {"structs", b.Array(inner, 2), seven_c + seven_c, "[{ .a = 7, .b = 99 },{ .a = 7, .b = 99 }]",
       R"([{"a": 7, "b": 99},{"a": 7, "b": 99}])"},
      {"tuple", nested, Data{1} + Pack(-2) + Padded("b", 4) + Data{1}, "(1, (-2, b), true)", R"([1,[-2,"b"],true])"},
      {"tuples of one", single, Data{1}, "((1))", "[[1]]"},
      {"record", record, Data{1} + Padded("z", 4) + Pack(2) + Padded("c", 4), "{ .x = 1, .y = z, .q = (2, c) }",
       R"({"x": 1, "y": "z", "q": [2,"c"]})"},
      // A signed bitfield is signed, as in C; the peer shows 7.
      {"bitfields", bitfields, Pack<uint32_t>(7 | (7 << 3)), "{ .low = -1, .high = 7 }", R"({"low": -1, "high": 7})"},
      {"short array", b.Array(i32, 3), Pack(1) + Data{1}, "[1]", "[1]"},
  });
}

TEST_F(Values, Aggregates) {
  const Data stats = Pack<uint64_t>(15) + Pack<uint64_t>(2);
  const auto rank = [](int64_t value) { return Pack(static_cast<uint64_t>(value) ^ (1ull << 63)); };
  Check({
      {"count", b.Kind(ValueKind::Count, 8), Pack<uint64_t>(3), "3", "3"},
      {"sum", b.Kind(ValueKind::Sum, 8, true), Pack<int64_t>(-5), "-5", "-5"},
      {"unsigned sum", b.Kind(ValueKind::Sum, 8), Pack<int64_t>(-1), "18446744073709551615", "\"18446744073709551615\""},
      {"max", b.Kind(ValueKind::Max, 16, true), rank(-5) + Pack<uint64_t>(1), "-5", "-5"},
      {"min", b.Kind(ValueKind::Min, 16), Pack(~uint64_t{7}) + Pack<uint64_t>(1), "7", "7"},
      {"max of nothing", b.Kind(ValueKind::Max, 16, true), Padded("", 16), "0", "0"},
      {"avg", b.Kind(ValueKind::Avg, 16), stats, "7", "7"},
      {"avg below zero", b.Kind(ValueKind::Avg, 16, true), Pack<int64_t>(-7) + Pack<uint64_t>(2), "-3", "-3"},
      {"avg of nothing", b.Kind(ValueKind::Avg, 16), Padded("", 16), "0", "0"},
      {"stats", b.Kind(ValueKind::Stats, 16), stats, "{ .count = 2, .average = 7, .total = 15 }",
       R"({"count": 2, "average": 7, "total": 15})"},
  });
}

TEST_F(Values, Stacks) {
  ValueType stack;
  stack.kind = ValueKind::KernelStack;
  stack.size = sizeof(image::StackKey);
  const TypeIndex plain = b.Add(stack);
  stack.stack_mode = image::StackMode::Perf;
  const TypeIndex perf = b.Add(stack);
  stack.stack_mode = image::StackMode::Raw;
  stack.stack_limit = 1;
  const TypeIndex raw = b.Add(stack);
  stack.kind = ValueKind::UserStack;
  stack.stack_limit = 127;
  stack.stack_mode = image::StackMode::Perf;
  const TypeIndex user = b.Add(stack);
  stack.stack_mode = image::StackMode::BuildId;
  const TypeIndex build_id = b.Add(stack);
  stacks.frames[7] = {0x10, 0x20};
  const Data key = Pack(image::StackKey{7, 0xffffffff, 2});
  Check({
      {"empty", plain, Pack(image::StackKey{}), "\n", R"("\n")"},
      {"gone", plain, Pack(image::StackKey{8, 0, 2}), "\n", R"("\n")"},
      {"plain", plain, key, "\n        0x10\n        0x20\n", R"("\n        0x10\n        0x20\n")"},
      {"perf", perf, key, "\n\t10 0x10\n\t20 0x20\n", R"("\n\t10 0x10\n\t20 0x20\n")"},
      {"raw", raw, key, "\n10\n", R"("\n10\n")"},
      {"user", user, key, "\n\t10 0x10 ([unknown])\n\t20 0x20 ([unknown])\n",
       R"("\n\t10 0x10 ([unknown])\n\t20 0x20 ([unknown])\n")"},
      {"build id", build_id, key, "\n10\n20\n", R"("\n10\n20\n")"},
  });
}

// Any bytes for any kind: nothing is read beyond them (for the sanitizers to see) and the JSON is valid.
TEST_F(Values, AnyBytes) {
  std::vector<TypeIndex> types;
  const auto last = static_cast<uint8_t>(ValueKind::Tseries);
  for (uint8_t kind = 0; kind <= last; ++kind) {
    types.push_back(b.Kind(static_cast<ValueKind>(kind), 16, kind % 2 == 0));
    b.image.types.back().may_truncate = true;
  }
  for (size_t i = 0, count = types.size(); i < count; ++i) {
    types.push_back(b.Array(types[i], 2));
    types.push_back(b.Fields(ValueKind::Record, {types[i], types[(i * 7) % count]}, {"a", "\"b"}));
    types.push_back(b.Tuple({types[i], types[count]}));
  }
  Symbols symbols(b.image.config);
  const ValuePrinter printer(b.image, symbols, stacks, true);
  uint64_t state = 1;
  for (int round = 0; round < 20000; ++round) {
    const auto next = [&] { return state = state * 6364136223846793005ull + 1442695040888963407ull, state >> 33; };
    Data bytes(next() % 80);
    for (uint8_t& byte : bytes) byte = next() % 4 == 0 ? 0 : static_cast<uint8_t>(next());
    bytes.shrink_to_fit();
    const TypeIndex type = types[next() % types.size()];
    std::string text, json, key;
    printer.Text(type, bytes, text);
    printer.Json(type, bytes, json);
    printer.KeyJson(type, bytes, key);
    ASSERT_TRUE(nlohmann::json::accept(json)) << json;
    ASSERT_TRUE(nlohmann::json::accept(key)) << key;
    ASSERT_EQ(CompareValues(printer, type, bytes, bytes), 0);
  }
}

TEST_F(Values, TerminalEscapes) {
  Symbols symbols(b.image.config);
  const ValuePrinter printer(b.image, symbols, stacks, true);
  std::string text;
  printer.Text(b.String(32), Padded("a\x1b[31m\n\t\r\x7f\xff é\xc2\x9b", 32), text);
  EXPECT_EQ(text, "a\\x1b[31m\n\t\\x0d\\x7f\\xff é\\xc2\\x9b");
}

TEST(Clock, Formats) {
  setenv("TZ", "UTC", 1);
  tzset();
  const auto at = [](const char* format, int64_t ns) {
    std::string out;
    AppendTime(out, format, ns);
    return out;
  };
  EXPECT_EQ(at("%Y-%m-%d %H:%M:%S.%f", 1700000000012345678), "2023-11-14 22:13:20.012345");
  EXPECT_EQ(at("%%f %f%", 0), "%f 000000%");
  EXPECT_EQ(at("", 0), "");
  EXPECT_EQ(at("%S.%f", -1), "59.999999");
  EXPECT_EQ(at(std::string(1000, 'x').c_str(), 0), std::string(1000, 'x'));
}

TEST(Clock, OldTimeStampsKeepTheirTimeOfDay) {
  ClockPair now{100, 1000000};
  WallClock clock([&] { return now; });
  EXPECT_EQ(clock.At(50), 1000000 - 50);
  now = {200, 1000101};  // slewed by less than is worth keeping
  EXPECT_EQ(clock.At(200), 1000100);
  now = {300, 5000000};  // set
  EXPECT_EQ(clock.At(250), 5000000 - 50 - 3999800);
  EXPECT_EQ(clock.At(300), 5000000);
  now = {400, 1000000};  // and set back
  clock.Look();
  EXPECT_EQ(clock.At(350), 5000050);
  EXPECT_EQ(clock.At(401), 1000001);
  EXPECT_EQ(clock.At(100), 1000000);
}

}  // namespace
}  // namespace kawk
