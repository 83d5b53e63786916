// printf conversions. Expectations are what bpftrace 0.27 prints, but where a comment says otherwise.
#include "runtime/printf.h"

#include "tests/runtime/image_builder.h"

namespace kawk {
namespace {

// "%-10s" → a piece; flags, width, precision, length, conversion as the compiler splits them.
FormatPiece Parse(const std::string& spec) {
  FormatPiece piece;
  size_t i = 1;
  while (i < spec.size() && std::string("-+ #0").find(spec[i]) != std::string::npos) piece.flags += spec[i++];
  if (isdigit(spec[i])) {
    size_t used = 0;
    piece.width = std::stoi(spec.substr(i), &used);
    i += used;
  }
  if (spec[i] == '.') {
    size_t used = 0;
    piece.precision = std::stoi(spec.substr(i + 1), &used);
    i += used + 1;
  }
  while (std::string("hljzt").find(spec[i]) != std::string::npos) piece.length += spec[i++];
  piece.conversion = spec.substr(i);
  return piece;
}

struct Case {
  const char* spec;
  TypeIndex type;
  Data bytes;
  std::string text;
};

class Printf : public testing::Test {
 protected:
  Builder b;
  TypeIndex i8 = b.Int(1, true), u8 = b.Int(1, false), i16 = b.Int(2, true), i32 = b.Int(4, true), u32 = b.Int(4, false),
            i64 = b.Int(8, true), u64 = b.Int(8, false);

