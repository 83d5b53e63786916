// The kernel's ring buffer, read through its mapping. One reader.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"

namespace kawk {

// Walks the records of a span as Ring::Peek gives it: calls visit(offset in the span, record) for each that was not
// discarded. Stops when visit returns false. Returns the offset behind the last record walked over.
template <class Visit>
size_t WalkRecords(std::span<const uint8_t> span, Visit visit);

class Ring {
 public:
  static Result<std::unique_ptr<Ring>> Open(int fd, size_t size);
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  // Finished records at the head, with the kernel's headers, at most about `limit` bytes; empty only when there are none.
  // Stays valid until Advance.
  std::span<const uint8_t> Peek(size_t limit);
  // Gives the first `bytes` back to the producers.
  void Advance(size_t bytes);
  // Nothing is waiting, finished or not.
  bool Empty() const;
  uint64_t produced() const;
  uint64_t consumed() const;

 private:
  Ring() = default;
  uint8_t* consumer_ = nullptr;  // page with the consumer's position
  uint8_t* producer_ = nullptr;  // page with the producers' position, then the data
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
  size_t page_ = 0;
  std::vector<uint8_t> wrapped_;  // the record that goes around the end, in one piece
};

// The kernel's record header: length with two flags, then a page offset that is not for us. Records are aligned to 8.
inline constexpr uint32_t kRingBusy = 1u << 31;
inline constexpr uint32_t kRingDiscarded = 1u << 30;
inline constexpr size_t kRingHeader = 8;
inline constexpr size_t RingRecordBytes(uint32_t length_and_flags) {
  return (static_cast<size_t>(length_and_flags & ~(kRingBusy | kRingDiscarded)) + kRingHeader + 7) & ~size_t{7};
}

template <class Visit>
size_t WalkRecords(std::span<const uint8_t> span, Visit visit) {
  size_t offset = 0;
  while (offset + kRingHeader <= span.size()) {
    const uint32_t word = *reinterpret_cast<const uint32_t*>(span.data() + offset);
    const size_t bytes = RingRecordBytes(word);
    if (bytes > span.size() - offset) break;
    if (!(word & kRingDiscarded) && !visit(offset, span.subspan(offset + kRingHeader, word & ~(kRingBusy | kRingDiscarded))))
      break;
    offset += bytes;
  }
  return offset;
}

}  // namespace kawk
