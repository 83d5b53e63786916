// Bytes of an element of a map: most are one word or two, which need no memory of their own. A million entries of a map are
// a million keys and values.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

namespace kawk {

class SmallBytes {
 public:
  SmallBytes() = default;
  SmallBytes(std::span<const uint8_t> bytes) { assign(bytes); }                         // NOLINT(google-explicit-constructor)
  SmallBytes(const std::vector<uint8_t>& bytes) : SmallBytes(std::span(bytes)) {}       // NOLINT(google-explicit-constructor)
  SmallBytes(std::initializer_list<uint8_t> bytes) : SmallBytes(std::vector(bytes)) {}  // NOLINT(google-explicit-constructor)
  SmallBytes(const SmallBytes& other) : SmallBytes(std::span(other.data(), other.size())) {}
  SmallBytes(SmallBytes&& other) noexcept { Swap(other); }
  SmallBytes& operator=(SmallBytes other) noexcept {
    Swap(other);
    return *this;
  }
  ~SmallBytes() { Free(); }

  const uint8_t* data() const { return size_ > kInline ? heap_ : inline_.data(); }
  uint8_t* data() { return size_ > kInline ? heap_ : inline_.data(); }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  uint8_t* begin() { return data(); }
  uint8_t* end() { return data() + size_; }
  const uint8_t* begin() const { return data(); }
  const uint8_t* end() const { return data() + size_; }
  uint8_t& operator[](size_t at) { return data()[at]; }
  const uint8_t& operator[](size_t at) const { return data()[at]; }

  void assign(std::span<const uint8_t> bytes) {
    Make(bytes.size());
    if (!bytes.empty()) std::memcpy(data(), bytes.data(), bytes.size());
  }
  // That many zeros; what was there is gone.
  void Zero(size_t size) {
    Make(size);
    std::memset(data(), 0, size);
  }

  friend bool operator==(const SmallBytes& a, const SmallBytes& b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

 private:
  static constexpr size_t kInline = 16;

  void Make(size_t size) {
    Free();
    size_ = static_cast<uint32_t>(size);
    if (size > kInline) heap_ = new uint8_t[size];
  }
  void Free() {
    if (size_ > kInline) delete[] heap_;
    size_ = 0;
  }
  void Swap(SmallBytes& other) noexcept {
    std::swap(inline_, other.inline_);  // and the pointer in the same place
    std::swap(size_, other.size_);
  }

  union {
    std::array<uint8_t, kInline> inline_{};
    uint8_t* heap_;
  };
  uint32_t size_ = 0;
};

}  // namespace kawk