  void Check(const std::vector<Case>& cases) {
    for (const Case& c : cases) {
      b.image.events.clear();
      EventSpec& event = b.Event(EventKind::Printf, {c.type});
      event.format.push_back(Parse(c.spec));
      event.format.push_back({.literal = "|"});
      const std::string text =
          Printed(b.image, OutputFormat::Text, [&](Output& out) { out.Record(event, Builder::Record(event, {c.bytes})); });
      EXPECT_EQ(text, c.text + "|") << c.spec;
    }
  }
};

TEST_F(Printf, SignednessFollowsTheType) {
  Check({
      {"%d", u8, {255}, "255"},
      {"%d", i8, {255}, "-1"},
      {"%u", i8, {255}, "4294967295"},
      {"%x", i8, {255}, "ffffffff"},
      {"%i", i8, {255}, "-1"},
      {"%X", i8, {255}, "FFFFFFFF"},
      {"%o", i8, {255}, "37777777777"},
      {"%d", u64, Pack<int64_t>(-1), "-1"},
      {"%u", u64, Pack<int64_t>(-1), "4294967295"},
      {"%x", u64, Pack<int64_t>(-1), "ffffffff"},
      {"%d", u32, Pack<int32_t>(-1), "-1"},
      {"%u", u32, Pack<int32_t>(-1), "4294967295"},
      {"%d", i16, Pack<int16_t>(-1), "-1"},
      {"%llu", i8, {255}, "18446744073709551615"},
      {"%llx", i8, {255}, "ffffffffffffffff"},
      {"%lld", u64, Pack<int64_t>(-1), "-1"},
  });
}

TEST_F(Printf, LengthCuts) {
  Check({
      {"%hhd", i16, Pack<int16_t>(300), "44"},
      {"%hd", i32, Pack(70000), "4464"},
      {"%hhu", i16, Pack<int16_t>(300), "44"},
      {"%hu", i32, Pack(70000), "4464"},
      {"%hhx", i8, {255}, "ff"},
      {"%hhd", u8, {255}, "-1"},
      {"%zu", u64, Pack<uint64_t>(5), "5"},
      {"%jd", u64, Pack<uint64_t>(5), "5"},
  });
}

// The peer cuts these to 32 bits and prints what is left: -1985229329, 705032704, …
TEST_F(Printf, WideNumbersAreShownInFull) {
  const Data wide = Pack<uint64_t>(0x123456789abcdef);
  Check({
      {"%d", u64, wide, "81985529216486895"},
      {"%u", u64, wide, "81985529216486895"},
      {"%x", u64, wide, "123456789abcdef"},
      {"%d", i64, Pack<int64_t>(-5000000000), "-5000000000"},
      {"%d", i64, Pack<int64_t>(3000000000), "3000000000"},
      {"%d", u64, Pack<uint64_t>(1ull << 63), "9223372036854775808"},
  });
}

TEST_F(Printf, FlagsAndWidth) {
  Check({
      {"%5d", i8, {42}, "   42"},
      {"%-5d", i8, {42}, "42   "},
      {"%05d", i8, {42}, "00042"},
      {"%+d", i8, {42}, "+42"},
      {"%+u", i8, {42}, "42"},
      {"%#x", i8, {42}, "0x2a"},
      {"%#X", i8, {42}, "0X2A"},
      {"%#o", i8, {42}, "052"},
      {"%#x", i8, {0}, "0"},
      {"%-#10x", i8, {42}, "0x2a      "},
      {"%2d", i16, Pack<int16_t>(1234), "1234"},
      {"%10llx", u64, Pack<uint64_t>(255), "        ff"},
      // As in C. The peer drops the blank, prints 0000000-42, and ignores precision.
      {"% d", i8, {42}, " 42"},
      {"%010d", i8, Pack<int8_t>(-42), "-000000042"},
      {"%#08x", i8, {42}, "0x00002a"},
      {"%.3d", i8, {5}, "005"},
      {"%8.3d", i8, {5}, "     005"},
      {"%-8.3d", i8, {5}, "005     "},
  });
}

TEST_F(Printf, StringsAndCharacters) {
  const TypeIndex s = b.String(64);
  Check({
      {"%s", s, Chars("hello"), "hello"},
      {"%10s", s, Chars("hello"), "     hello"},
      {"%-10s", s, Chars("hello"), "hello     "},
      {"%3s", s, Chars("hello"), "hello"},
      // As in C; the peer ignores precision.
      {"%.3s", s, Chars("hello"), "hel"},
      {"%-10.2s", s, Chars("hello"), "he        "},
      {"%-10.10s", s, Chars("hello"), "hello     "},
      {"%s", s, Chars("a\0b"s), "a"},
      {"%s", i8, {5}, "5"},
      {"%5s", i8, {5}, "    5"},
      {"%s", u64, Pack<uint64_t>(997366106035), "997366106035"},
      {"%c", i8, {65}, "A"},
      {"%c", i16, Pack<int16_t>(0x141), "A"},
      {"%5c", i8, {66}, "    B"},
      {"%-5c", i8, {67}, "C    "},
      {"%c", u8, {200}, "\xc8"},
  });
}

TEST_F(Printf, BoolsEnumsPointers) {
  const TypeIndex boolean = b.Kind(ValueKind::Bool, 1);
  const TypeIndex color = b.Enum(4, {{"RED", 1}});
  const TypeIndex pointer = b.Kind(ValueKind::Pointer, 8);
  Check({
      {"%s", boolean, {1}, "true"},
      {"%10s", boolean, {0}, "     false"},
      {"%d", boolean, {1}, "1"},
      {"%u", boolean, {0}, "0"},
      {"%s", color, Pack(1), "RED"},
      {"%-10s", color, Pack(1), "RED       "},
      {"%d", color, Pack(1), "1"},
      {"%p", pointer, Pack<uint64_t>(4096), "0x1000"},
      {"%p", i8, {0}, "0"},
      {"%20p", pointer, Pack<uint64_t>(4096), "              0x1000"},
      {"%-8p", i8, {1}, "0x1     "},
      {"%d", pointer, Pack<uint64_t>(5), "5"},
      {"%x", pointer, Pack<uint64_t>(5), "5"},
  });
}

TEST_F(Printf, Buffers) {
  const TypeIndex buffer = b.Kind(ValueKind::Buffer, 64);
  const Data bytes = Chars("ab\x01\xffz");
  Check({
      {"%r", buffer, bytes, "ab\\x01\\xffz"},
      {"%rx", buffer, bytes, "\\x61\\x62\\x01\\xff\\x7a"},
      {"%rh", buffer, bytes, "61 62 01 ff 7a"},
      {"%20r", buffer, bytes, "         ab\\x01\\xffz"},
      {"%-20rh", buffer, bytes, "61 62 01 ff 7a      "},
      {"%r", buffer, {}, ""},
  });
}

TEST_F(Printf, GfpFlags) {
  Check({
      {"%gr", i32, Pack(0xcc0), "GFP_KERNEL"},
      {"%gr", i32, Pack(0), "0"},
      {"%gr", i32, Pack(0x400cc0), "GFP_KERNEL_ACCOUNT"},
      {"%30gr", i32, Pack(0x100), "                    __GFP_ZERO"},
      {"%gr", u64, Pack<uint64_t>(0x52dc0), "GFP_KERNEL|__GFP_ZERO|__GFP_NOWARN|__GFP_NORETRY|__GFP_COMP"},
      {"%gr", u32, Pack<uint32_t>(0xffffffff),
       "GFP_TRANSHUGE|GFP_ATOMIC|GFP_DMA|GFP_DMA32|__GFP_RECLAIMABLE|__GFP_ZERO|__GFP_WRITE|__GFP_RETRY_MAYFAIL|__GFP_NOFAIL|__"
       "GFP_NORETRY|"
       "__GFP_MEMALLOC|__GFP_THISNODE|__GFP_ACCOUNT|__GFP_ZEROTAGS|__GFP_SKIP_ZERO|__GFP_NO_OBJ_EXT|0xf8000200"},
  });
}

TEST_F(Printf, ManyArgumentsAndJson) {
  const TypeIndex s = b.String(17, true);
  EventSpec& event = b.Event(EventKind::Printf, {u32, s, s});
  event.format.push_back({.literal = "100%: ", .conversion = "d", .arg = 0});
  event.format.push_back({.literal = " ", .conversion = "s", .arg = 2});
  event.format.push_back({.literal = " ", .conversion = "s", .arg = 1});
  event.format.push_back({.literal = "\n"});
  const Data record = Builder::Record(event, {Pack(77), Chars("comm"), Chars("0123456789abcdef")});
  const auto use = [&](Output& out) { out.Record(event, record); };
  EXPECT_EQ(Printed(b.image, OutputFormat::Text, use), "100%: 77 0123456789abcdef.. comm\n");
  EXPECT_EQ(Printed(b.image, OutputFormat::Json, use),
            "{\"type\": \"printf\", \"data\": \"100%: 77 0123456789abcdef.. comm\\n\"}\n");
}

}  // namespace
}  // namespace kawk
