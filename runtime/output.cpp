// Output: what an event asks for, in the order of arrival, as text or as one JSON object a line.
#include "runtime/output.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "runtime/clock.h"
#include "runtime/command.h"
#include "runtime/maps.h"
#include "runtime/message.h"
#include "runtime/packets.h"
#include "runtime/pcap_files.h"
#include "runtime/printf.h"
#include "runtime/sink.h"
#include "runtime/text.h"
#include "runtime/value.h"

namespace kawk {

using image::EventKind;
using image::EventSpec;
using image::LossCause;

namespace {

// Beyond this the buffer is written even within a batch.
constexpr size_t kBufferBound = 64 * 1024;

// clang-format off
constexpr const char* kJsonTypes[] = {
#define EVENT_KIND(id, json_type) json_type,
#include "runtime/image/kinds.def"
};
constexpr const char* kCauseTexts[] = {
#define LOSS_CAUSE(id, text, event) text,
#include "runtime/image/kinds.def"
};
constexpr bool kLosesEvent[] = {
#define LOSS_CAUSE(id, text, event) event,
#include "runtime/image/kinds.def"
};
// clang-format on

const char* JsonType(EventKind kind) { return kJsonTypes[static_cast<size_t>(kind)]; }
const char* CauseText(LossCause cause) { return kCauseTexts[static_cast<size_t>(cause)]; }

}  // namespace

struct Output::Impl {
  Impl(const image::Image& image, const RunOptions& options, Symbols& symbols, StackSource& stacks, int fd, bool owned);

  void Record(const EventSpec& event, Bytes record);
  void PrintValue(const EventSpec& event);
  void Printf(const EventSpec& event);
  void Time(const EventSpec& event);
  void Cat(const EventSpec& event);
  void Join(const EventSpec& event);
  void System(const EventSpec& event);
  void Message(const EventSpec& event, MessageKind kind);
  void HelperError(const EventSpec& event);
  void Packet(const EventSpec& event);

  // The text of an event's format and arguments; valid until the next call.
  const std::string& Formatted(const EventSpec& event);
  const FormatPlan& PlanOf(const EventSpec& event);
  // {"type": T, "data": "text"}
  void JsonText(EventKind kind, std::string_view text);
  void Lost(const std::string& probe, LossCause cause, uint64_t count);
  void LostJson(const std::string& probe, LossCause cause, uint64_t count);
  // Standard error, after what was printed before it.
  void Complain(const std::string& message);
  bool Flush(bool all);

