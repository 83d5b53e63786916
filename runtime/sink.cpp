#include "runtime/sink.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace kawk {

namespace {

// Writes all of `data`; 0 or an errno. A descriptor in non-blocking mode (a pipe shared with a shell that set it so)
// is waited for.
int WriteAll(int fd, std::string_view data) {
  while (!data.empty()) {
    const ssize_t written = write(fd, data.data(), data.size());
    if (written > 0) {
      data.remove_prefix(static_cast<size_t>(written));
    } else if (written < 0 && errno == EAGAIN) {
      pollfd wait{fd, POLLOUT, 0};
      poll(&wait, 1, -1);
    } else if (written < 0 && errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

}  // namespace

Sink::Sink(int fd, bool owned) : fd_(fd), owned_(owned), terminal_(isatty(fd) == 1) {}

Sink::~Sink() {
  Flush();
  if (owned_) close(fd_);
}

bool Sink::Flush() {
  if (error_ == 0 && !buffer_.empty()) error_ = WriteAll(fd_, buffer_);
  buffer_.clear();
  return error_ == 0;
}

void WriteToStderr(std::string_view message) { (void)WriteAll(STDERR_FILENO, message); }

}  // namespace kawk
