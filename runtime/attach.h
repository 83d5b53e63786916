// Hangs programs on their attach points, one function per AttachKind.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "runtime/image/image.h"
#include "runtime/loader.h"
#include "runtime/perf.h"

namespace kawk {

struct AttachOptions {
  int pid = 0;  // only this process where the kernel can tell: -p or the child of -c; 0: all
};

struct AttachFailure;

// Everything that is attached. What it holds is detached when it goes.
class Attachments {
 public:
  explicit Attachments(AttachOptions options) : options_(options) {}
  ~Attachments();
  Attachments(const Attachments&) = delete;
  Attachments& operator=(const Attachments&) = delete;

  // Attaches all programs but those that are run by hand (BEGIN, END, signals), which only count. With missing_probes
  // warn or ignore what cannot be attached is left out; `warnings` then tells what. Stops early when `stop` says so.
  Status AttachAll(const image::Image& image, const LoadedObject& object, const std::function<bool()>& stop,
                   std::vector<Error>& warnings);

  // How many attach points are live, counted as the user counts them.
  uint64_t count() const { return count_; }
  bool empty() const { return links_.empty(); }
  // Whether closing waits for grace periods of the kernel.
  bool slow() const { return slow_; }
  // Links of iterators, which fire only when they are run; see RunIterator.
  const std::vector<int>& iterators() const { return iterators_; }
  // Closes the watchpoints at this address; false: there is none.
  bool Unwatch(uint64_t address);
  // Closes what is attached; a helper process does it when that would keep the user waiting.
  void Detach();
  // Only starts that helper. Safe in any thread and at any time after attaching: for an end in a hurry.
  void DetachInBackground() const;

 private:
  Status AttachProgram(const image::ProgramSpec& program, const LoadedObject& object, size_t index, const std::string& missing,
                       std::vector<AttachFailure>& left_out);
  // Of a session both programs at once, when the first of them has its turn.
  void AttachSession(const image::ProgramSpec& program, const Session& session, std::vector<AttachFailure>& failures);
  // One attach point less, or the end: as missing_probes says.
  Status LeaveOut(const AttachFailure& failure, const std::string& missing, std::vector<AttachFailure>& left_out);

  AttachOptions options_;
  mutable std::mutex mutex_;  // of links_, once all is attached
  std::vector<Fd> links_;
  std::vector<std::pair<uint64_t, size_t>> watched_;  // addresses, each with the index of a link
  std::vector<int> iterators_;
  std::map<const Session*, size_t> sessions_;  // that are attached, with how many functions were left out
  uint64_t count_ = 0;
  bool slow_ = false;
};

}  // namespace kawk
