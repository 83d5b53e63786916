#include "runtime/signals.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace kawk {
namespace {

// What to give back to a child; written once at the start.
struct Inherited {
  sigset_t mask;
  bool has_mask = false;
  rlimit files;
  bool has_files = false;
  bool pipe_ignored = false;
  bool size_ignored = false;
};
Inherited inherited;

}  // namespace

Result<Signals> Signals::Take(const std::vector<int>& more) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  struct sigaction hangup;
  if (sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN) sigaddset(&set, SIGHUP);
  for (int signal : more) sigaddset(&set, signal);
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &set, &before);
  if (!inherited.has_mask) {
    inherited.mask = before;
    inherited.has_mask = true;
    inherited.pipe_ignored = signal(SIGPIPE, SIG_IGN) == SIG_IGN;
    inherited.size_ignored = signal(SIGXFSZ, SIG_IGN) == SIG_IGN;  // a limit of file sizes is met as a full disk is
  }
  Fd fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return Error{fmt::format("cannot watch for signals: {}", strerror(errno)), "", errno};
  return Signals(std::move(fd));
}

int Signals::Next() const {
  signalfd_siginfo info;
  return read(fd_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
}

bool Signals::Ends(int signal) { return signal == SIGINT || signal == SIGTERM || signal == SIGHUP; }

void RestoreForChild() {
  if (inherited.has_mask) {
    sigprocmask(SIG_SETMASK, &inherited.mask, nullptr);
    if (!inherited.pipe_ignored) signal(SIGPIPE, SIG_DFL);
    if (!inherited.size_ignored) signal(SIGXFSZ, SIG_DFL);
  }
  if (inherited.has_files) setrlimit(RLIMIT_NOFILE, &inherited.files);
}

void DieBySignal(int number) {
  signal(number, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  kill(getpid(), number);
  constexpr int kSignalStatus = 128;
  _exit(kSignalStatus + number);
}

void OccupyStandardFiles() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) == -1 && errno == EBADF && open("/", O_PATH) != fd) return;  // the lowest free number is this one
  }
}

void RaiseFileLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  if (!inherited.has_files) {
    inherited.files = limit;
    inherited.has_files = true;
  }
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace kawk
