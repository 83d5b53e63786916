// Reading what DWARF packs into bytes, within bounds: past the end everything is zero, and `ok` is false.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>

namespace kawk {

class CfiBytes {
 public:
  CfiBytes(std::span<const uint8_t> bytes, uint64_t address) : bytes_(bytes), address_(address) {}

  bool ok() const { return ok_; }
  bool done() const { return at_ >= bytes_.size() || !ok_; }
  size_t at() const { return at_; }
  uint64_t address() const { return address_ + at_; }  // of the next byte, in the file's address space

  template <class T>
  T Read() {
    T value{};
    if (bytes_.size() - at_ < sizeof value) {
      ok_ = false;
      at_ = bytes_.size();
      return value;
    }
    std::memcpy(&value, bytes_.data() + at_, sizeof value);
    at_ += sizeof value;
    return value;
  }
  uint64_t Unsigned() {  // LEB128
    uint64_t value = 0;
    for (uint32_t shift = 0; shift < 64; shift += 7) {
      const auto byte = Read<uint8_t>();
      value |= uint64_t{byte & 0x7fu} << shift;
      if ((byte & 0x80) == 0) break;
    }
    return value;
  }
  int64_t Signed() {
    uint64_t value = 0;
    for (uint32_t shift = 0; shift < 64;) {
      const auto byte = Read<uint8_t>();
      value |= uint64_t{byte & 0x7fu} << shift;
      shift += 7;
      if ((byte & 0x80) != 0) continue;
      if ((byte & 0x40) != 0 && shift < 64) value |= ~uint64_t{0} << shift;
      break;
    }
    return static_cast<int64_t>(value);
  }
  // The next `size` bytes, as a reader of their own.
  CfiBytes Take(uint64_t size) {
    if (size > bytes_.size() - at_) {
      ok_ = false;
      size = bytes_.size() - at_;
    }
    CfiBytes part(bytes_.subspan(at_, size), address());
    at_ += size;
    return part;
  }
  std::span<const uint8_t> Rest() const { return bytes_.subspan(at_); }
  // A string that ends with NUL.
  const char* Text() {
    const auto rest = Rest();
    const void* end = rest.empty() ? nullptr : std::memchr(rest.data(), 0, rest.size());
    if (end == nullptr) {
      ok_ = false;
      return "";
    }
    at_ += static_cast<size_t>(static_cast<const uint8_t*>(end) - rest.data()) + 1;
    return reinterpret_cast<const char*>(rest.data());
  }
  // A pointer in one of the encodings of .eh_frame; 0xff: none.
  uint64_t Pointer(uint8_t encoding);

 private:
  std::span<const uint8_t> bytes_;
  uint64_t address_;
  size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace kawk
