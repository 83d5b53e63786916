#include "runtime/queue.h"

namespace kawk {
namespace {

size_t BytesOf(const QueueItem& item) {
  if (const auto* chunk = std::get_if<RecordChunk>(&item)) return chunk->bytes.capacity();
  if (const auto* event = std::get_if<MapEvent>(&item)) return sizeof item + event->record.capacity();
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
