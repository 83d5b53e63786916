// The life of a run after loading, in a thread of its own: drains the ring, watches signals and processes, and when the end
// has come, runs END and hands over. It never waits for output, so neither the ring nor Ctrl-C does.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "base/result.h"
#include "runtime/attach.h"
#include "runtime/child.h"
#include "runtime/clock.h"
#include "runtime/loader.h"
#include "runtime/map_store.h"
#include "runtime/queue.h"
#include "runtime/ring.h"
#include "runtime/signals.h"

namespace kawk {

// What a run consists of; all of it outlives the Control.
struct ControlParts {
  const image::Image& image;
  const LoadedObject& object;
  const Signals& signals;
  const Attachments& attachments;
  Queue& queue;
  WallClock& clock;
  Child* child = nullptr;    // of -c
  int watched_process = -1;  // pidfd of -p
  int output = -1;           // a pipe or socket whose reader may go
};

class Control {
 public:
  static Result<std::unique_ptr<Control>> Start(const ControlParts& parts);
  ~Control();
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  // Runs the programs of this kind, BEGIN or END, in order, until one calls exit().
  Status RunByHand(image::AttachKind kind);
  // Lets the programs fire, unless the end has come; says whether it did.
  bool Activate();
  bool ending() const { return ending_; }
  // Asks for the end. Without `orderly`, because nobody can see it any more, END does not run and no map is read.
  void End(bool orderly);

 private:
  enum class Phase { Running, Quiet, AtEnd, Finished };
  using Clock = std::chrono::steady_clock;

  explicit Control(const ControlParts& parts) : parts_(parts) {}
  Status Open();
  void Watch(int fd, uint32_t events);
  void Loop();
  void Kick();
  // Waits until the records that are in the ring now are taken.
  void Sync();

  bool Drain();
  void Take(std::span<const uint8_t> span);
  void Handle(const image::EventSpec& spec, std::span<const uint8_t> record);
  void PushRecords(std::span<const uint8_t> span);

  void ReadSignals();
  void OnSignal(int signal);
  void StepPhase();
  void BeginEnd();
  void FinishRun();
  void ReportLosses(bool now);
  void Wait(bool found);
  int Timeout(bool found);

  const ControlParts parts_;
  std::unique_ptr<Ring> ring_;
  Fd epoll_;
  Fd kick_;
  std::thread thread_;

  std::atomic<bool> stop_ = false;
  std::atomic<bool> ending_ = false;
  std::atomic<bool> orderly_ = true;
  std::atomic<bool> end_done_ = false;
  std::atomic<uint32_t> exits_ = 0;  // exit() calls seen
  std::mutex activate_mutex_;        // between Activate and the end
  std::mutex by_hand_mutex_;         // BEGIN and END programs run one after another
  std::mutex sync_mutex_;
  std::condition_variable synced_;

  Phase phase_ = Phase::Running;
  std::thread end_thread_;
  int empty_rounds_ = 0;
  bool process_ended_ = false;
  Clock::time_point last_signal_;
  Clock::time_point last_losses_;
  std::vector<uint64_t> reported_losses_;
};

}  // namespace kawk
