// Walking records, and the queue behind the ring.
#include "runtime/ring.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "runtime/queue.h"

namespace kawk {
namespace {

void Append(std::vector<uint8_t>& span, const std::string& record, uint32_t flags = 0) {
  const size_t start = span.size();
  span.resize(start + RingRecordBytes(static_cast<uint32_t>(record.size())));
  const uint32_t word = static_cast<uint32_t>(record.size()) | flags;
  memcpy(&span[start], &word, sizeof word);
  memcpy(&span[start + kRingHeader], record.data(), record.size());
}

std::vector<std::string> Walk(std::span<const uint8_t> span, size_t stop_after = 99) {
  std::vector<std::string> records;
  WalkRecords(span, [&](size_t, std::span<const uint8_t> record) {
    records.emplace_back(record.begin(), record.end());
    return records.size() < stop_after;
  });
  return records;
}

TEST(WalkRecords, SkipsDiscardedAndStopsAtDamage) {
  std::vector<uint8_t> span;
  Append(span, "one");
  Append(span, "discarded", kRingDiscarded);
  Append(span, "exactly8");
  Append(span, "");
  EXPECT_EQ(Walk(span), (std::vector<std::string>{"one", "exactly8", ""}));
  EXPECT_EQ(Walk(span, 1), (std::vector<std::string>{"one"}));
  span.resize(span.size() - 9);
  EXPECT_EQ(Walk(span), (std::vector<std::string>{"one"}));
  EXPECT_TRUE(Walk({}).empty());
}

TEST(Queue, KeepsOrderAndBounds) {
  Queue queue(100);
  EXPECT_TRUE(queue.HasRoom());
  queue.Push(RecordChunk{std::vector<uint8_t>(200, 1)});
  EXPECT_FALSE(queue.HasRoom());
  queue.Push(Finish{});
  EXPECT_TRUE(std::holds_alternative<RecordChunk>(queue.Pop()));
  EXPECT_FALSE(queue.Empty());
  EXPECT_TRUE(std::holds_alternative<Finish>(queue.Pop()));
  EXPECT_TRUE(queue.Empty());
  EXPECT_TRUE(queue.HasRoom());
}

TEST(Queue, PopWaits) {
  Queue queue(1 << 20);
  std::thread producer([&] {
    for (uint8_t i = 0; i < 200; ++i) queue.Push(RecordChunk{{i}});
    queue.Push(Finish{});
  });
  uint8_t expected = 0;
  for (;;) {
    QueueItem item = queue.Pop();
    const auto* chunk = std::get_if<RecordChunk>(&item);
    if (!chunk) break;
    EXPECT_EQ(chunk->bytes[0], expected++);
  }
  EXPECT_EQ(expected, 200);
  producer.join();
}

}  // namespace
}  // namespace kawk
