#include "runtime/ring.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "runtime/machine.h"

namespace kawk {
namespace {

// Positions and headers are shared with the kernel.
std::atomic_ref<uint64_t> SharedWord(uint8_t* page) { return std::atomic_ref<uint64_t>(*reinterpret_cast<uint64_t*>(page)); }

}  // namespace

Result<std::unique_ptr<Ring>> Ring::Open(int fd, size_t size) {
  std::unique_ptr<Ring> ring(new Ring);
  ring->page_ = PageSize();
  ring->size_ = size;
  void* consumer = mmap(nullptr, ring->page_, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (consumer == MAP_FAILED) return Error{fmt::format("cannot map the ring buffer: {}", strerror(errno)), "", errno};
  ring->consumer_ = static_cast<uint8_t*>(consumer);
  // The kernel would map the data twice in a row, so that no record wraps; but each mapped page costs at start and at end.
  void* producer = mmap(nullptr, ring->page_ + size, PROT_READ, MAP_SHARED, fd, static_cast<off_t>(ring->page_));
  if (producer == MAP_FAILED) return Error{fmt::format("cannot map the ring buffer: {}", strerror(errno)), "", errno};
  ring->producer_ = static_cast<uint8_t*>(producer);
  ring->data_ = ring->producer_ + ring->page_;
  return ring;
}

Ring::~Ring() {
  if (consumer_) munmap(consumer_, page_);
  if (producer_) munmap(producer_, page_ + size_);
}

uint64_t Ring::produced() const { return SharedWord(producer_).load(std::memory_order_acquire); }
uint64_t Ring::consumed() const { return SharedWord(consumer_).load(std::memory_order_relaxed); }
bool Ring::Empty() const { return consumed() == produced(); }

std::span<const uint8_t> Ring::Peek(size_t limit) {
  const uint64_t begin = consumed();
  const uint64_t end = produced();
  const size_t start = begin & (size_ - 1);
  size_t length = 0;
  while (begin + length < end && length < limit) {
    // The producer clears the busy flag after the record's bytes are in place.
    auto* header = const_cast<uint32_t*>(reinterpret_cast<const uint32_t*>(data_ + start + length));
    const uint32_t word = std::atomic_ref<uint32_t>(*header).load(std::memory_order_acquire);
    if (word & kRingBusy) break;
    const size_t bytes = RingRecordBytes(word);
    const size_t room = size_ - start - length;
    if (bytes > room) {
      if (length > 0) break;
      wrapped_.assign(data_ + start, data_ + size_);
      wrapped_.insert(wrapped_.end(), data_, data_ + bytes - room);
      return wrapped_;
    }
    length += bytes;
    if (bytes == room) break;
  }
  return {data_ + start, length};
}

void Ring::Advance(size_t bytes) { SharedWord(consumer_).store(consumed() + bytes, std::memory_order_release); }

}  // namespace kawk
