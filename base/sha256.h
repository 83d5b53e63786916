// SHA-256 (FIPS 180-4), to name things by what they hold: keys of the compile cache, contents of files.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace kawk {

using Digest = std::array<uint8_t, 32>;

class Sha256 {
 public:
  void Add(const void* data, size_t size);
  // With its length in front, so that two texts never read as two others.
  void AddText(std::string_view text);
  void AddNumber(uint64_t number);
  Digest Finish();  // once

 private:
  void Block(const uint8_t* bytes);

  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, 64> block_{};
  uint64_t size_ = 0;
};

std::string Hex(const Digest& digest);

}  // namespace kawk