  const image::Image& image;
  const RunOptions& options;
  const bool json;
  Sink sink;
  ValuePrinter values;
  MapPrinter maps;
  PacketBuffers* packets = nullptr;
  PcapFiles pcap_files;
  std::vector<FormatPlan> plans;  // by event
  std::vector<Bytes> args;        // of the record at hand
  std::string scratch;
  uint64_t lost = 0;  // events, in all
};

Output::Impl::Impl(const image::Image& image_in, const RunOptions& options_in, Symbols& symbols, StackSource& stacks, int fd,
                   bool owned)
    : image(image_in),
      options(options_in),
      json(options_in.format == OutputFormat::Json),
      sink(fd, owned),
      values(image_in, symbols, stacks, !json && !options_in.raw && sink.terminal()),
      maps(values) {
  plans.reserve(image.events.size());
  for (const EventSpec& event : image.events) plans.emplace_back(event, values);
  sink.buffer().reserve(2 * kBufferBound);
}

const FormatPlan& Output::Impl::PlanOf(const EventSpec& event) {
  return plans[static_cast<size_t>(&event - image.events.data())];
}

const std::string& Output::Impl::Formatted(const EventSpec& event) {
  scratch.clear();
  PlanOf(event).Append(args, scratch);
  return scratch;
}

void Output::Impl::JsonText(EventKind kind, std::string_view text) {
  std::string& out = sink.buffer();
  out += "{\"type\": \"";
  out += JsonType(kind);
  out += "\", \"data\": ";
  AppendJsonString(out, text);
  out += "}\n";
}

void Output::Impl::Complain(const std::string& message) {
  sink.Flush();
  WriteToStderr(message);
}

void Output::Impl::Record(const EventSpec& event, Bytes record) {
  if (!SliceArgs(event, values, record, args)) return;
  switch (event.kind) {
    case EventKind::Printf: Printf(event); break;
    case EventKind::PrintValue: PrintValue(event); break;
    case EventKind::Time: Time(event); break;
    case EventKind::Cat: Cat(event); break;
    case EventKind::Join: Join(event); break;
    case EventKind::System: System(event); break;
    case EventKind::Errorf: Message(event, MessageKind::Error); break;
    case EventKind::Warnf:
      if (options.warnings) Message(event, MessageKind::Warning);
      break;
    case EventKind::HelperError:
      if (options.read_warnings) HelperError(event);
      break;
    case EventKind::Packet: Packet(event); break;
    case EventKind::Unwatch:
    case EventKind::PrintMap:
    case EventKind::ClearMap:
    case EventKind::ZeroMap:
    case EventKind::Exit: return;  // the reader's own
  }
  if (sink.buffer().size() > kBufferBound) sink.Flush();
}

void Output::Impl::Printf(const EventSpec& event) {
  if (json) return JsonText(event.kind, Formatted(event));
  PlanOf(event).Append(args, sink.buffer());
}

void Output::Impl::PrintValue(const EventSpec& event) {
  if (event.args.empty()) return;
  std::string& out = sink.buffer();
  if (json) {
    out += "{\"type\": \"value\", \"data\": ";
    AppendArgJson(event.args[0], args[0], values, out);
    out += "}\n";
  } else {
    AppendArgText(event.args[0], args[0], values, out);
    out += '\n';
  }
}

void Output::Impl::Time(const EventSpec& event) {
  if (event.format.empty() || event.args.empty()) return;
  scratch.clear();
  values.TimeText(event.format[0].literal, LoadUnsigned(args[0]), scratch);
  if (json) return JsonText(event.kind, scratch);
  sink.buffer() += scratch;
}

void Output::Impl::Cat(const EventSpec& event) {
  const std::string path = Formatted(event);
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0) return Complain("ERROR: failed to open file '" + path + "' (" + strerror(errno) + ")\n");
  std::string text;
  char chunk[4096];
  while (text.size() < image.config.max_cat_bytes) {
    const ssize_t length = read(fd, chunk, std::min<uint64_t>(sizeof chunk, image.config.max_cat_bytes - text.size()));
    if (length < 0 && errno == EINTR) continue;
    if (length <= 0) break;
    text.append(chunk, static_cast<size_t>(length));
  }
  close(fd);
  if (json) return JsonText(event.kind, text);
  if (values.terminal()) return AppendForTerminal(sink.buffer(), text);  // /proc has what traced processes wrote
  sink.buffer() += text;
}

// The strings stand either each in its own argument or, one behind the other with a NUL between, in one buffer. An
// integer in front of them tells how many of them there are. The separator is the format's literal.
void Output::Impl::Join(const EventSpec& event) {
  const std::string separator = event.format.empty() ? " " : event.format[0].literal;
  uint64_t left = UINT64_MAX;
  bool first = true;
  scratch.clear();
  const auto add = [&](const image::ValueType& type, Bytes part) {
    if (left == 0) return;
    --left;
    if (!first) scratch += separator;
    first = false;
    values.StringText(type, part, scratch);
  };
  for (size_t i = 0; i < event.args.size(); ++i) {
    const image::ValueType& type = values.type(event.args[i].type);
    if (type.kind == image::ValueKind::Int) {
      left = LoadInteger(type, args[i]);
    } else if (type.kind == image::ValueKind::Buffer) {
      Bytes rest = event.args[i].variable ? args[i] : BufferBytes(args[i]);
      while (!rest.empty()) {
        const size_t length = CString(rest).size();
        add(type, rest.first(length));
        rest = rest.subspan(std::min(length + 1, rest.size()));
      }
    } else {
      add(type, args[i]);
    }
  }
  if (json) return JsonText(event.kind, scratch);
  sink.buffer() += scratch;
  sink.buffer() += '\n';
}

