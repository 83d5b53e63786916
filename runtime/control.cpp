// One loop over the ring, the signals and the processes. Programs submit their records without waking us, so while records
// come we look on a timer; after some empty rounds we announce in ProgramState::reader_idle that we go to sleep, and the
// next producer wakes us. A producer may have looked at reader_idle before we set it and submit after our last look: so
// after setting it we wait once more for the timer's time, which is far longer than a program takes, and only then sleep.
#include "runtime/control.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "runtime/notify.h"

namespace kawk {
namespace {

constexpr size_t kChunkBytes = 256 << 10;
constexpr int kChunksPerRound = 64;    // then signals get a look
constexpr uint64_t kWakeFraction = 4;  // of the ring, filled, wakes us before the timer does
constexpr int kTimerMs = 5;
constexpr int kBackPressureMs = 2;  // until the printing thread has made room
constexpr int kSleepMs = 1000;      // losses that send no record are still reported in time
constexpr int kEmptyRounds = 10;    // before going to sleep
constexpr auto kLossInterval = std::chrono::seconds(1);
constexpr auto kSignalBounce = std::chrono::milliseconds(100);  // one Ctrl-C can arrive twice, through a wrapper

template <class T>
std::atomic_ref<T> Shared(T& word) {
  return std::atomic_ref<T>(word);
}

}  // namespace

Result<std::unique_ptr<Control>> Control::Start(const ControlParts& parts) {
  std::unique_ptr<Control> control(new Control(parts));
  Status opened = control->Open();
  if (!opened) return opened.error();
  control->thread_ = std::thread([c = control.get()] { c->Loop(); });
  return control;
}

Status Control::Open() {
  if (parts_.object.ring_fd() >= 0) {
    Result<std::unique_ptr<Ring>> ring = Ring::Open(parts_.object.ring_fd(), parts_.object.ring_size());
    if (!ring) return ring.error();
    ring_ = std::move(*ring);
  }
  epoll_ = Fd(epoll_create1(EPOLL_CLOEXEC));
  kick_ = Fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll_ || !kick_) return Error{fmt::format("cannot watch for events: {}", strerror(errno)), "", errno};
  // By edge: a record that is reserved but not finished must not keep us spinning.
  if (ring_) Watch(parts_.object.ring_fd(), EPOLLIN | EPOLLET);
  Watch(kick_.get(), EPOLLIN);
  Watch(parts_.signals.fd(), EPOLLIN);
  if (parts_.child) Watch(parts_.child->pidfd(), EPOLLIN);
  if (parts_.watched_process >= 0) Watch(parts_.watched_process, EPOLLIN);
  if (parts_.output >= 0) Watch(parts_.output, EPOLLET);  // only what always comes: EPOLLERR when the reader has gone
  return Ok{};
}

void Control::Watch(int fd, uint32_t events) {
  epoll_event event = {};
  event.events = events;
  event.data.fd = fd;
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
}

Control::~Control() {
  stop_ = true;
  Kick();
  if (thread_.joinable()) thread_.join();
  if (end_thread_.joinable()) end_thread_.join();
}

void Control::Kick() {
  const uint64_t one = 1;
  (void)!write(kick_.get(), &one, sizeof one);
}

// --- for the other threads -----------------------------------------------------------------------------------------

void Control::Sync() {
  if (!ring_) return;
  const uint64_t target = ring_->produced();
  Kick();
  std::unique_lock lock(sync_mutex_);
  // Without room nothing is taken, and the thread that makes room may be the one that waits here.
  synced_.wait(lock, [&] { return ring_->consumed() >= target || stop_ || !parts_.queue.HasRoom(); });
}

Status Control::RunByHand(image::AttachKind kind) {
  const std::lock_guard lock(by_hand_mutex_);  // END comes after a BEGIN that a signal interrupts
  if (kind == image::AttachKind::End) Shared(parts_.object.state().hurry).store(0);
  const uint32_t exits_before = exits_;
  for (size_t i = 0; i < parts_.image.programs.size(); ++i) {
    for (const image::AttachSpec& spec : parts_.image.programs[i].attach) {
      if (spec.kind != kind) continue;
      Result<int> status = RunProgram(parts_.object.program_fds()[i]);
      if (!status) return Error{fmt::format("cannot run {}: {}", spec.name, status.error().message), "", status.error().code};
      Sync();
      if (exits_ != exits_before) return Ok{};
    }
  }
  return Ok{};
}

