#include "runtime/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "runtime/signals.h"

namespace kawk {
namespace {

constexpr int kExecFailed = 127;  // as a shell says it

int OpenPidfd(int pid) { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }

bool IsExecutable(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && access(path.c_str(), X_OK) == 0;
}

// In the child: wait at the gate, then become the command. Only what is safe after a fork of a process with threads.
[[noreturn]] void RunChild(int gate, const char* file, char* const* args) {
  char go;
  if (read(gate, &go, 1) != 1) _exit(kExecFailed);  // the tracer has ended
  RestoreForChild();
  execv(file, args);
  // Scripts without a #! line are for the shell, as execvp would do it.
  if (errno == ENOEXEC) {
    const char* shell_args[64] = {"/bin/sh", file};
    size_t count = 2;
    for (size_t i = 1; args[i] && count < std::size(shell_args) - 1; ++i) shell_args[count++] = args[i];
    execv("/bin/sh", const_cast<char* const*>(shell_args));
  }
  const char* reason = strerror(errno);
  const char text[] = "ERROR: cannot run the command of -c: ";
  (void)!write(2, text, sizeof text - 1);
  (void)!write(2, reason, strlen(reason));
  (void)!write(2, "\n", 1);
  _exit(kExecFailed);
}

}  // namespace

std::vector<std::string> SplitCommand(std::string_view command) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  size_t i = 0;
  auto take_quoted = [&](char quote) {
    const size_t start = word.size();
    for (size_t at = i + 1; at < command.size(); ++at) {
      if (command[at] == quote) {
        i = at;
        return true;
      }
      const bool escape =
          quote == '"' && command[at] == '\\' && at + 1 < command.size() && (command[at + 1] == '"' || command[at + 1] == '\\');
      if (escape) ++at;
      word += command[at];
    }
    word.resize(start);
    return false;
  };
  for (; i < command.size(); ++i) {
    const char c = command[i];
    if (c == ' ' || c == '\t' || c == '\n') {
      if (in_word) words.push_back(std::move(word));
      word.clear();
      in_word = false;
      continue;
    }
    in_word = true;
    if ((c == '\'' || c == '"') && take_quoted(c)) continue;
    if (c == '\\' && i + 1 < command.size()) ++i;
    word += command[i];
  }
  if (in_word) words.push_back(std::move(word));
  return words;
}

Result<std::string> FindProgram(const std::string& name, const std::string& path) {
  const Error missing = {fmt::format("cannot run `{}`: no such program", name), "-c takes a program in PATH or a path to one",
                         ENOENT};
  if (name.find('/') != std::string::npos) {
    if (IsExecutable(name)) return name;
    if (access(name.c_str(), F_OK) == 0) return Error{fmt::format("cannot run `{}`: it is not executable", name), "", EACCES};
    return missing;
  }
  std::string_view rest = path;
  while (!name.empty()) {
    const size_t end = rest.find(':');
    std::string folder(rest.substr(0, end));
    if (folder.empty()) folder.push_back('.');
    const std::string candidate = fmt::format("{}/{}", folder, name);
    if (IsExecutable(candidate)) return candidate;
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return missing;
}

Result<Child> Child::Start(const std::string& command) {
  std::vector<std::string> words = SplitCommand(command);
  if (words.empty()) return Error{"the command of -c is empty", "", EINVAL};
  const char* path = getenv("PATH");
  Result<std::string> file = FindProgram(words[0], path ? path : "/usr/local/bin:/usr/bin:/bin");
  if (!file) return file.error();
  std::vector<char*> args;
  for (std::string& word : words) args.push_back(word.data());
  args.push_back(nullptr);

  int gate[2];
  if (pipe2(gate, O_CLOEXEC) != 0) return Error{fmt::format("cannot start `{}`: {}", words[0], strerror(errno)), "", errno};
  Fd reader(gate[0]), writer(gate[1]);
  const int pid = fork();
  if (pid < 0) return Error{fmt::format("cannot start `{}`: {}", words[0], strerror(errno)), "", errno};
  if (pid == 0) {
    close(writer.Release());  // else the child would hold its own gate open
    RunChild(reader.get(), file->c_str(), args.data());
  }
  Fd pidfd(OpenPidfd(pid));
  if (!pidfd) {
    const int code = errno;
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    return Error{fmt::format("cannot watch `{}`: {}", words[0], strerror(code)), "", code};
  }
  return Child(pid, std::move(pidfd), std::move(writer));
}

void Child::Release() {
  if (gate_) (void)!write(gate_.get(), "", 1);
  gate_ = Fd();
}

void Child::Terminate() {
  // By the descriptor, so that a pid which was given to another process meanwhile is never hit.
  if (pidfd_) syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGTERM, nullptr, 0);
}

Child::~Child() {
  if (pidfd_) waitpid(pid_, nullptr, WNOHANG);
}

Result<Fd> WatchProcess(int pid) {
  Fd pidfd(OpenPidfd(pid));
  if (pidfd) return pidfd;
  // A thread that leads no process gives EINVAL, or ENOENT since 6.16.
  if (errno == ESRCH) return Error{fmt::format("no process {}", pid), "-p takes the number of a running process", ESRCH};
  if (errno == EINVAL || errno == ENOENT)
    return Error{fmt::format("{} is not a process", pid), "-p takes a process, not one of its threads", EINVAL};
  return Error{fmt::format("cannot watch process {}: {}", pid, strerror(errno)), "", errno};
}

}  // namespace kawk
