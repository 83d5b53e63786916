// Signals come through a descriptor, not through handlers.
#pragma once

#include <vector>

#include "base/result.h"
#include "runtime/perf.h"

namespace kawk {

class Signals {
 public:
  // Blocks the signals that end a run (SIGINT, SIGTERM, and SIGHUP unless it is ignored, as under nohup) and `more` in this
  // thread and those it starts. SIGPIPE is ignored from here on.
  static Result<Signals> Take(const std::vector<int>& more);
  Signals(Signals&&) = default;
  Signals& operator=(Signals&&) = default;

  int fd() const { return fd_.get(); }
  // The next signal that came, 0 when there is none.
  int Next() const;
  static bool Ends(int signal);

 private:
  explicit Signals(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

// In a child before exec: signals and limits as they were when we were started.
void RestoreForChild();
// Ends this process at once by `signal`, as if it had never been caught.
[[noreturn]] void DieBySignal(int signal);

// A closed standard input, output or error would be taken by the next file we open, and our output would go there. Gives them
// to a file that can be neither read nor written.
void OccupyStandardFiles();

// Allows as many open files as we may; many probes need many.
void RaiseFileLimit();

}  // namespace kawk
