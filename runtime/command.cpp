#include "runtime/command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

extern char** environ;

namespace kawk {

namespace {

// The child starts with the default signal handling: the tracer ignores SIGPIPE and may block others.
pid_t Spawn(const std::string& command, int output) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  const char* argv[] = {"sh", "-c", command.c_str(), nullptr};
  pid_t pid = -1;
  const int error = posix_spawn(&pid, "/bin/sh", &files, &attributes, const_cast<char**>(argv), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  errno = error;
  return error == 0 ? pid : -1;
}

// Hands on what is in the pipe. False at its end.
bool Drain(int pipe, const std::function<void(std::string_view)>& sink) {
  char chunk[4096];
  while (true) {
    const ssize_t length = read(pipe, chunk, sizeof chunk);
    if (length > 0) {
      sink({chunk, static_cast<size_t>(length)});
    } else if (length == 0) {
      return false;
    } else if (errno != EINTR) {
      return errno == EAGAIN;
    }
  }
}

void Collect(pid_t pid, int pipe, const std::function<void(std::string_view)>& sink) {
  const int process = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  pollfd waits[2] = {{pipe, POLLIN, 0}, {process, POLLIN, 0}};
  bool open = true;
  while (open || process >= 0) {
    if (poll(waits, 2, -1) < 0 && errno != EINTR) break;
    if (open && !Drain(pipe, sink)) {
      open = false;
      waits[0].fd = -1;
    }
    if (process < 0 ? !open : (waits[1].revents & POLLIN) != 0) break;
  }
  if (open) Drain(pipe, sink);  // written between the last read and the end
  if (process >= 0) close(process);
}

}  // namespace

Result<int> RunCommand(const std::string& command, const std::function<void(std::string_view)>& sink) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Error{"cannot run a command: " + std::string(strerror(errno)), "", errno};
  const pid_t pid = Spawn(command, ends[1]);
  const int error = errno;
  close(ends[1]);
  if (pid < 0) {
    close(ends[0]);
    return Error{"cannot run a command: " + std::string(strerror(error)), "", error};
  }
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  Collect(pid, ends[0], sink);
  close(ends[0]);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace kawk
