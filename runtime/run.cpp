// The order of a run, top to bottom. BEGIN finishes before any probe is attached, its output is printed after the line that
// tells how many are; END starts after the last event.
#include "runtime/run.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <optional>
#include <thread>

#include "runtime/attach.h"
#include "runtime/child.h"
#include "runtime/control.h"
#include "runtime/loader.h"
#include "runtime/machine.h"
#include "runtime/map_events.h"
#include "runtime/map_store.h"
#include "runtime/notify.h"
#include "runtime/output.h"
#include "runtime/packets.h"
#include "runtime/queue.h"
#include "runtime/signals.h"
#include "runtime/symbols.h"
#include "runtime/test_mode.h"
#include "runtime/tracing.h"
#include "runtime/unwind_tables.h"

namespace kawk {
namespace {

using image::AttachKind;

constexpr size_t kQueueBytes = 64 << 20;

std::vector<int> SignalsOf(const image::Image& image) {
  std::vector<int> signals;
  for (const image::ProgramSpec& program : image.programs) {
    for (const image::AttachSpec& spec : program.attach) {
      if (spec.kind == AttachKind::Signal) signals.push_back(static_cast<int>(spec.config));
    }
  }
  return signals;
}

// What can be missing is looked for before anything is loaded, which takes longest.
Status CheckFirst(const image::Image& image) {
  Status valid = image::ValidateImage(image);
  if (!valid) return Error{"the compiled script is damaged: " + valid.error().message, "compile the script again", 0};
  Status privileges = CheckPrivileges();
  if (!privileges) return privileges;
  for (const image::ProgramSpec& program : image.programs) {
    for (const image::AttachSpec& spec : program.attach) {
      if (spec.kind != AttachKind::Tracepoint) continue;
      Result<std::string> tracefs = FindTracefs();
      if (!tracefs) return tracefs.error();
      return Ok{};
    }
  }
  return Ok{};
}

uint64_t ReadClock(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  constexpr uint64_t kNsPerSecond = 1'000'000'000;
  return static_cast<uint64_t>(now.tv_sec) * kNsPerSecond + static_cast<uint64_t>(now.tv_nsec);
}

void SetState(const LoadedObject& object, const RunOptions& options, const Child* child) {
  image::ProgramState& state = object.state();
  state.start_ns = ReadClock(CLOCK_BOOTTIME);
  state.tai_minus_boot = ReadClock(CLOCK_TAI) - ReadClock(CLOCK_BOOTTIME);
  state.cpus = object.possible_cpus();
  state.target_pid = static_cast<uint32_t>(options.pid);
  state.child_pid = child ? static_cast<uint32_t>(child->pid()) : 0;
  FindPidNamespace(state);
}

// Standard output, when it is something whose reader can go away.
int FragileOutput(const RunOptions& options) {
  struct stat info;
  if (!options.output_path.empty() || fstat(STDOUT_FILENO, &info) != 0) return -1;
  return S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode) || S_ISCHR(info.st_mode) ? STDOUT_FILENO : -1;
}

void Warn(const RunOptions& options, const std::vector<Error>& warnings) {
  if (!options.warnings) return;
  for (const Error& warning : warnings)
    fputs(fmt::format("WARNING: {}\n", warning.message).c_str(), stderr);  // fmt::print throws
}

// Prints what the control thread hands over, until the end.
class Printer {
 public:
  Printer(const image::Image& image, const MapStore& maps, Output& output, Attachments& attachments)
      : image_(image), map_events_(image, maps), output_(output), attachments_(attachments) {}

  void Run(Queue& queue, Control& control) {
    for (;;) {
      QueueItem item = queue.Pop();
      const bool last = std::holds_alternative<Finish>(item);
      if (output_.error() == 0) std::visit([&](auto& part) { Print(part); }, item);
      if ((last || queue.Empty()) && output_.error() == 0) output_.Flush();
      if (output_.error() != 0 && !gone_) {
        gone_ = true;
        control.End(false);
      }
      if (last) return;
    }
  }

