#include "cli/c_compiler.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "host/files.h"

extern char** environ;

namespace kawk {
namespace {

// Bitcode of our LLVM's version or older can be linked; the exact version is asked first.
constexpr std::array kClangs = {"clang-19", "clang", "clang-18", "clang-17", "clang-16", "clang-14"};

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

#if defined(__x86_64__)
constexpr const char* kMultiarch = "/usr/include/x86_64-linux-gnu";
#elif defined(__aarch64__)
constexpr const char* kMultiarch = "/usr/include/aarch64-linux-gnu";
#endif

std::string Trimmed(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
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
                                      fmt::format("-D__TARGET_ARCH_{}", kTargetArchitecture),
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

}  // namespace kawk
