// The cache's folder and entries: only what this user wrote is read, and nothing that happens to them is more than a miss.
#include "cache/store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "tests/host/temp_folder.h"

namespace kawk {
namespace {

const std::vector<uint8_t> kBytes = {1, 2, 3, 4, 5};

TEST(CacheStore, KeepsEntries) {
  const TempFolder temp;
  const std::string folder = temp.path() + "/cache";
  Result<CacheStore> store = CacheStore::Open(folder);
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_FALSE(store->Get("a"));
  ASSERT_TRUE(store->Put("a", kBytes));
  EXPECT_EQ(store->Get("a"), kBytes);
  struct stat info;
  ASSERT_EQ(stat(folder.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700u);
  ASSERT_EQ(stat((folder + "/a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  const std::vector<uint8_t> others(100'000, 7);  // takes its place
  ASSERT_TRUE(store->Put("a", others));
  EXPECT_EQ(CacheStore::Open(folder)->Get("a"), others);
}

TEST(CacheStore, RefusesFoldersThatOthersCanWriteTo) {
  const TempFolder temp;
  const std::string folder = temp.path() + "/cache";
  ASSERT_TRUE(CacheStore::Open(folder));
  for (const mode_t mode : {0777, 0720, 0702, 0770, 0750, 0704, 01777}) {
    ASSERT_EQ(chmod(folder.c_str(), mode), 0);
    EXPECT_FALSE(CacheStore::Open(folder)) << mode;
  }
  ASSERT_EQ(chmod(folder.c_str(), 0700), 0);
  EXPECT_TRUE(CacheStore::Open(folder));
  // The folder above: who can write there can put another one in its place, unless it is sticky.
  ASSERT_EQ(chmod(temp.path().c_str(), 0777), 0);
  EXPECT_FALSE(CacheStore::Open(folder));
  ASSERT_EQ(chmod(temp.path().c_str(), 01777), 0);
  EXPECT_TRUE(CacheStore::Open(folder));
}

TEST(CacheStore, RefusesFoldersOfOthers) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const TempFolder temp;
  const std::string folder = temp.path() + "/cache";
  ASSERT_TRUE(CacheStore::Open(folder));
  ASSERT_EQ(chown(folder.c_str(), 1234, 0), 0);
  const Result<CacheStore> theirs = CacheStore::Open(folder);
  ASSERT_FALSE(theirs);
  EXPECT_NE(theirs.error().message.find("belongs to user 1234"), std::string::npos) << theirs.error().message;
  ASSERT_EQ(chown(folder.c_str(), 0, 0), 0);
  ASSERT_EQ(chown(temp.path().c_str(), 1234, 0), 0);
  EXPECT_FALSE(CacheStore::Open(folder));
  ASSERT_EQ(chown(temp.path().c_str(), 0, 0), 0);
}

TEST(CacheStore, RefusesLinksAndOddPaths) {
  const TempFolder temp;
  temp.Folder("real");
  ASSERT_EQ(chmod((temp.path() + "/real").c_str(), 0700), 0);
  ASSERT_EQ(symlink("real", (temp.path() + "/link").c_str()), 0);
  EXPECT_FALSE(CacheStore::Open(temp.path() + "/link"));
  EXPECT_TRUE(CacheStore::Open(temp.path() + "/link/inside"));  // a link above it leads somewhere safe
  temp.Write("file", "");
  for (const std::string& path : {std::string(), std::string("relative"), temp.path() + "/", temp.path() + "/file",
                                  temp.path() + "/no/such/folder", std::string("/proc/nosuch")}) {
    EXPECT_FALSE(CacheStore::Open(path)) << path;
  }
}

TEST(CacheStore, ReadsOnlyWhatItWrote) {
  const TempFolder temp;
  const std::string folder = temp.path() + "/cache";
  const Result<CacheStore> store = CacheStore::Open(folder);
  ASSERT_TRUE(store);
  ASSERT_TRUE(store->Put("a", kBytes));
  const std::string a = folder + "/a";
  ASSERT_EQ(chmod(a.c_str(), 0666), 0);
  EXPECT_FALSE(store->Get("a"));
  ASSERT_EQ(chmod(a.c_str(), 0600), 0);
  EXPECT_TRUE(store->Get("a"));
  ASSERT_EQ(link(a.c_str(), (temp.path() + "/other_name").c_str()), 0);
  EXPECT_FALSE(store->Get("a"));
  ASSERT_EQ(symlink("a", (folder + "/link").c_str()), 0);
  EXPECT_FALSE(store->Get("link"));
  ASSERT_EQ(mkfifo((folder + "/fifo").c_str(), 0600), 0);
  EXPECT_FALSE(store->Get("fifo"));
  temp.Folder("cache/folder");
  EXPECT_FALSE(store->Get("folder"));
  temp.Write("cache/empty", "");
  EXPECT_FALSE(store->Get("empty"));
  if (geteuid() != 0) return;
  ASSERT_TRUE(store->Put("b", kBytes));
  ASSERT_EQ(chown((folder + "/b").c_str(), 1234, 0), 0);
  EXPECT_FALSE(store->Get("b"));
}

TEST(CacheStore, StaysSmall) {
  const TempFolder temp;
  const std::string folder = temp.path() + "/cache";
  const Result<CacheStore> store = CacheStore::Open(folder, {.bytes = 10'000, .entry_bytes = 3'000, .entries = 20});
  ASSERT_TRUE(store);
  EXPECT_FALSE(store->Put("large", std::vector<uint8_t>(3'001)));
  EXPECT_FALSE(store->Get("large"));
  const auto age = [&](const std::string& name, time_t seconds) {
    const timespec then = {time(nullptr) - seconds, 0};
    const timespec times[] = {then, then};
    ASSERT_EQ(utimensat(AT_FDCWD, (folder + "/" + name).c_str(), times, 0), 0);
  };
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(store->Put(std::to_string(i), kBytes));
    age(std::to_string(i), 100'000 - i);
  }
  EXPECT_TRUE(store->Get("0"));  // used: no longer the oldest
  ASSERT_TRUE(store->Put("20", kBytes));
  EXPECT_TRUE(store->Get("0"));
  EXPECT_FALSE(store->Get("1"));
  EXPECT_TRUE(store->Get("20"));
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(store->Put("big" + std::to_string(i), std::vector<uint8_t>(2'900)));
  uint64_t bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder)) bytes += file.file_size();
  EXPECT_LE(bytes, 10'000u);
  // What a writer that died left goes, too, but not what one is writing.
  temp.Write("cache/new-dead", "x");
  age("new-dead", 7'200);
  temp.Write("cache/new-alive", "x");
  ASSERT_TRUE(store->Put("last", kBytes));
  EXPECT_FALSE(std::filesystem::exists(folder + "/new-dead"));
  EXPECT_TRUE(std::filesystem::exists(folder + "/new-alive"));
}

TEST(CacheStore, WritersAtOnce) {
  const TempFolder temp;
  const std::string folder = temp.path() + "/cache";
  std::vector<std::thread> writers;
  std::atomic<int> broken = 0;
  for (uint8_t writer = 0; writer < 2; ++writer) {
    writers.emplace_back([&, writer] {
      const Result<CacheStore> store = CacheStore::Open(folder);
      for (int i = 0; i < 200; ++i) {
        if (!store || !store->Put("a", std::vector<uint8_t>(5'000 + writer, writer))) ++broken;
        const std::optional<std::vector<uint8_t>> found = store->Get("a");
        if (!found) continue;  // the file was exchanged while it was opened: no link is left of it
        if (*found != std::vector<uint8_t>(5'000 + (*found)[0], (*found)[0])) ++broken;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(broken, 0);
  EXPECT_TRUE(CacheStore::Open(folder)->Get("a"));
  int files = 0;
  for ([[maybe_unused]] const auto& file : std::filesystem::directory_iterator(folder)) ++files;
  EXPECT_EQ(files, 1);
}

TEST(CacheStore, FolderOfTheUser) {
  ASSERT_EQ(setenv("KAWK_CACHE_DIR", "/some/where", 1), 0);
  EXPECT_EQ(*CacheFolder(), "/some/where");
  ASSERT_EQ(unsetenv("KAWK_CACHE_DIR"), 0);
  ASSERT_EQ(setenv("XDG_CACHE_HOME", "/xdg", 1), 0);
  EXPECT_EQ(*CacheFolder(), geteuid() == 0 ? "/var/cache/kawk" : "/xdg/kawk");
}

}  // namespace
}  // namespace kawk
