// From the thread that drains the ring to the one that prints: bounded in bytes, so that a slow output holds the ring up
// (which counts its losses) instead of filling memory.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "runtime/image/image.h"
#include "runtime/output.h"

namespace kawk {

// Records as they stood in the ring, with the kernel's headers; see WalkRecords.
struct RecordChunk {
  std::vector<uint8_t> bytes;
};
// print(@m), clear(@m), zero(@m): the record, and when it was taken from the ring.
struct MapEvent {
  std::vector<uint8_t> record;
  std::chrono::steady_clock::time_point drained;
};
struct Loss {
  uint32_t program;
  image::LossCause cause;
  uint64_t count;
};
struct Losses {
  std::vector<Loss> losses;
};
// The end: nothing comes after it. END has run; whether the maps are to be printed.
struct Finish {
  bool print_maps = false;
};
using QueueItem = std::variant<RecordChunk, MapEvent, Losses, Finish>;

class Queue {
 public:
  explicit Queue(size_t limit) : limit_(limit) {}

  // Never waits: a producer asks HasRoom first, and may exceed the limit by one item.
  void Push(QueueItem item);
  bool HasRoom() const;
  // Waits for the next item.
  QueueItem Pop();
  bool Empty() const;

 private:
  struct Sized {
    QueueItem item;
    size_t bytes;
  };
  const size_t limit_;
  mutable std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<Sized> items_;
  size_t bytes_ = 0;
};

}  // namespace kawk