void Output::Impl::System(const EventSpec& event) {
  const std::string command = Formatted(event);
  std::string collected;
  sink.Flush();
  const Result<int> status = RunCommand(command, [&](std::string_view text) {
    if (json) {
      collected += text;
    } else {
      sink.buffer() += text;
      sink.Flush();
    }
  });
  if (json) {
    JsonText(event.kind, collected);
  } else if (status && *status == 0) {
    sink.buffer() += '\n';
  }
  if (!status) return Complain("ERROR: " + status.error().message + "\n");
  if (*status != 0) Complain("ERROR: command exited with code " + std::to_string(*status) + "\n");
}

void Output::Impl::Message(const EventSpec& event, MessageKind kind) {
  const std::string& text = Formatted(event);
  if (!json) return Complain(LocatedMessage(image, event.location, kind, text));
  std::string& out = sink.buffer();
  out += "{\"type\": \"" + std::string(JsonType(event.kind)) + "\", \"msg\": ";
  AppendJsonString(out, text);
  AppendLocationJson(out, image, event.location);
  out += "}\n";
}

void Output::Impl::Packet(const EventSpec& event) {
  if (packets == nullptr || event.format.empty() || event.args.size() < 2) return;
  const auto cpu = static_cast<uint32_t>(LoadUnsigned(args[1]));
  const std::optional<PacketBuffers::Packet> packet = packets->Take(cpu, LoadUnsigned(args[0]));
  if (!packet) return;
  const int64_t wall_ns = values.clock().At(static_cast<int64_t>(packet->time));
  pcap_files.Write(event.format[0].literal, wall_ns, packet->bytes);
}

void Output::Impl::HelperError(const EventSpec& event) {
  if (event.args.empty()) return;
  const auto code = static_cast<int64_t>(LoadInteger(values.type(event.args[0].type), args[0]));
  if (!json) return Complain(HelperErrorText(image, event, code));
  AppendHelperErrorJson(sink.buffer(), image, event, code);
}

void Output::Impl::LostJson(const std::string& probe, LossCause cause, uint64_t count) {
  const std::string number = std::to_string(count);
  std::string& out = sink.buffer();
  switch (cause) {
    case LossCause::RingFull:
    case LossCause::NoScratch:
    case LossCause::Recursion:
      out += "{\"type\": \"lost_events\", \"count\": " + number + ", \"data\": {\"events\": " + number + "}";
      break;
    case LossCause::MapFull:
      out += "{\"type\": \"helper_error\", \"msg\": \"map full\", \"helper\": \"map_update_elem\", \"retcode\": -7, \"count\": " +
             number;
      break;
    case LossCause::ReadFailed:
      out +=
          "{\"type\": \"helper_error\", \"msg\": \"memory read failed\", \"helper\": \"probe_read\", \"retcode\": -14, "
          "\"count\": " +
          number;
      break;
    case LossCause::LoopCut:
      out +=
          "{\"type\": \"helper_error\", \"msg\": \"loop cut short\", \"helper\": \"loop\", \"retcode\": -7, \"count\": " + number;
      break;
  }
  out += ", \"probe\": ";
  AppendJsonString(out, probe);
  out += ", \"cause\": ";
  AppendJsonString(out, CauseText(cause));
  out += "}\n";
}

