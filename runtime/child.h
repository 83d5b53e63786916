// The command of -c: started before anything is attached, but held until the probes are live.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/perf.h"

namespace kawk {

// Splits a command as a shell does: blanks separate, quotes and backslashes keep together. Nothing is expanded. A quote
// that is never closed stands for itself.
std::vector<std::string> SplitCommand(std::string_view command);

// The file that runs as `name`: itself when it holds a slash, else the first executable one in `path`.
Result<std::string> FindProgram(const std::string& name, const std::string& path);

class Child {
 public:
  // Forks; the child waits for Release before it becomes the command.
  static Result<Child> Start(const std::string& command);
  Child(Child&&) = default;
  Child& operator=(Child&&) = default;
  ~Child();

  void Release();
  // Asks it to end (SIGTERM) unless it has ended.
  void Terminate();
  int pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }

 private:
  Child(int pid, Fd pidfd, Fd gate) : pid_(pid), pidfd_(std::move(pidfd)), gate_(std::move(gate)) {}
  int pid_;
  Fd pidfd_;
  Fd gate_;
};

// Readable once the process has ended; an Error when there is no such process.
Result<Fd> WatchProcess(int pid);

}  // namespace kawk
