#include "cli/c_compiler.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "host/files.h"

extern char** environ;

namespace kawk {
namespace {

// Bitcode of our LLVM's version or older can be linked; the exact version is asked first.
constexpr std::array kClangs = {"clang-19", "clang", "clang-18", "clang-17", "clang-16", "clang-14"};
constexpr std::array kPreprocessors = {"clang-19", "clang", "cc", "gcc"};

struct Finished {
  bool ran = false;  // false: there is no such program
  int status = -1;
  std::string output;
  std::string errors;
};

std::string ReadBack(int fd) {
  std::string text;
  char buffer[65536];
  lseek(fd, 0, SEEK_SET);
  for (ssize_t got; (got = read(fd, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<size_t>(got));
  return text;
}

Finished RunTool(const std::vector<std::string>& words, const std::string& input) {
  Finished finished;
  const FileDescriptor in(memfd_create("in", MFD_CLOEXEC)), out(memfd_create("out", MFD_CLOEXEC)),
      err(memfd_create("err", MFD_CLOEXEC));
  if (in.get() < 0 || out.get() < 0 || err.get() < 0) return finished;
  if (write(in.get(), input.data(), input.size()) != static_cast<ssize_t>(input.size())) return finished;
  lseek(in.get(), 0, SEEK_SET);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, in.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, out.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, err.get(), STDERR_FILENO);
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  pid_t pid = -1;
  const int error = posix_spawnp(&pid, argv[0], &files, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) return finished;
  while (waitpid(pid, &finished.status, 0) < 0 && errno == EINTR) {
  }
  finished.ran = true;
  finished.output = ReadBack(out.get());
  finished.errors = ReadBack(err.get());
  return finished;
}

constexpr const char* kArchitecture =
#if defined(__x86_64__)
    "x86";
constexpr const char* kMultiarch = "/usr/include/x86_64-linux-gnu";
#elif defined(__aarch64__)
    "arm64";
constexpr const char* kMultiarch = "/usr/include/aarch64-linux-gnu";
#endif

std::string Trimmed(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

// The kernel's own headers, where they are installed; as in the peer, the environment may say where.
std::vector<std::string> KernelFolders() {
  utsname name;
  uname(&name);
  const std::string modules = fmt::format("/lib/modules/{}/", name.release);
  const char* source = std::getenv("BPFTRACE_KERNEL_SOURCE");
  const char* build = std::getenv("BPFTRACE_KERNEL_BUILD");
  const std::string built = build != nullptr ? build : modules + "build";
  const std::string sources = source != nullptr ? source : IsFolder(modules + "source") ? modules + "source" : built;
  std::vector<std::string> folders;
  for (const std::string& root : {sources, built}) {
    for (const std::string& part :
         {fmt::format("/arch/{}/include", kArchitecture), fmt::format("/arch/{}/include/generated", kArchitecture),
          std::string("/include"), fmt::format("/arch/{}/include/uapi", kArchitecture),
          fmt::format("/arch/{}/include/generated/uapi", kArchitecture), std::string("/include/uapi"),
          std::string("/include/generated/uapi")}) {
      if (IsFolder(root + part)) folders.push_back(root + part);
    }
  }
  return folders;
}

}  // namespace

Result<CompiledC> CompileForBpf(const std::string& path, const std::vector<std::string>& include_folders) {
  for (const char* clang : kClangs) {
    std::vector<std::string> words = {clang,
                                      "-target",
                                      "bpf",
                                      "-mcpu=v3",
                                      "-O2",
                                      "-g",
                                      "-fno-color-diagnostics",
                                      fmt::format("-D__TARGET_ARCH_{}", kArchitecture),
                                      "-c",
                                      "-emit-llvm",
                                      "-idirafter",
                                      kMultiarch};
    for (const std::string& folder : include_folders) words.insert(words.end(), {"-I", folder});
    words.insert(words.end(), {"-o", "-", path});
    Finished finished = RunTool(words, "");
    if (!finished.ran || (WIFEXITED(finished.status) && WEXITSTATUS(finished.status) == 127)) continue;
    if (finished.status != 0) return Error{fmt::format("clang cannot compile `{}`", path), Trimmed(finished.errors)};
    return CompiledC{{finished.output.begin(), finished.output.end()}, Trimmed(finished.errors)};
  }
  return Error{fmt::format("`{}` needs clang to be compiled, and there is none", path), "install clang"};
}

std::optional<std::string> Preprocess(const std::string& text, const std::vector<std::string>& include_folders) {
  const std::vector<std::string> kernel = KernelFolders();
  for (const char* compiler : kPreprocessors) {
    std::vector<std::string> words = {compiler, "-E", "-dD", "-P", "-w", "-x", "c"};
    for (const std::string& folder : include_folders) words.insert(words.end(), {"-I", folder});
    for (const std::string& folder : kernel) words.insert(words.end(), {"-idirafter", folder});
    words.emplace_back("-");
    Finished finished = RunTool(words, text);
    if (finished.ran && finished.status == 0) return std::move(finished.output);
  }
  return std::nullopt;
}

}  // namespace kawk
