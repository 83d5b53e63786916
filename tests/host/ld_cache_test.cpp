// The loader's cache, made of bytes.
#include "host/ld_cache.h"

#include <gtest/gtest.h>

#include <cstring>

namespace kawk {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kNative = 0x0303;
#elif defined(__aarch64__)
constexpr uint32_t kNative = 0x0a03;
#else
constexpr uint32_t kNative = 0;
#endif

void Put32(std::string& bytes, uint32_t value) { bytes.append(reinterpret_cast<const char*>(&value), sizeof value); }

struct Entry {
  uint32_t flags;
  std::string name;
  std::string path;
};

std::string MakeCache(const std::vector<Entry>& entries) {
  std::string bytes = "glibc-ld.so.cache1.1";
  std::string strings;
  Put32(bytes, static_cast<uint32_t>(entries.size()));
  const size_t strings_at = 48 + 24 * entries.size();
  std::string table;
  for (const Entry& entry : entries) {
    Put32(table, entry.flags);
    Put32(table, static_cast<uint32_t>(strings_at + strings.size()));
    strings += entry.name + '\0';
    Put32(table, static_cast<uint32_t>(strings_at + strings.size()));
    strings += entry.path + '\0';
    table.append(12, '\0');
  }
  Put32(bytes, static_cast<uint32_t>(strings.size()));
  bytes.resize(48);
  return bytes + table + strings;
}

const std::vector<Entry> kEntries = {
    {kNative, "libstdc++.so.6", "/lib/libstdc++.so.6"}, {kNative ^ 0x8000, "libc.so.6", "/lib32/libc.so.6"},
    {kNative, "libc.so.6", "/lib/hwcaps/libc.so.6"},    {kNative, "libc.so.6", "/lib/libc.so.6"},
    {kNative, "libcap.so.2", "/lib/libcap.so.2"},       {kNative, "libfoo.so", "/lib/libfoo.so"},
    {kNative, "relative.so.1", "relative.so.1"},
};

TEST(LdCache, Table) {
  Result<std::vector<LdCacheEntry>> entries = ParseLdCache(MakeCache(kEntries));
  ASSERT_TRUE(entries) << entries.error().message;
  const struct {
    const char* name;
    const char* path;
  } table[] = {
      {"libc", "/lib/hwcaps/libc.so.6"},
      {"libc.so", "/lib/hwcaps/libc.so.6"},
      {"libc.so.6", "/lib/hwcaps/libc.so.6"},
      {"libcap", "/lib/libcap.so.2"},
      {"libstdc++", "/lib/libstdc++.so.6"},
      {"libfoo", "/lib/libfoo.so"},
      {"libfo", ""},
      {"libc.so.7", ""},
      {"c", ""},
      {"", ""},
      {"relative", ""},
  };
  for (const auto& row : table) {
    EXPECT_EQ(FindLibrary(*entries, row.name), row.path) << row.name;
  }
}

TEST(LdCache, BehindAnOldCache) {
  std::string bytes("ld.so-1.7.0\0", 12);
  Put32(bytes, 3);
  bytes.append(3 * 12, 'x');
  while (bytes.size() % 8 != 0) bytes += '\0';
  Result<std::vector<LdCacheEntry>> entries = ParseLdCache(bytes + MakeCache(kEntries));
  ASSERT_TRUE(entries) << entries.error().message;
  EXPECT_EQ(FindLibrary(*entries, "libcap"), "/lib/libcap.so.2");
}

TEST(LdCache, Hostile) {
  const std::string good = MakeCache(kEntries);
  std::string huge_count = good;
  std::memset(huge_count.data() + 20, 0xff, 4);
  std::string huge_old("ld.so-1.7.0\0\xff\xff\xff\xff", 16);
  for (const std::string& bytes : {std::string(), std::string("x"), std::string("glibc-ld.so.cache1.1"), huge_count, huge_old,
                                   std::string("glibc-ld.so.cache1.0") + good.substr(20), huge_old + good}) {
    EXPECT_FALSE(ParseLdCache(bytes)) << bytes.substr(0, 20);
  }
  // Cut or mangled anywhere, it ends with entries or an Error.
  for (size_t i = 0; i < good.size(); ++i) {
    const Result<std::vector<LdCacheEntry>> prefix = ParseLdCache(std::string_view(good).substr(0, i));
    std::string mangled = good;
    mangled[i] = '\xff';
    const Result<std::vector<LdCacheEntry>> changed = ParseLdCache(mangled);
    for (const auto* result : {&prefix, &changed}) {
      if (!*result) continue;
      for (const LdCacheEntry& entry : **result) EXPECT_EQ(entry.path.front(), '/');
    }
  }
}

}  // namespace
}  // namespace kawk
