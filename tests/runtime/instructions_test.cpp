#include "runtime/instructions.h"

#include <gtest/gtest.h>

#include <vector>

namespace kawk {
namespace {

TEST(Instructions, Table) {
  const std::pair<std::vector<uint8_t>, bool> rows[] = {
      {{0x55}, false},                         // push %rbp
      {{0xf3, 0x0f, 0x1e, 0xfa}, false},       // endbr64
      {{0x48, 0x8b, 0x07}, false},             // mov (%rdi),%rax
      {{0x64, 0x8b, 0x04, 0x25}, false},       // mov %fs:…,%eax
      {{0xf0, 0xff, 0x0f}, true},              // lock decl (%rdi): pthread_spin_lock
      {{0x48, 0xf0, 0xff}, true},              // with more in front
      {{0x66, 0x2e, 0x0f, 0x1f, 0x84}, true},  // cs nopw
      {{0xcc}, true},                          // int3
      {{0xf4}, true},                          // hlt
      {{0x0f, 0x05}, false},                   // syscall
      {{}, false},
  };
  for (const auto& [bytes, refused] : rows) EXPECT_EQ(LooksUnprobeable(bytes), refused) << int{bytes.empty() ? 0 : bytes[0]};
}

}  // namespace
}  // namespace kawk
