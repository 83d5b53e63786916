// Names of addresses in this very process, and the parsers behind kernel names and build ids. No root needed.
#include "runtime/symbols.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "base/demangle.h"
#include "runtime/elf_symbols.h"
#include "runtime/kernel_symbols.h"
#include "runtime/process_maps.h"

namespace kawk {

namespace {

// A function of the C library: our own symbols may be stripped, and functions folded into one.
struct LibraryFunction {
  LibraryFunction() : address(reinterpret_cast<uint64_t>(dlsym(RTLD_DEFAULT, "getenv"))) {
    Dl_info info{};
    dladdr(reinterpret_cast<void*>(address), &info);
    char path[PATH_MAX] = {};
    if (info.dli_fname != nullptr && realpath(info.dli_fname, path) != nullptr) file = path;
  }
  uint64_t address;
  std::string file;
};

// Code without a file, named by a map as JIT compilers write it.
struct JitFunction {
  explicit JitFunction(const std::string& name) : path("/tmp/perf-" + std::to_string(getpid()) + ".map") {
    code = mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    std::ofstream(path) << std::hex << address() << " 100 " << name << "\n";
  }
  ~JitFunction() {
    unlink(path.c_str());
    munmap(code, 4096);
  }
  uint64_t address() const { return reinterpret_cast<uint64_t>(code); }
  std::string path;
  void* code;
};

using image::StackMode;

TEST(KernelNames, Parse) {
  KernelName name = ParseKernelName("vfs_read+0x10/0x200");
  EXPECT_EQ(name.name, "vfs_read");
  EXPECT_EQ(name.offset, 16u);
  EXPECT_EQ(name.module, "");
  name = ParseKernelName("ext4_sync_file+0x0/0x350 [ext4]");
  EXPECT_EQ(name.name, "ext4_sync_file");
  EXPECT_EQ(name.offset, 0u);
  EXPECT_EQ(name.module, "ext4");
  EXPECT_EQ(ParseKernelName("0xffffffff80000005").name, "");
  EXPECT_EQ(ParseKernelName("").name, "");
}

TEST(SymbolsTest, UnknownAddressesAreNumbers) {
  Symbols symbols{image::Config()};
  EXPECT_EQ(symbols.Kernel(5, true, StackMode::Bpftrace), "0x5");
  EXPECT_EQ(symbols.User(0xfffffff0, 0x1234, true, StackMode::Bpftrace), "0x1234");
  EXPECT_EQ(symbols.User(0xfffffff0, 0x1234, true, StackMode::Perf), "0x1234 ([unknown])");
  EXPECT_EQ(symbols.User(0xfffffff0, 0x1234, true, StackMode::BuildId), "1234");
}

TEST(SymbolsTest, Functions) {
  Symbols symbols{image::Config()};
  const uint32_t pid = static_cast<uint32_t>(getpid());
  const LibraryFunction function;
  EXPECT_EQ(symbols.User(pid, function.address, false, StackMode::Bpftrace), "getenv");
  EXPECT_EQ(symbols.User(pid, function.address + 1, true, StackMode::Bpftrace), "getenv+1");
  EXPECT_EQ(symbols.User(pid, function.address, true, StackMode::Perf), "getenv+0 (" + function.file + ")");
  const std::string build_id = symbols.User(pid, function.address, true, StackMode::BuildId);
  EXPECT_TRUE(build_id.starts_with(ReadBuildId(function.file) + " 0x")) << build_id;
}

TEST(SymbolsTest, Demangling) {
  const JitFunction function("_ZN4kawk6Marked4WorkIiEEvT_");
  const uint32_t pid = static_cast<uint32_t>(getpid());
  image::Config config;
  EXPECT_EQ(Symbols(config).User(pid, function.address(), false, StackMode::Bpftrace), "void kawk::Marked::Work<int>(int)");
  config.cpp_demangle = false;
  EXPECT_EQ(Symbols(config).User(pid, function.address(), false, StackMode::Bpftrace), "_ZN4kawk6Marked4WorkIiEEvT_");
}

TEST(SymbolsTest, ProcessesThatEnded) {
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  Symbols symbols{image::Config()};
  const uint32_t pid = static_cast<uint32_t>(child);
  symbols.NoteProcess(pid);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(symbols.User(pid, LibraryFunction().address, false, StackMode::Bpftrace), "getenv");
}

TEST(SymbolsTest, CodeThatAppearsLater) {
  Symbols symbols{image::Config()};
  const uint32_t pid = static_cast<uint32_t>(getpid());
  symbols.NoteProcess(pid);
  const JitFunction function("jitted_function");
  EXPECT_EQ(symbols.User(pid, function.address() + 8, true, StackMode::Bpftrace), "jitted_function+8");
}

TEST(DemangleTest, Names) {
  const RustDemangler rust = [](std::string_view name) {
    return name == "_RNvC1a4main" ? std::string("a::main") : std::string();
  };
  EXPECT_EQ(Demangle("main", rust), "main");
  EXPECT_EQ(Demangle("_ZN3foo3barEi", rust), "foo::bar(int)");
  EXPECT_EQ(Demangle("_Zbad", rust), "_Zbad");
  EXPECT_EQ(Demangle("_ZN4core3fmt5write17h0123456789abcdefE", rust), "core::fmt::write");
  EXPECT_EQ(Demangle("_ZN41_$LT$a..B$u20$as$u20$core..fmt..Debug$GT$3fmt17h0123456789abcdefE", rust),
            "<a::B as core::fmt::Debug>::fmt");
  EXPECT_EQ(Demangle("_RNvC1a4main", rust), "a::main");
  EXPECT_EQ(Demangle("_RNvC1a4main", nullptr), "_RNvC1a4main");
  EXPECT_EQ(Demangle("_Rubbish", rust), "_Rubbish");
}

TEST(DemangleTest, WithoutParameters) {
  const std::pair<const char*, const char*> rows[] = {
      {"main", "main"},
      {"ns::fn(int, long)", "ns::fn"},
      {"ns::S::m(char const*) const", "ns::S::m"},
      {"int ns::twice<int>(int)", "ns::twice<int>"},
      {"std::vector<int, A<int> > f<B<(C)1> >(D)", "f<B<(C)1> >"},
      {"(anonymous namespace)::f(int)", "(anonymous namespace)::f"},
      {"ns::f(void (*)(int))", "ns::f"},
      {"operator new(unsigned long)", "operator new"},
      {"S::operator()(int)", "S::operator()"},
      {"a::f(int)::{lambda()#1}::operator()() const", "a::f(int)::{lambda()#1}::operator()"},
      {")", ")"},
      {"", ""},
  };
  for (const auto& [demangled, name] : rows) EXPECT_EQ(WithoutParameters(demangled), name);
}

// What a process mapped, executed and forked is known after its end, though nobody asked while it lived. Needs root.
TEST(ProcessMapsTest, SideBand) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  ProcessMaps maps;
  maps.Watch(static_cast<uint32_t>(getpid()));
  int out[2];
  ASSERT_EQ(pipe(out), 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(out[1], STDOUT_FILENO);
    execl("/bin/cat", "cat", "/proc/self/maps", nullptr);
    _exit(1);
  }
  close(out[1]);
  std::string text(65536, '\0');
  size_t length = 0;
  for (ssize_t got; (got = read(out[0], &text[length], text.size() - length)) > 0;) length += static_cast<size_t>(got);
  close(out[0]);
  waitpid(child, nullptr, 0);
  size_t checked = 0;
  for (size_t at = 0; at < length;) {
    const size_t end = text.find('\n', at);
    uint64_t start = 0, offset = 0;
    char protection[8], path[256];
    if (sscanf(&text[at], "%lx-%*x %7s %lx %*s %*s %255s", &start, protection, &offset, path) == 4 && protection[2] == 'x' &&
        path[0] == '/') {
      const auto mapping = maps.Find(static_cast<uint32_t>(child), start);
      ASSERT_TRUE(mapping) << path;
      EXPECT_EQ(mapping->path, path);
      EXPECT_EQ(start - mapping->start + mapping->file_offset, offset);
      ++checked;
    }
    at = end + 1;
  }
  EXPECT_GE(checked, 3u);  // cat, libc, the loader
}

TEST(SymbolsTest, BuildIds) {
  EXPECT_EQ(ReadBuildId(LibraryFunction().file).size(), 40u);
  EXPECT_EQ(ReadBuildId("/dev/null"), "");
  EXPECT_EQ(ReadBuildId("/nonexistent"), "");
}

TEST(SymbolsTest, StartTimes) {
  EXPECT_GT(ProcessStart(static_cast<uint32_t>(getpid())), 0u);
  EXPECT_EQ(ProcessStart(0xfffffff0), 0u);
}

}  // namespace
}  // namespace kawk
