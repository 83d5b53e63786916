// Files that are none: nothing hangs, everything is an Error.
#include "host/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "tests/host/temp_folder.h"

namespace kawk {
namespace {

TEST(Files, Reads) {
  TempFolder folder;
  EXPECT_EQ(*ReadFile(folder.Write("empty", ""), 10), "");
  EXPECT_EQ(*ReadFile(folder.Write("ten", "0123456789"), 10), "0123456789");
  EXPECT_FALSE(ReadFile(folder.Write("eleven", "0123456789a"), 10));
  const std::string large(300'000, 'x');
  EXPECT_EQ(*ReadFile(folder.Write("large", large), 1 << 20), large);
  // proc files say that they are empty.
  EXPECT_FALSE(ReadFile("/proc/self/maps", 1 << 20)->empty());
}

TEST(Files, WhatIsNoFile) {
  TempFolder folder;
  folder.Folder("folder");
  ASSERT_EQ(::mkfifo((folder.path() + "/fifo").c_str(), 0600), 0);
  ASSERT_EQ(::symlink("loop", (folder.path() + "/loop").c_str()), 0);
  for (const std::string& path : {folder.path() + "/fifo", folder.path() + "/folder", folder.path() + "/loop",
                                  folder.path() + "/nosuch", std::string("/dev/zero"), std::string(5000, 'x'), std::string()}) {
    Result<std::string> text = ReadFile(path, 100);
    ASSERT_FALSE(text) << path;
    EXPECT_NE(text.error().code, 0) << path;
    EXPECT_FALSE(text.error().message.empty());
  }
}

TEST(Files, ListsFolders) {
  TempFolder folder;
  folder.Folder("b");
  folder.Folder("a");
  folder.Write("c", "");
  ASSERT_EQ(::symlink("a", (folder.path() + "/d").c_str()), 0);
  EXPECT_EQ(*ListFolder(folder.path(), Entries::Folders), (std::vector<std::string>{"a", "b", "d"}));
  EXPECT_EQ(*ListFolder(folder.path(), Entries::NotFolders), (std::vector<std::string>{"c"}));
  EXPECT_FALSE(ListFolder(folder.path() + "/c", Entries::Folders));
  EXPECT_FALSE(ListFolder(folder.path() + "/nosuch", Entries::Folders));
}

TEST(Files, HintsForUsersWithoutPrivilege) {
  const Error error = FileError("/x", EACCES);
  EXPECT_EQ(error.message, "`/x`: Permission denied");
  EXPECT_EQ(error.hint.empty(), ::geteuid() == 0);
}

}  // namespace
}  // namespace kawk