bool Control::Activate() {
  const std::lock_guard lock(activate_mutex_);
  if (ending_) return false;
  Shared(parts_.object.state().active).store(1);
  return true;
}

void Control::End(bool orderly) {
  if (!orderly) orderly_ = false;
  ending_ = true;
  Kick();
}

// --- the thread ------------------------------------------------------------------------------------------------------

void Control::Loop() {
  bool found = false;
  while (!stop_) {
    Wait(found);
    ReadSignals();
    found = Drain();
    synced_.notify_all();
    StepPhase();
    ReportLosses(false);
  }
}

int Control::Timeout(bool found) {
  if (phase_ == Phase::Finished) return -1;
  if (!ring_) return phase_ == Phase::Running ? kSleepMs : kTimerMs;
  if (!parts_.queue.HasRoom()) return kBackPressureMs;
  auto idle = Shared(parts_.object.state().reader_idle);
  if (found || phase_ != Phase::Running) {
    empty_rounds_ = 0;
    if (idle.load() != 0) idle.store(0);
    return phase_ == Phase::Running ? kTimerMs : 1;
  }
  if (++empty_rounds_ < kEmptyRounds || !ring_->Empty()) return kTimerMs;
  if (empty_rounds_ == kEmptyRounds) {
    idle.store(1);
    return kTimerMs;
  }
  return kSleepMs;
}

void Control::Wait(bool found) {
  constexpr int kEvents = 8;
  epoll_event events[kEvents];
  const int timeout = Timeout(found);
  // Producers wake us past this mark, but only while we wait: a wake-up of who is awake would cost them for nothing.
  auto wake_mark = Shared(parts_.object.state().wake_mark);
  wake_mark.store(parts_.queue.HasRoom() ? parts_.object.ring_size() / kWakeFraction : ~uint64_t{0});
  const int count = epoll_wait(epoll_.get(), events, kEvents, timeout);
  wake_mark.store(~uint64_t{0});
  for (int i = 0; i < count; ++i) {
    const int fd = events[i].data.fd;
    if (fd == kick_.get()) {
      uint64_t kicks;
      (void)!read(fd, &kicks, sizeof kicks);
    } else if (fd == parts_.watched_process || (parts_.child && fd == parts_.child->pidfd())) {
      epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);  // it stays readable
      ending_ = true;
    } else if (fd == parts_.output && (events[i].events & (EPOLLERR | EPOLLHUP))) {
      End(false);
    }
  }
}

bool Control::Drain() {
  if (!ring_) return false;
  bool found = false;
  for (int i = 0; i < kChunksPerRound && parts_.queue.HasRoom(); ++i) {
    const std::span<const uint8_t> span = ring_->Peek(kChunkBytes);
    if (span.empty()) break;
    found = true;
    Take(span);
    const std::lock_guard lock(sync_mutex_);
    ring_->Advance(span.size());
  }
  return found;
}

// Records for the printer are copied together; those about maps go on their own, in their place among the others.
void Control::Take(std::span<const uint8_t> span) {
  size_t copied = 0;
  WalkRecords(span, [&](size_t offset, std::span<const uint8_t> record) {
    image::RecordHeader header;
    if (record.size() < sizeof header) return true;
    memcpy(&header, record.data(), sizeof header);
    if (header.event >= parts_.image.events.size()) return true;
    const image::EventSpec& spec = parts_.image.events[header.event];
    switch (spec.kind) {
      case image::EventKind::Printf:
      case image::EventKind::PrintValue:
      case image::EventKind::Time:
      case image::EventKind::System:
      case image::EventKind::Cat:
      case image::EventKind::Join:
      case image::EventKind::Errorf:
      case image::EventKind::Warnf:
      case image::EventKind::Unwatch:
      case image::EventKind::HelperError:
      case image::EventKind::Packet: break;
      case image::EventKind::PrintMap:
      case image::EventKind::ClearMap:
      case image::EventKind::ZeroMap:
      case image::EventKind::Exit:
        PushRecords(span.subspan(copied, offset - copied));
        Handle(spec, record);
        copied = offset + RingRecordBytes(static_cast<uint32_t>(record.size()));
        break;
    }
    return true;
  });
  PushRecords(span.subspan(copied));
}

