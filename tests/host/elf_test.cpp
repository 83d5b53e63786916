// ELF symbols: of files built byte by byte, and of what the tests themselves run on.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/binaries.h"
#include "host/elf_file.h"
#include "tests/host/elf_builder.h"
#include "tests/host/temp_folder.h"

namespace kawk {
namespace {

std::string Dump(const std::vector<ElfSymbol>& symbols) {
  std::string text;
  for (const ElfSymbol& s : symbols) {
    char part[200];
    std::snprintf(part, sizeof part, "%s@%llx+%llx ", s.name.c_str(), static_cast<unsigned long long>(s.address),
                  static_cast<unsigned long long>(s.file_offset));
    text += part;
  }
  return text;
}

TEST(Elf, FunctionsInTheFile) {
  TempFolder folder;
  ElfBuilder elf;
  elf.symbols = {
      {"fn2", 0x401020},
      {"fn", 0x401010},
      {"resolver", 0x401030, 1, STT_GNU_IFUNC},
      {"data", 0x401040, 8, STT_OBJECT},
      {"imported", 0, 0, STT_FUNC, STB_GLOBAL, SHN_UNDEF},
      {"in_bss", 0x402800},
      {"before", 0x400fff},
      {"", 0x401050},
  };
  const std::string path = folder.Write("app", elf.Build());
  ElfCache cache;
  EXPECT_EQ(Dump(*cache.MatchSymbols(path, "*")), "fn@401010+1010 fn2@401020+1020 resolver@401030+1030 ");
  EXPECT_EQ(Dump(*cache.MatchSymbols(path, "fn")), "fn@401010+1010 ");
  EXPECT_EQ(Dump(*cache.MatchSymbols(path, "fn?")), "fn2@401020+1020 ");
  EXPECT_EQ(Dump(*cache.MatchSymbols(path, "nosuch")), "");
  EXPECT_EQ(*cache.FileOffset(path, 0x401fff), 0x1fffu);
  for (uint64_t address : {0ull, 0x400fffull, 0x402000ull, ~0ull}) EXPECT_FALSE(cache.FileOffset(path, address)) << address;
}

TEST(Elf, OneNameSeveralTimes) {
  TempFolder folder;
  ElfBuilder elf;
  elf.symbols = {
      {"f", 0x401030, 1, STT_FUNC, STB_LOCAL},
      {"f", 0x401020, 1, STT_FUNC, STB_WEAK},
      {"f", 0x401010},
      {"f", 0x401010},
      {"old@V1", 0x401040},
      {"old@@V2", 0x401050},
  };
  ElfCache cache;
  EXPECT_EQ(Dump(*cache.MatchSymbols(folder.Write("app", elf.Build()), "*")),
            "f@401010+1010 f@401020+1020 f@401030+1030 old@401050+1050 old@401040+1040 ");

  ElfBuilder library;
  library.dynamic = true;
  library.with_versions = true;
  library.symbols = {{"memcpy", 0x401010, 1, STT_FUNC, STB_GLOBAL, 1, 0x8002}, {"memcpy", 0x401020, 1, STT_GNU_IFUNC}};
  EXPECT_EQ(Dump(*cache.MatchSymbols(folder.Write("lib", library.Build()), "memcpy")), "memcpy@401020+1020 memcpy@401010+1010 ");
}

// The libraries of this machine: IFUNC and versioned names stand under their plain names.
TEST(Elf, LibC) {
  Binaries binaries("/usr/bin:/bin");
  Result<std::string> path = binaries.Find("libc.so.6", 0);
  if (!path) GTEST_SKIP() << path.error().message;
  ElfCache cache;
  for (const char* name : {"malloc", "memcpy", "nanosleep"}) {
    Result<std::vector<ElfSymbol>> symbols = cache.MatchSymbols(*path, name);
    ASSERT_TRUE(symbols) << symbols.error().message;
    ASSERT_FALSE(symbols->empty()) << name;
    EXPECT_EQ(*cache.FileOffset(*path, symbols->front().address), symbols->front().file_offset);
  }
}

TEST(Elf, ThisProgramIsReadable) {
  Result<ElfFile> file = ReadElf("/proc/self/exe");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_FALSE(file->segments.empty());
}

TEST(Elf, NotElf) {
  TempFolder folder;
  folder.Folder("folder");
  ASSERT_EQ(::mkfifo((folder.path() + "/fifo").c_str(), 0600), 0);
  ElfCache cache;
  for (const std::string& path :
       {folder.Write("empty", ""), folder.Write("script", "#!/bin/sh\n"), folder.Write("short", "\177ELF"),
        folder.Write("magic", "\177ELF" + std::string(60, '\0')), folder.path() + "/folder", folder.path() + "/fifo",
        folder.path() + "/nosuch", std::string("/dev/zero"), std::string("/dev/null")}) {
    Result<std::vector<ElfSymbol>> symbols = cache.MatchSymbols(path, "*");
    EXPECT_FALSE(symbols) << path;
    EXPECT_FALSE(cache.FileOffset(path, 0x1000)) << path;
  }
}

// Cut and mangled everywhere: an Error or symbols, no crash. Run under the sanitizers for its full worth.
TEST(Elf, EveryPrefixAndMutation) {
  ElfBuilder elf;
  elf.with_versions = true;
  elf.dynamic = true;
  elf.symbols = {{"fn", 0x401010}, {"fn2", 0x401020}};
  const std::string good = elf.Build();
  const int fd = ::memfd_create("elf", MFD_CLOEXEC);  // thousands of files on a disk take seconds
  ASSERT_GE(fd, 0);
  const auto try_bytes = [&](const std::string& bytes) {
    ASSERT_EQ(::ftruncate(fd, 0), 0);
    ASSERT_EQ(::pwrite(fd, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    Result<ElfFile> file = ReadElf("/proc/self/fd/" + std::to_string(fd));
    EXPECT_TRUE(file || !file.error().message.empty());
  };
  for (size_t i = 0; i < good.size(); ++i) {
    try_bytes(good.substr(0, i));
    for (char c : {'\0', '\x7f', '\xff'}) {
      std::string mangled = good;
      mangled[i] = c;
      try_bytes(mangled);
    }
  }
  ::close(fd);
}

TEST(Elf, HugeClaims) {
  TempFolder folder;
  ElfBuilder elf;
  elf.symbols = {{"fn", 0x401010}};
  const std::string good = elf.Build();
  const auto section = [&](std::string& bytes, int index) {
    Elf64_Ehdr header;
    std::memcpy(&header, bytes.data(), sizeof header);
    return reinterpret_cast<Elf64_Shdr*>(bytes.data() + header.e_shoff + static_cast<size_t>(index) * sizeof(Elf64_Shdr));
  };
  // The number of sections stands in the first one when it is zero in the header.
  std::string sections = good;
  reinterpret_cast<Elf64_Ehdr*>(sections.data())->e_shnum = 0;
  section(sections, 0)->sh_size = 1ull << 40;
  EXPECT_FALSE(ReadElf(folder.Write("sections", sections)));

  std::string segments = good;
  reinterpret_cast<Elf64_Ehdr*>(segments.data())->e_phnum = PN_XNUM;
  section(segments, 0)->sh_info = 0xffffffff;
  EXPECT_FALSE(ReadElf(folder.Write("segments", segments)));

  // A table larger than the file, and larger than we read: no symbols.
  for (uint64_t size : {1ull << 20, 1ull << 40, ~0ull}) {
    std::string table = good;
    section(table, 1)->sh_size = size;
    Result<ElfFile> file = ReadElf(folder.Write("table", table));
    EXPECT_TRUE(!file || file->symbols.empty()) << size;
  }
  // A sparse file may really be that large.
  std::string sparse = good;
  section(sparse, 1)->sh_size = 1ull << 33;
  const std::string path = folder.Write("sparse", sparse);
  std::filesystem::resize_file(path, 1ull << 34);
  Result<ElfFile> file = ReadElf(path);
  EXPECT_TRUE(!file || file->symbols.empty());
}

// Overlapping names make memory out of nothing: 60,000 symbols that all share one name of 60,000 bytes are 3.6 GB.
TEST(Elf, SharedNamesAreBounded) {
  TempFolder folder;
  ElfBuilder elf;
  elf.symbols.push_back({std::string(60'000, 'x'), 0x401000});
  for (uint64_t i = 1; i < 60'000; ++i) elf.symbols.push_back({"", 0x401000 + i % 0x1000});
  std::string bytes = elf.Build();
  for (size_t i = 1; i <= elf.symbols.size(); ++i) {
    auto* symbol = reinterpret_cast<Elf64_Sym*>(bytes.data() + sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr)) + i;
    symbol->st_name = 1;
  }
  Result<ElfFile> file = ReadElf(folder.Write("app", bytes));
  ASSERT_FALSE(file);
  EXPECT_NE(file.error().message.find("too many symbols"), std::string::npos);
}

}  // namespace
}  // namespace kawk
