#include "runtime/machine.h"

#include <gtest/gtest.h>

namespace kawk {
namespace {

TEST(ParseCpuList, Rows) {
  const std::vector<std::pair<const char*, std::vector<int>>> rows = {
      {"0\n", {0}}, {"0-3\n", {0, 1, 2, 3}}, {"0-1,4,6-7\n", {0, 1, 4, 6, 7}}, {"", {}}, {"x", {}}, {"2,", {2}}, {"1-", {}},
  };
  for (const auto& [text, cpus] : rows) EXPECT_EQ(ParseCpuList(text), cpus) << text;
}

TEST(RingBytes, ByWishOrByMemory) {
  constexpr uint64_t kMiB = 1 << 20, kGiB = 1 << 30, kPage = 4096;
  EXPECT_EQ(RingBytes(0, kPage, 24 * kGiB, true), 16 * kMiB);
  EXPECT_EQ(RingBytes(0, kPage, 24 * kGiB, false), 4 * kMiB);
  EXPECT_EQ(RingBytes(0, kPage, kGiB, true), 4 * kMiB);
  EXPECT_EQ(RingBytes(0, kPage, kGiB - kMiB, true), 2 * kMiB);
  EXPECT_EQ(RingBytes(0, kPage, 16 * kMiB, true), kMiB / 4);
  EXPECT_EQ(RingBytes(0, kMiB, 16 * kMiB, true), kMiB);
  EXPECT_EQ(RingBytes(1, kPage, kGiB, true), kPage);
  EXPECT_EQ(RingBytes(3, kPage, kGiB, true), 4 * kPage);
  EXPECT_EQ(RingBytes(UINT64_MAX, kPage, kGiB, true), kGiB);
}

}  // namespace
}  // namespace kawk
