// Nothing may wait for slow detaches: closing one perf tracepoint costs a grace period of the kernel (70–90 ms here), and
// they do not overlap. So a forked helper inherits the links and closes them by ending; we drop ours, which then is not
// the last reference and costs nothing. The programs are inactive by then, and the helper leaves nothing behind.
#include "runtime/attach.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/attach_multi.h"
#include "runtime/attach_points.h"
#include "runtime/multi.h"

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

// What was left out; of many the first ones.
void Tell(const std::vector<AttachFailure>& left_out, std::vector<Error>& warnings) {
  constexpr size_t kShown = 5;
  for (size_t i = 0; i < std::min(kShown, left_out.size()); ++i) warnings.push_back(left_out[i].error);
  if (left_out.size() > kShown) {
    warnings.push_back(Error{fmt::format("and {} more probes cannot be attached", left_out.size() - kShown), "", 0});
  }
}

}  // namespace

Status Attachments::AttachAll(const image::Image& image, const LoadedObject& object, const std::function<bool()>& stop,
                              std::vector<Error>& warnings) {
  // Several programs on one point shall run in the order of the script, but the kernel runs some kinds last first: those
  // are attached from the last program to the first.
  std::vector<AttachFailure> left_out;
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
    Status status = AttachProgram(image.programs[i], object, i, image.config.missing_probes, left_out);
    if (!status) return status;
  }
  Tell(left_out, warnings);
  return Ok{};
}

Status Attachments::LeaveOut(const AttachFailure& failure, const std::string& missing, std::vector<AttachFailure>& left_out) {
  if (missing == "error" && !failure.spec->by_pattern) return failure.error;
  if (missing != "ignore") left_out.push_back(failure);
  --count_;
  return Ok{};
}

Status Attachments::AttachProgram(const image::ProgramSpec& program, const LoadedObject& object, size_t index,
                                  const std::string& missing, std::vector<AttachFailure>& left_out) {
  count_ += program.probes;
  const int fd = object.program_fds()[index];
  std::vector<AttachFailure> failures;
  if (const Session* session = object.session_of(index)) {
    AttachSession(program, *session, failures);
    slow_ = true;
  } else if (object.multi_type(index) != 0) {
    AttachMulti(program, object.multi_type(index), fd, options_.pid, links_, failures);
    slow_ = true;
  } else {
    for (size_t target = 0; target < program.attach.size(); ++target) {
      const image::AttachSpec& spec = program.attach[target];
      const KindTraits& traits = TraitsOf(spec.kind);
      if (!traits.attach) continue;
      Result<int> tied = object.program_for(index, target);
      const size_t links_before = links_.size();
      Status status = tied ? traits.attach(AttachPoint{spec, *tied, options_.pid, links_}) : Status(tied.error());
      const bool watches = status && spec.kind == image::AttachKind::Watchpoint;
      for (size_t link = links_before; watches && link < links_.size(); ++link) watched_.emplace_back(spec.offset, link);
      if (status && spec.kind == image::AttachKind::Iter && spec.path.empty()) iterators_.push_back(links_.back().get());
      if (!status) failures.push_back({&spec, status.error()});
      slow_ = slow_ || traits.closes_slowly;
      if (!status && missing == "error" && !spec.by_pattern) break;
    }
  }
  for (const AttachFailure& failure : failures) {
    Status status = LeaveOut(failure, missing, left_out);
    if (!status) return status;
  }
  // A pattern of which nothing can be attached is as bad as a name that cannot.
  const bool nothing = !failures.empty() && failures.size() == program.attach.size();
  return nothing && missing == "error" ? Status(failures[0].error) : Status(Ok{});
}

void Attachments::AttachSession(const image::ProgramSpec& program, const Session& session, std::vector<AttachFailure>& failures) {
  const auto [attached, is_new] = sessions_.try_emplace(&session);
  if (is_new) {
    AttachMulti(program, kKprobeSession, session.dispatcher.get(), options_.pid, links_, failures);
    attached->second = failures.size();
  } else {
    count_ -= attached->second;  // told already
  }
}

bool Attachments::Unwatch(uint64_t address) {
  const std::lock_guard lock(mutex_);
  const auto is_there = [&](const auto& watched) { return watched.first == address; };
  for (const auto& watched : watched_) {
    if (is_there(watched)) links_[watched.second] = Fd();
  }
  return std::erase_if(watched_, is_there) > 0;
}

void Attachments::DetachInBackground() const {
  const std::lock_guard lock(mutex_);
  if (!slow_ || links_.empty()) return;
  if (_Fork() == 0) CloseInBackground(links_);
}

void Attachments::Detach() {
  DetachInBackground();
  links_.clear();
}

Attachments::~Attachments() { Detach(); }

}  // namespace kawk