 private:
  void Print(const RecordChunk& chunk) {
    WalkRecords(chunk.bytes, [&](size_t, std::span<const uint8_t> record) {
      image::RecordHeader header;
      if (record.size() < sizeof header) return true;
      memcpy(&header, record.data(), sizeof header);
      if (header.event >= image_.events.size()) return true;
      const image::EventSpec& spec = image_.events[header.event];
      if (spec.kind == image::EventKind::Unwatch) {
        Unwatch(spec, record);
      } else {
        output_.Record(spec, record);
      }
      return output_.error() == 0;
    });
  }
  void Unwatch(const image::EventSpec& spec, std::span<const uint8_t> record) {
    uint64_t address = 0;
    if (spec.args.empty() || record.size() < spec.args[0].offset + sizeof address) return;
    memcpy(&address, record.data() + spec.args[0].offset, sizeof address);
    if (attachments_.Unwatch(address)) return;
    fputs(fmt::format("WARNING: there is no watchpoint at 0x{:x}\n", address).c_str(), stderr);
  }
  void Print(const MapEvent& event) {
    image::RecordHeader header;
    memcpy(&header, event.record.data(), sizeof header);
    const image::EventSpec& spec = image_.events[header.event];
    if (spec.kind == image::EventKind::PrintMap) {
      output_.Map(map_events_.Snapshot(spec, event.record, event.drained), spec.top, spec.div);
    } else {
      map_events_.Clear(spec, event.record);
    }
  }
  void Print(const Losses& losses) {
    for (const Loss& loss : losses.losses) output_.Lost(ProgramName(image_.programs[loss.program]), loss.cause, loss.count);
  }
  void Print(const Finish& finish) { output_.FinalMaps(finish.print_maps ? map_events_.Final() : std::vector<MapSnapshot>()); }

  const image::Image& image_;
  MapEvents map_events_;
  Output& output_;
  Attachments& attachments_;
  bool gone_ = false;
};

// The exit status when all is done: a full disk is an error, a reader who has seen enough is none.
Result<int> ExitStatus(const Output& output, const LoadedObject& object) {
  const int code = output.error();
  if (code != 0 && code != EPIPE) return Error{fmt::format("cannot write the output: {}", strerror(code)), "", code};
  return std::atomic_ref<int32_t>(object.state().exit_code).load();
}

struct Watched {
  std::optional<Child> child;
  Fd process;
};

Result<Watched> StartWatching(const RunOptions& options) {
  Watched watched;
  if (options.pid != 0) {
    Result<Fd> process = WatchProcess(options.pid);
    if (!process) return process.error();
    watched.process = std::move(*process);
  }
  if (!options.command.empty()) {
    Result<Child> child = Child::Start(options.command);
    if (!child) return child.error();
    watched.child = std::move(*child);
  }
  return watched;
}

// Whether nothing fires but once.
bool FiresOnce(const image::Image& image) {
  for (const image::ProgramSpec& program : image.programs) {
    for (const image::AttachSpec& spec : program.attach) {
      const bool once = spec.kind == AttachKind::Begin || spec.kind == AttachKind::End || spec.kind == AttachKind::Iter;
      if (!once) return false;
    }
  }
  return true;
}

// Runs every iterator to its end. A script that has nothing else, or only BEGIN and END, has then seen all it can see, unless
// it waits for its command.
void RunIterators(const image::Image& image, const Attachments& attachments, Control& control, const RunOptions& options) {
  bool any = false;
  for (const image::ProgramSpec& program : image.programs) {
    for (const image::AttachSpec& spec : program.attach) {
      any = any || spec.kind == AttachKind::Iter;
      if (spec.kind == AttachKind::Iter && !spec.path.empty() && !options.quiet)
        fmt::print(stderr, "Program pinned to {}\n", spec.path);
    }
  }
  for (const int link : attachments.iterators()) {
    if (control.ending()) return;
    const Status status = RunIterator(link);
    if (!status) fputs(fmt::format("ERROR: {}\n", status.error().message).c_str(), stderr);
  }
  if (FiresOnce(image) && (any || options.command.empty())) control.End(true);
}

// --test and --bench: nothing is attached; what the tests print comes behind their results. The status is 1 when one failed.
Result<int> RunAlone(const image::Image& image, const LoadedObject& object, Control& control, Printer& printer, Output& output,
                     Queue& queue, const RunOptions& options) {
  const bool json = options.format == OutputFormat::Json;
  Result<int> failed =
      options.kind == RunKind::Test ? RunTests(image, object, output, json) : RunBenchmarks(image, object, output, json);
  if (!failed) return failed;
  control.End(true);
  printer.Run(queue, control);
  Result<int> status = ExitStatus(output, object);
  return status && *status == 0 && *failed > 0 ? Result<int>(1) : status;
}

}  // namespace

