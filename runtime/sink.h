// Where output goes: one buffer and plain write(2).
#pragma once

#include <string>
#include <string_view>

namespace kawk {

class Sink {
 public:
  // Takes `fd`; closes it at the end when `owned`.
  Sink(int fd, bool owned);
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  // What is to be written next; append to it.
  std::string& buffer() { return buffer_; }
  // Writes all of the buffer. False once an error has made that impossible; the rest is then dropped.
  bool Flush();
  int fd() const { return fd_; }
  int error() const { return error_; }
  bool terminal() const { return terminal_; }

 private:
  int fd_;
  bool owned_;
  bool terminal_;
  int error_ = 0;
  std::string buffer_;
};

// One message to standard error, in one write where the kernel lets us, so that messages of several threads or
// processes do not mix.
void WriteToStderr(std::string_view message);

}  // namespace kawk
