// Whatever happens to the bytes of an entry: it is whole, or nothing.
#include "cache/entry.h"

#include <gtest/gtest.h>

#include "cache/key.h"

namespace kawk {
namespace {

Digest DigestOf(const std::string& text) {
  Sha256 sum;
  sum.Add(text.data(), text.size());
  return sum.Finish();
}

CacheEntry Sample() {
  return {.key = DigestOf("key"),
          .facts = {{FactKind::File, {"/etc/passwd"}, DigestOf("a")}, {FactKind::Modules, {}, DigestOf("b")}},
          .messages = "WARNING: so\n",
          .image = {9, 8, 7, 0, 1}};
}

TEST(Sha256, KnownDigests) {
  EXPECT_EQ(Hex(DigestOf("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Hex(DigestOf("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Hex(DigestOf(std::string(1'000'000, 'a'))), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  // In parts of any length as in one piece.
  for (size_t part : {1, 7, 55, 56, 63, 64, 65, 119, 200}) {
    Sha256 sum;
    const std::string text(1'000, 'x');
    for (size_t at = 0; at < text.size(); at += part) sum.Add(text.data() + at, std::min(part, text.size() - at));
    EXPECT_EQ(sum.Finish(), DigestOf(text)) << part;
  }
}

TEST(CacheEntry, RoundTrip) {
  const CacheEntry entry = Sample();
  const std::optional<CacheEntry> again = UnpackEntry(PackEntry(entry), entry.key);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->messages, entry.messages);
  EXPECT_EQ(again->image, entry.image);
  ASSERT_EQ(again->facts.size(), 2u);
  EXPECT_EQ(again->facts[0].kind, FactKind::File);
  EXPECT_EQ(again->facts[0].arguments, std::vector<std::string>{"/etc/passwd"});
  EXPECT_EQ(again->facts[1].answer, DigestOf("b"));
}

TEST(CacheEntry, AnotherKey) { EXPECT_FALSE(UnpackEntry(PackEntry(Sample()), DigestOf("another"))); }

TEST(CacheEntry, EveryChangedBitAndEveryCut) {
  const std::vector<uint8_t> bytes = PackEntry(Sample());
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::vector<uint8_t> changed = bytes;
      changed[at] ^= static_cast<uint8_t>(1 << bit);
      EXPECT_FALSE(UnpackEntry(changed, DigestOf("key"))) << at << ":" << bit;
    }
    EXPECT_FALSE(UnpackEntry({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(at)}, DigestOf("key"))) << at;
  }
  std::vector<uint8_t> longer = bytes;
  longer.push_back(0);
  EXPECT_FALSE(UnpackEntry(longer, DigestOf("key")));
}

TEST(CacheKey, DependsOnWordsAndEnvironment) {
  Result<Digest> key = CacheKey({"a", "b"});
  if (!key) GTEST_SKIP() << key.error().message;
  EXPECT_EQ(*CacheKey({"a", "b"}), *key);
  EXPECT_NE(*CacheKey({"ab"}), *key);
  EXPECT_NE(*CacheKey({"a", "b", ""}), *key);
  EXPECT_NE(*CacheKey({"b", "a"}), *key);
  ASSERT_EQ(setenv("BPFTRACE_MAX_STRLEN", "65", 1), 0);
  const Digest with = *CacheKey({"a", "b"});
  EXPECT_NE(with, *key);
  ASSERT_EQ(setenv("BPFTRACE_MAX_STRLEN", "66", 1), 0);
  EXPECT_NE(*CacheKey({"a", "b"}), with);
  ASSERT_EQ(unsetenv("BPFTRACE_MAX_STRLEN"), 0);
  EXPECT_EQ(*CacheKey({"a", "b"}), *key);
  ASSERT_EQ(setenv("KAWK_BTF", "/nosuch", 1), 0);
  EXPECT_NE(*CacheKey({"a", "b"}), *key);
  ASSERT_EQ(unsetenv("KAWK_BTF"), 0);
}

TEST(CacheKey, BuildId) { EXPECT_EQ(OwnBuildId().size(), 20u); }

}  // namespace
}  // namespace kawk
