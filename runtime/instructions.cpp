// x86-64. The kernel executes the original instruction out of line, which it does not dare with a lock or segment prefix,
// with privileged instructions and with traps; pthread_spin_lock of glibc begins with such a prefix.
#include "runtime/instructions.h"

#include <algorithm>
#include <array>

namespace kawk {
namespace {

constexpr std::array<uint8_t, 5> kRefusedPrefixes = {0x26, 0x2e, 0x36, 0x3e, 0xf0};  // es cs ss ds lock
constexpr std::array<uint8_t, 5> kPrefixes = {0x64, 0x65, 0x66, 0xf2, 0xf3};
// ins outs int3 int iret in out int1 hlt cli sti.
constexpr std::array<uint8_t, 18> kRefused = {0x6c, 0x6d, 0x6e, 0x6f, 0xcc, 0xcd, 0xcf, 0xe4, 0xe5,
                                              0xe6, 0xe7, 0xec, 0xed, 0xee, 0xef, 0xf1, 0xf4, 0xfa};

template <size_t N>
bool Contains(const std::array<uint8_t, N>& set, uint8_t byte) {
  return std::find(set.begin(), set.end(), byte) != set.end();
}

}  // namespace

bool LooksUnprobeable([[maybe_unused]] std::span<const uint8_t> bytes) {
#ifdef __x86_64__
  for (const uint8_t byte : bytes) {
    if (Contains(kRefusedPrefixes, byte) || Contains(kRefused, byte)) return true;
    const bool is_rex = (byte & 0xf0) == 0x40;
    if (!Contains(kPrefixes, byte) && !is_rex) return false;
  }
#endif
  return false;
}

}  // namespace kawk
