// -c: how the command is split and found, and that it is held until it is released.
#include "runtime/child.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace kawk {
namespace {

TEST(SplitCommand, Rows) {
  using Words = std::vector<std::string>;
  const std::vector<std::pair<const char*, Words>> rows = {
      {"", {}},
      {"  ", {}},
      {"ls", {"ls"}},
      {" ls  -l\t/tmp ", {"ls", "-l", "/tmp"}},
      {"sh -c 'exit 3'", {"sh", "-c", "exit 3"}},
      {R"(sh -c "echo \"a b\" \$x")", {"sh", "-c", R"(echo "a b" \$x)"}},
      {R"(a\ b \"c \\)", {"a b", "\"c", "\\"}},
      {"x'y z'\"w v\"u", {"xy zw vu"}},
      {"'' \"\"", {"", ""}},
      {"echo it's", {"echo", "it's"}},
      {"echo \"open", {"echo", "\"open"}},
      {"$HOME *", {"$HOME", "*"}},
      {"end\\", {"end\\"}},
  };
  for (const auto& [command, words] : rows) EXPECT_EQ(SplitCommand(command), words) << command;
}

TEST(FindProgram, LooksInPath) {
  Result<std::string> found = FindProgram("sh", "/nonexistent:/bin");
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, "/bin/sh");
  EXPECT_TRUE(FindProgram("/bin/sh", ""));
  EXPECT_FALSE(FindProgram("sh", "/nonexistent"));
  EXPECT_FALSE(FindProgram("", "/bin"));
  EXPECT_FALSE(FindProgram("/bin", "/"));
  EXPECT_FALSE(FindProgram("/etc/passwd", "/bin"));
}

bool EndsWithin(const Child& child, int milliseconds) {
  pollfd watch = {child.pidfd(), POLLIN, 0};
  return poll(&watch, 1, milliseconds) == 1;
}

TEST(Child, RunsOnlyWhenReleased) {
  Result<Child> child = Child::Start("true");
  ASSERT_TRUE(child) << child.error().message;
  EXPECT_FALSE(EndsWithin(*child, 50));
  child->Release();
  EXPECT_TRUE(EndsWithin(*child, 5000));
  int status = 0;
  ASSERT_EQ(waitpid(child->pid(), &status, 0), child->pid());
  EXPECT_EQ(status, 0);
}

TEST(Child, EndsWithItsHolder) {
  int pid = 0;
  {
    Result<Child> child = Child::Start("sleep 100");
    ASSERT_TRUE(child);
    pid = child->pid();
  }
  EXPECT_EQ(waitpid(pid, nullptr, 0), pid);
}

TEST(Child, CanBeTerminated) {
  Result<Child> child = Child::Start("sleep 100");
  ASSERT_TRUE(child);
  child->Release();
  child->Terminate();
  EXPECT_TRUE(EndsWithin(*child, 5000));
}

TEST(Child, MissingProgramIsAnError) {
  Result<Child> child = Child::Start("no_such_program_here x");
  ASSERT_FALSE(child);
  EXPECT_NE(child.error().message.find("no_such_program_here"), std::string::npos);
  EXPECT_FALSE(Child::Start("   "));
}

TEST(WatchProcess, ExistingOnly) {
  EXPECT_TRUE(WatchProcess(getpid()));
  EXPECT_FALSE(WatchProcess(0x7ffffff0));
}

}  // namespace
}  // namespace kawk
