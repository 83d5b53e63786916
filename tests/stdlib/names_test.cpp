// Names of numbers against those of the C library.
#include "stdlib/names.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstring>

namespace kawk {
namespace {

TEST(Names, Errors) {
  int other = 0;  // the kernel's words
  for (uint64_t error = 0; error < 150; ++error) {
    const std::string known = strerror(static_cast<int>(error));
    const bool unknown = known.starts_with("Unknown error");
    EXPECT_EQ(unknown, ErrorTexts().Of(error) == "Unknown error");
    other += !unknown && ErrorTexts().Of(error) != known;
    EXPECT_LT(ErrorTexts().Of(error).size(), kNameCapacity);
  }
  EXPECT_EQ(other, 19);
  EXPECT_EQ(ErrorTexts().Of(ENOENT), "No such file or directory");
  EXPECT_EQ(ErrorTexts().Of(EAGAIN), "Try again (operation would block)");
  EXPECT_EQ(ErrorTexts().Of(UINT64_MAX), "Unknown error");
}

TEST(Names, Signals) {
  for (uint64_t signal = 0; signal <= 64; ++signal) EXPECT_EQ(SignalTexts().Of(signal), strsignal(static_cast<int>(signal)));
  EXPECT_EQ(SignalTexts().Of(65), "N/A");
}

TEST(Names, Syscalls) {
  EXPECT_EQ(SyscallNames().Of(SYS_read), "read");
  EXPECT_EQ(SyscallNames().Of(SYS_execve), "execve");
  EXPECT_EQ(SyscallNames().Of(9999), "Unknown syscall");
  for (const std::string& name : SyscallNames().names) EXPECT_LT(name.size(), kNameCapacity);
}

}  // namespace
}  // namespace kawk
