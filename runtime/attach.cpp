// Nothing may wait for slow detaches: closing one perf tracepoint costs a grace period of the kernel (70–90 ms here), and
// they do not overlap. So a forked helper inherits the links and closes them by ending; we drop ours, which then is not
// the last reference and costs nothing. The programs are inactive by then, and the helper leaves nothing behind.
#include "runtime/attach.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/attach_points.h"

namespace kawk {
namespace {

// In the helper: hold nothing but the links, above all no pipe or terminal whose end a user waits for, and end.
[[noreturn]] void CloseInBackground(const std::vector<Fd>& links) {
  setsid();
  prctl(PR_SET_NAME, "kawk-detach");
  // The links were opened one after another, so this closes a few ranges only. Should another order cut one off early, it
  // is closed here instead of at the end, which is as good.
  int free_from = 0;
  for (const Fd& link : links) {
    if (link.get() > free_from) close_range(free_from, link.get() - 1, 0);
    free_from = std::max(free_from, link.get() + 1);
  }
  close_range(free_from, ~0u, 0);
  _exit(0);
}

}  // namespace

Status Attachments::AttachAll(const image::Image& image, const std::vector<int>& program_fds, const std::function<bool()>& stop,
                              std::vector<Error>& warnings) {
  // Several programs on one point shall run in the order of the script, but the kernel runs some kinds last first: those
  // are attached from the last program to the first.
  std::vector<size_t> order;
  auto last_first = [&](size_t i) {
    const auto& attach = image.programs[i].attach;
    return !attach.empty() && TraitsOf(attach[0].kind).runs_last_first;
  };
  for (size_t i = image.programs.size(); i-- > 0;) {
    if (last_first(i)) order.push_back(i);
  }
  for (size_t i = 0; i < image.programs.size(); ++i) {
    if (!last_first(i)) order.push_back(i);
  }
  for (size_t i : order) {
    if (stop()) {  // exit() in BEGIN: the rest would never fire; the count is of the script
      count_ += image.programs[i].probes;
      continue;
    }
    Status status = AttachProgram(image.programs[i], program_fds[i], image.config.missing_probes, warnings);
    if (!status) return status;
  }
  return Ok{};
}

Status Attachments::AttachProgram(const image::ProgramSpec& program, int fd, const std::string& missing,
                                  std::vector<Error>& warnings) {
  count_ += program.probes;
  for (const image::AttachSpec& spec : program.attach) {
    const KindTraits& traits = TraitsOf(spec.kind);
    if (traits.attach) {
      Status status = traits.attach(AttachPoint{spec, fd, options_.pid, links_});
      if (!status) {
        if (missing == "error") return status;
        if (missing == "warn") warnings.push_back(status.error());
        --count_;
        continue;
      }
      slow_ = slow_ || traits.closes_slowly;
    }
  }
  return Ok{};
}

void Attachments::DetachInBackground() const {
  if (!slow_ || links_.empty()) return;
  if (_Fork() == 0) CloseInBackground(links_);
}

void Attachments::Detach() {
  DetachInBackground();
  links_.clear();
}

Attachments::~Attachments() { Detach(); }

}  // namespace kawk