void Output::Impl::Lost(const std::string& probe, LossCause cause, uint64_t count) {
  if (count == 0 || (cause == LossCause::ReadFailed && !options.read_warnings)) return;
  if (kLosesEvent[static_cast<size_t>(cause)]) lost += count;
  if (json) return LostJson(probe, cause, count);
  const std::string number = std::to_string(count);
  const std::string times = count == 1 ? " time" : " times";
  switch (cause) {
    case LossCause::RingFull:
    case LossCause::NoScratch:
    case LossCause::Recursion: return Complain("Lost " + number + " events of " + probe + ": " + CauseText(cause) + "\n");
    case LossCause::MapFull:
      return Complain("WARNING: Map full; can't update element (" + number + times + " in " + probe +
                      "). Try increasing max_map_keys config or manually setting the max entries in a map declaration e.g. "
                      "`let @a = hash(5000)`\n");
    case LossCause::ReadFailed:
      return Complain("WARNING: " + number + (count == 1 ? " more read" : " more reads") + " failed in " + probe + "\n");
    case LossCause::LoopCut:
      return Complain("WARNING: A loop had more turns than it may have and was stopped (" + number + times + " in " + probe +
                      ")\n");
  }
}

bool Output::Impl::Flush(bool all) {
  if (!pcap_files.Flush()) return false;
  if (!all && options.buffering == Buffering::Full && sink.buffer().size() < kBufferBound) return sink.error() == 0;
  return sink.Flush();
}

Result<std::unique_ptr<Output>> Output::Open(const image::Image& image, const RunOptions& options, Symbols& symbols,
                                             StackSource& stacks, PacketBuffers* packets) {
  // A reader that went away shows as EPIPE from write(2), so that the maps' owner can still detach and leave cleanly.
  signal(SIGPIPE, SIG_IGN);
  int fd = STDOUT_FILENO;
  const bool owned = !options.output_path.empty();
  if (owned) {
    fd = open(options.output_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return Error{"cannot write " + options.output_path + ": " + strerror(errno), "", errno};
  }
  auto impl = std::make_unique<Impl>(image, options, symbols, stacks, fd, owned);
  impl->packets = packets;
  for (const EventSpec& event : image.events) {
    if (event.kind != EventKind::Packet || event.format.empty()) continue;
    Status created = impl->pcap_files.Create(event.format[0].literal);
    if (!created) return created.error();
  }
  return std::unique_ptr<Output>(new Output(std::move(impl)));
}

Output::Output(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Output::~Output() = default;

WallClock& Output::clock() { return impl_->values.clock(); }

void Output::Record(const EventSpec& event, std::span<const uint8_t> record) { impl_->Record(event, record); }

void Output::Map(const MapSnapshot& snapshot, uint64_t top, uint64_t div) {
  if (impl_->json) {
    impl_->maps.Json(snapshot, top, div, impl_->sink.buffer());
  } else {
    impl_->maps.Text(snapshot, top, div, impl_->sink.buffer(), [&] { impl_->sink.Flush(); });
  }
  if (impl_->sink.buffer().size() > kBufferBound) impl_->sink.Flush();
}

void Output::FinalMaps(const std::vector<MapSnapshot>& snapshots) {
  if (!impl_->json) impl_->sink.buffer() += "\n\n";
  if (impl_->image.config.print_maps_on_exit) {
    for (const MapSnapshot& snapshot : snapshots) {
      if (!snapshot.entries.empty()) Map(snapshot, 0, 0);
    }
  }
  impl_->Flush(true);
  if (impl_->lost > 0) impl_->Complain("WARNING: Total lost event count: " + std::to_string(impl_->lost) + "\n");
}

void Output::Text(const std::string& text) {
  impl_->sink.buffer() += text;
  impl_->Flush(false);
}

void Output::AttachedProbes(uint64_t count) {
  if (impl_->options.quiet) return;
  const std::string number = std::to_string(count);
  if (impl_->json) {
    impl_->sink.buffer() +=
        "{\"type\": \"attached_probes\", \"count\": " + number + ", \"data\": {\"probes\": " + number + "}}\n";
    impl_->Flush(false);
  } else {
    impl_->Complain("Attached " + number + (count == 1 ? " probe\n" : " probes\n"));
  }
}

void Output::Lost(const std::string& probe, LossCause cause, uint64_t count) { impl_->Lost(probe, cause, count); }
bool Output::Flush() { return impl_->Flush(false); }
int Output::error() const { return impl_->sink.error() != 0 ? impl_->sink.error() : impl_->pcap_files.error(); }

}  // namespace kawk
