#include "runtime/queue.h"

namespace kawk {
namespace {

size_t BytesOf(const MapSnapshot& snapshot) {
  size_t bytes = 0;
  for (const MapEntry& entry : snapshot.entries) bytes += sizeof entry + entry.key.size() + entry.value.size();
  return bytes;
}

size_t BytesOf(const QueueItem& item) {
  if (const auto* chunk = std::get_if<RecordChunk>(&item)) return chunk->bytes.capacity();
  if (const auto* print = std::get_if<MapPrint>(&item)) return BytesOf(print->snapshot);
  return sizeof item;
}

}  // namespace

void Queue::Push(QueueItem item) {
  const size_t bytes = BytesOf(item);
  {
    const std::lock_guard lock(mutex_);
    items_.push_back(Sized{std::move(item), bytes});
    bytes_ += bytes;
  }
  filled_.notify_one();
}

bool Queue::HasRoom() const {
  const std::lock_guard lock(mutex_);
  return bytes_ < limit_;
}

QueueItem Queue::Pop() {
  std::unique_lock lock(mutex_);
  filled_.wait(lock, [&] { return !items_.empty(); });
  Sized next = std::move(items_.front());
  items_.pop_front();
  bytes_ -= next.bytes;
  return std::move(next.item);
}

bool Queue::Empty() const {
  const std::lock_guard lock(mutex_);
  return items_.empty();
}

}  // namespace kawk
