// From names to files.
#include "host/binaries.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "tests/host/temp_folder.h"

namespace kawk {
namespace {

using Names = std::vector<std::string>;

class BinariesTest : public ::testing::Test {
 protected:
  BinariesTest() {
    Program("bin/app");
    Program("bin/apple");
    Program("sbin/app");
    folder_.Write("bin/notes", "not executable");
    folder_.Folder("bin/folder");
    EXPECT_EQ(::mkfifo((folder_.path() + "/bin/fifo").c_str(), 0700), 0);
  }
  void Program(const std::string& name) { ::chmod(folder_.Write(name, "x").c_str(), 0755); }
  std::string At(const std::string& name) const { return folder_.path() + "/" + name; }

  TempFolder folder_;
  Binaries binaries_{folder_.path() + "/bin:" + folder_.path() + "/sbin::relative:" + folder_.path() + "/bin"};
};

TEST_F(BinariesTest, Find) {
  EXPECT_EQ(*binaries_.Find(At("bin/notes"), 0), At("bin/notes"));
  EXPECT_EQ(*binaries_.Find("app", 0), At("bin/app"));
  for (const std::string& name : {std::string(), std::string("notes"), std::string("fifo"), std::string("folder"), At("bin/fifo"),
                                  At("bin/folder"), At("bin/nosuch"), std::string("./nosuch"), std::string("nosuch"),
                                  std::string("a\0b", 3), std::string(10000, '/'), std::string(10000, 'x')}) {
    Result<std::string> file = binaries_.Find(name, 0);
    EXPECT_FALSE(file) << name;
  }
  EXPECT_EQ(binaries_.Find("nosuch", 0).error().message, "binary `nosuch` does not exist");
}

TEST_F(BinariesTest, FindByRelativePath) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder_.path());
  EXPECT_EQ(*binaries_.Find("./bin/app", 0), "./bin/app");
  EXPECT_EQ(*binaries_.Find("bin/app", 0), "bin/app");
  EXPECT_EQ(*binaries_.Match("bin/app*", 0), (Names{"bin/app", "bin/apple"}));
  std::filesystem::current_path(before);
}

TEST_F(BinariesTest, Match) {
  EXPECT_EQ(*binaries_.Match(At("*/app"), 0), (Names{At("bin/app"), At("sbin/app")}));
  EXPECT_EQ(*binaries_.Match(At("b?n/app*"), 0), (Names{At("bin/app"), At("bin/apple")}));
  EXPECT_EQ(*binaries_.Match(At("[bs]*/ap[p]"), 0), (Names{At("bin/app"), At("sbin/app")}));
  EXPECT_EQ(*binaries_.Match(At("bin/f*"), 0), Names());
  EXPECT_EQ(*binaries_.Match(At("bin/*/"), 0), Names());
  EXPECT_EQ(*binaries_.Match("app*", 0), (Names{At("bin/app"), At("bin/apple"), At("sbin/app")}));
  EXPECT_EQ(*binaries_.Match("app", 0), (Names{At("bin/app")}));
  EXPECT_FALSE(binaries_.Match("nosuch", 0));
}

TEST(Binaries, LibrariesByName) {
  Binaries binaries("/usr/bin:/bin");
  Result<std::string> with_version = binaries.Find("libc.so.6", 0);
  if (!with_version) GTEST_SKIP() << with_version.error().message;
  EXPECT_EQ(*binaries.Find("libc", 0), *with_version);
}

TEST(Binaries, OfAProcess) {
  Binaries binaries("/usr/bin:/bin");
  // We are in our own root, so paths stay as they are.
  EXPECT_EQ(*RootOf(::getpid()), "");
  EXPECT_EQ(*binaries.Find("/bin/sh", ::getpid()), "/bin/sh");
  Result<Names> mapped = binaries.Match("libc.so*", ::getpid());
  ASSERT_TRUE(mapped) << mapped.error().message;
  EXPECT_LE(mapped->size(), 1u);
  Result<std::string> absent = binaries.Find("/bin/sh", 0x7ffffff0);
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, ESRCH);
}

TEST(Binaries, LinksStayInTheRoot) {
  TempFolder root;
  root.Write("real/file", "x");
  const auto link = [&](const char* target, const char* name) {
    ASSERT_EQ(::symlink(target, (root.path() + "/" + name).c_str()), 0);
  };
  link("/real", "absolute");
  link("real/file", "relative");
  link("../../../../real", "upwards");
  link("loop", "loop");
  const auto at = [&](const char* path) { return root.path() + path; };
  const struct {
    const char* path;
    const char* resolved;
  } table[] = {
      {"/real/file", "/real/file"},
      {"/absolute/file", "/real/file"},
      {"/relative", "/real/file"},
      {"/upwards/file", "/real/file"},
      {"/../../real/./file", "/real/file"},
      {"/nosuch/../real/file", "/real/file"},
      {"/", "/"},
  };
  for (const auto& row : table) EXPECT_EQ(ResolveInRoot(root.path(), row.path), at(row.resolved)) << row.path;
  EXPECT_FALSE(ResolveInRoot(root.path(), "/loop").empty());
}

TEST(Binaries, Texts) {
  EXPECT_EQ(WithoutRoot("/proc/12/root/bin/app"), "/bin/app");
  for (const char* path :
       {"/proc/12/root", "/proc/12/rootx/a", "/proc/self/root/bin", "/proc//root/a", "/bin/app", "", "/proc/1"}) {
    EXPECT_EQ(WithoutRoot(path), path);
  }
  const std::vector<MappedFile> mapped = MappedFiles(
      "7f00-7f01 r-xp 00000000 fe:00 12   /usr/bin/my app\n"
      "7f01-7f02 r--p 00000000 fe:00 12   /usr/bin/data\n"
      "7f02-7f03 r-xp 00000000 fe:00 13   /usr/lib/gone (deleted)\n"
      "7f04-7f05 r-xp 00000000 00:00 0    [vdso]\n"
      "7f03-7f04 r-xp 00001000 fe:00 12   /usr/bin/my app\n"
      "x /\n\n");
  ASSERT_EQ(mapped.size(), 1u);
  EXPECT_EQ(mapped[0].path, "/usr/bin/my app");
  EXPECT_EQ(mapped[0].inode, 12u);
}

}  // namespace
}  // namespace kawk