Result<int> Run(const image::Image& image, const RunOptions& options) {
  Status first = CheckFirst(image);
  if (!first) return first.error();
  OccupyStandardFiles();
  RaiseFileLimit();
  Result<std::unique_ptr<LoadedObject>> loaded = LoadedObject::Load(image, options);
  if (!loaded) return loaded.error();
  const LoadedObject& object = **loaded;
  Result<Signals> signals = Signals::Take(SignalsOf(image));
  if (!signals) return signals.error();

  Result<Watched> watched = StartWatching(options);
  if (!watched) return watched.error();
  Child* child = watched->child ? &*watched->child : nullptr;
  SetState(object, options, child);

  UnwindTables unwind(object.unwind_process_fd(), object.unwind_table_fd());
  Symbols symbols(image.config, options.demangle_rust);
  if (!options.dry_run) symbols.Watch(image, static_cast<uint32_t>(options.pid), object.unwinds() ? &unwind : nullptr);
  MapStore maps(image, object);
  std::unique_ptr<PacketBuffers> packets;
  if (object.packet_fd() >= 0) {
    Result<std::unique_ptr<PacketBuffers>> opened = PacketBuffers::Open(object.packet_fd());
    if (!opened) return opened.error();
    packets = std::move(*opened);
  }
  Result<std::unique_ptr<Output>> output = Output::Open(image, options, symbols, maps, packets.get());
  if (!output) return output.error();
  object.state().wall_minus_boot = (*output)->clock().At(0);  // the first distance it saw: tseries() counts by that
  Queue queue(kQueueBytes);
  Attachments attachments(AttachOptions{.pid = child ? child->pid() : options.pid});
  Result<std::unique_ptr<Control>> started = Control::Start(
      {image, object, *signals, attachments, queue, (*output)->clock(), child, watched->process.get(), FragileOutput(options)});
  if (!started) return started.error();
  Control& control = **started;

  Printer printer(image, maps, **output, attachments);
  if (options.kind != RunKind::Trace) return RunAlone(image, object, control, printer, **output, queue, options);
  if (!options.dry_run) {
    Status begin = control.RunByHand(AttachKind::Begin);
    if (!begin) return begin.error();
  }
  std::vector<Error> warnings;
  Status attached = attachments.AttachAll(image, object, [&] { return control.ending(); }, warnings);
  if (!attached) return attached.error();
  Warn(options, warnings);
  if (options.dry_run) return 0;
  // Live before we say so: who waits for the line must not be too early.
  const bool live = control.Activate();
  if (!options.quiet) (*output)->AttachedProbes(attachments.count());
  NotifyManager("READY=1");
  NotifyHarness();
  if (live && child) child->Release();

  std::thread iterating([&] { RunIterators(image, attachments, control, options); });
  printer.Run(queue, control);
  iterating.join();
  started->reset();  // before the links: it watches for a second Ctrl-C until here
  attachments.Detach();
  return ExitStatus(**output, object);
}

}  // namespace kawk