void Control::Handle(const image::EventSpec& spec, std::span<const uint8_t> record) {
  if (spec.kind != image::EventKind::Exit) {
    parts_.queue.Push(MapEvent{{record.begin(), record.end()}, Clock::now()});
    return;
  }
  ++exits_;
  ending_ = true;
}

void Control::PushRecords(std::span<const uint8_t> span) {
  if (!span.empty()) parts_.queue.Push(RecordChunk{{span.begin(), span.end()}});
}

void Control::ReadSignals() {
  while (const int signal = parts_.signals.Next()) OnSignal(signal);
}

void Control::OnSignal(int signal) {
  if (!Signals::Ends(signal)) {
    if (phase_ != Phase::Running || Shared(parts_.object.state().active).load() == 0) return;
    for (size_t i = 0; i < parts_.image.programs.size(); ++i) {
      for (const image::AttachSpec& spec : parts_.image.programs[i].attach) {
        const bool meant = spec.kind == image::AttachKind::Signal && spec.config == static_cast<uint64_t>(signal);
        if (meant) (void)!RunProgram(parts_.object.program_fds()[i]);
      }
    }
    return;
  }
  const Clock::time_point now = Clock::now();
  const bool again = last_signal_ != Clock::time_point();
  if (again && now - last_signal_ < kSignalBounce) return;
  last_signal_ = now;
  Shared(parts_.object.state().hurry).store(1);
  ending_ = true;
  if (again) {
    parts_.attachments.DetachInBackground();
    DieBySignal(signal);
  }
}

void Control::StepPhase() {
  if (phase_ == Phase::Running && ending_) BeginEnd();
  if (phase_ == Phase::Quiet && (!ring_ || ring_->Empty() || !orderly_)) {
    phase_ = Phase::AtEnd;
    if (orderly_) {
      end_thread_ = std::thread([this] {
        (void)!RunByHand(image::AttachKind::End);
        end_done_ = true;
        Kick();
      });
    } else {
      end_done_ = true;
    }
  }
  if (phase_ == Phase::AtEnd && end_done_ && (!ring_ || ring_->Empty() || !orderly_)) FinishRun();
}

void Control::BeginEnd() {
  {
    const std::lock_guard lock(activate_mutex_);
    ending_ = true;
    Shared(parts_.object.state().active).store(0);
  }
  NotifyManager("STOPPING=1");
  if (parts_.child) parts_.child->Terminate();
  // Programs that had passed the test of `active` may still run on other CPUs; END comes after them.
  if (!parts_.attachments.empty() && orderly_) WaitForPrograms();
  Drain();
  phase_ = Phase::Quiet;
}

void Control::FinishRun() {
  ReportLosses(true);
  parts_.queue.Push(Finish{orderly_ && parts_.image.config.print_maps_on_exit});
  phase_ = Phase::Finished;
}

void Control::ReportLosses(bool now) {
  if (phase_ == Phase::Finished) return;
  const Clock::time_point time = Clock::now();
  if (!now && time - last_losses_ < kLossInterval) return;
  last_losses_ = time;
  parts_.clock.Look();
  const std::vector<uint64_t> counts = parts_.object.Losses();
  reported_losses_.resize(counts.size());
  Losses report;
  for (size_t i = 0; i < counts.size(); ++i) {
    const uint64_t count = counts[i];
    if (count == reported_losses_[i]) continue;
    report.losses.push_back(Loss{static_cast<uint32_t>(i / image::kLossCauses),
                                 static_cast<image::LossCause>(i % image::kLossCauses), count - reported_losses_[i]});
    reported_losses_[i] = count;
  }
  if (!report.losses.empty()) parts_.queue.Push(std::move(report));
}

}  // namespace kawk
