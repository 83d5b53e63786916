// One small function per form of attach point.
#include "ast/attach_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "stdlib/perf_events.h"

namespace kawk {
namespace {

constexpr uint64_t kShortestPeriod = 1000;  // ns: what a timer of the kernel can still do

struct TimeUnit {
  std::string_view name;
  uint64_t nanoseconds;  // 0: hertz
};
constexpr std::array kTimeUnits = {TimeUnit{"hz", 0}, TimeUnit{"s", 1000000000}, TimeUnit{"ms", 1000000}, TimeUnit{"us", 1000}};

bool HasParts(const Parts& in, const AttachPoint& point, size_t least, size_t most) {
  if (in.parts.size() >= least && in.parts.size() <= most) return true;
  in.diagnostics.EmitWithHint(Diag::AttachPointParts, point.location, fmt::format("write {}", in.row.syntax), in.row.name,
                              in.parts.size(), in.parts.size() == 1 ? "" : "s");
  return false;
}

// interval, profile: `s:1`, `hz:99`, `1s`, `1000000`.
bool ParseTimer(const Parts& in, AttachPoint& point) {
  if (!HasParts(in, point, 1, 2)) return false;
  const TimeUnit* unit = nullptr;
  if (in.parts.size() == 2) {
    for (const TimeUnit& candidate : kTimeUnits) {
      if (candidate.name == in.parts[0]) unit = &candidate;
    }
    if (unit == nullptr) {
      in.diagnostics.EmitWithHint(Diag::UnknownTimeUnit, point.location, "units are hz, s, ms and us; or write `1m`",
                                  in.parts[0]);
      return false;
    }
  }
  std::optional<uint64_t> count = ParseNumber(in.parts.back());
  if (!count && unit == nullptr) count = ParseDuration(in.parts.back());
  if (!count) {
    in.diagnostics.EmitWithHint(Diag::BadProbeCount, point.location, fmt::format("write {}", in.row.syntax), in.parts.back(),
                                in.row.name);
    return false;
  }
  if (*count == 0) {
    in.diagnostics.Emit(Diag::ZeroProbeCount, point.location, in.row.name);
    return false;
  }
  if (unit != nullptr && unit->nanoseconds == 0) {
    point.frequency = *count;
    return true;
  }
  if (__builtin_mul_overflow(*count, unit != nullptr ? unit->nanoseconds : 1, &point.period)) {
    in.diagnostics.Emit(Diag::BadProbeCount, point.location, in.parts.back(), in.row.name);
    return false;
  }
  if (point.period < kShortestPeriod) {
    in.diagnostics.EmitWithHint(Diag::PeriodTooShort, point.location,
                                "a bare number is in nanoseconds; write e.g. `1s` or `hz:99`", in.row.name, point.period);
    return false;
  }
  if (unit == nullptr) point.name = fmt::format("{}:us:{}", in.row.name, point.period / 1000);
  return true;
}

bool ParsePerfEvent(const Parts& in, AttachPoint& point, PerfEventType type) {
  if (!HasParts(in, point, 1, 2)) return false;
  const PerfEventRow* event = FindPerfEvent(type, in.parts[0]);
  if (event == nullptr) {
    const std::vector<std::string_view> names = PerfEventNames(type);
    in.diagnostics.EmitWithHint(Diag::UnknownPerfEvent, point.location, DidYouMean(in.parts[0], {names.begin(), names.end()}),
                                in.row.name, in.parts[0]);
    return false;
  }
  point.target = event->name;
  point.config = event->config;
  point.period = event->default_count;
  if (in.parts.size() < 2) return true;
  const std::optional<uint64_t> count = ParseNumber(in.parts[1]);
  if (!count) {
    in.diagnostics.Emit(Diag::BadProbeCount, point.location, in.parts[1], in.row.name);
    return false;
  }
  if (*count > 0) point.period = *count;  // 0 stands for the event's usual count, as in the peer
  return true;
}

// Splits `function+offset`. False after an error.
bool SplitOffset(const Parts& in, AttachPoint& point, bool offset_allowed) {
  const size_t plus = point.target.rfind('+');
  if (plus == std::string::npos) return true;
  const std::string text = point.target.substr(plus + 1);
  const std::optional<uint64_t> offset = ParseNumber(text);
  if (!offset) {
    in.diagnostics.Emit(Diag::BadProbeOffset, point.location, text);
    return false;
  }
  if (!offset_allowed) {
    in.diagnostics.Emit(Diag::ProbeOffsetNotAllowed, point.location, in.row.name);
    return false;
  }
  point.offset = *offset;
  point.target.resize(plus);
  return true;
}

bool ParseKernelFunction(const Parts& in, AttachPoint& point, bool offset_allowed) {
  if (!HasParts(in, point, 1, 2)) return false;
  if (in.parts.size() == 2) point.group = in.parts[0];
  point.target = in.parts.back();
  if (const std::optional<uint64_t> address = in.parts.size() == 1 ? ParseNumber(point.target) : std::nullopt) {
    point.address = *address;
    point.target.clear();
    return true;
  }
  return SplitOffset(in, point, offset_allowed);
}

// binary@file:line[:column]: the last `@` before numbers only; a name may hold one, too.
bool IsSourceLine(const Parts& in) {
  const auto is_decimal = [](const std::string& text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  };
  const size_t at = in.parts[0].rfind('@');
  return at != std::string::npos && at != 0 && at + 1 < in.parts[0].size() &&
         std::all_of(in.parts.begin() + 1, in.parts.end(), is_decimal);
}

bool ParseSourceLine(const Parts& in, AttachPoint& point) {
  const size_t at = in.parts[0].rfind('@');
  point.path = in.parts[0].substr(0, at);
  point.source = in.parts[0].substr(at + 1);
  for (size_t i = 1; i < in.parts.size(); ++i) {
    const std::optional<uint64_t> number = ParseNumber(in.parts[i]);
    if (!number || *number == 0 || *number > INT32_MAX) {
      in.diagnostics.Emit(Diag::BadSourceLine, point.location, in.parts[i]);
      return false;
    }
    (i == 1 ? point.line : point.column) = *number;
  }
  return true;
}

bool ParseUserFunction(const Parts& in, AttachPoint& point, bool offset_allowed) {
  if (!HasParts(in, point, 2, 3)) return false;
  if (offset_allowed && IsSourceLine(in)) return ParseSourceLine(in, point);
  point.path = in.parts[0];
  if (in.parts.size() == 3) {
    point.demangled = in.parts[1] == "cpp";
    if (!point.demangled) {
      in.diagnostics.EmitWithHint(Diag::UnknownLanguage, point.location, "the language is `cpp`", in.parts[1]);
      return false;
    }
  }
  point.target = in.parts.back();
  if (const std::optional<uint64_t> address = ParseNumber(point.target)) {
    point.address = *address;
    point.target.clear();
    return true;
  }
  return SplitOffset(in, point, offset_allowed);
}

bool ParseUsdt(const Parts& in, AttachPoint& point) {
  if (!HasParts(in, point, 2, 3)) return false;
  point.path = in.parts[0];
  point.group = in.parts.size() == 3 ? in.parts[1] : "";
  point.target = in.parts.back();
  return true;
}

// fentry, fexit: a function of the kernel, or a BPF program by its name, and where that is not enough by its id.
bool ParseTracedFunction(const Parts& in, AttachPoint& point) {
  if (!HasParts(in, point, 1, 3)) return false;
  point.target = in.parts.back();
  if (in.parts.size() == 1) return true;
  if (in.parts[0] != "bpf" && in.parts.size() == 2) {
    point.group = in.parts[0];
    return true;
  }
  if (in.parts[0] != "bpf") return HasParts(in, point, 1, 2);
  point.group = "bpf";
  if (in.parts.size() == 2) return true;
  const std::optional<uint64_t> id = ParseNumber(in.parts[1]);
  if (!id || *id == 0) {
    in.diagnostics.Emit(Diag::BadProbeCount, point.location, in.parts[1], in.row.name);
    return false;
  }
  point.config = *id;
  return true;
}

bool ParseIterator(const Parts& in, AttachPoint& point) {
  if (!HasParts(in, point, 1, 2)) return false;
  point.target = in.parts[0];
  if (in.parts.size() == 2) point.path = in.parts[1].starts_with('/') ? in.parts[1] : "/sys/fs/bpf/" + in.parts[1];
  return true;
}

bool ParseSignal(const Parts& in, AttachPoint& point) {
  if (!HasParts(in, point, 2, 2)) return false;
  constexpr std::array kSignals = {std::pair{"SIGUSR1", SIGUSR1}, std::pair{"SIGUSR2", SIGUSR2}};
  for (const auto& [name, number] : kSignals) {
    if (in.parts[0] != "signal" || in.parts[1] != name) continue;
    point.config = static_cast<uint64_t>(number);
    return true;
  }
  in.diagnostics.EmitWithHint(Diag::BadSelfProbe, point.location, "write self:signal:SIGUSR1 or self:signal:SIGUSR2", point.name);
  return false;
}

// watchpoint:ADDRESS:LENGTH:MODE; config: HW_BREAKPOINT_R | _W | _X.
bool ParseWatchpoint(const Parts& in, AttachPoint& point) {
  if (!HasParts(in, point, 3, 3)) return false;
  const std::optional<uint64_t> address = ParseNumber(in.parts[0]);
  const std::optional<uint64_t> length = ParseNumber(in.parts[1]);
  if (!address) {
    in.diagnostics.EmitWithHint(Diag::BadWatchpoint, point.location, "write a number, such as 0x404040", "address", in.parts[0]);
    return false;
  }
  if (!length || (*length != 1 && *length != 2 && *length != 4 && *length != 8)) {
    in.diagnostics.EmitWithHint(Diag::BadWatchpoint, point.location, "the CPU can watch 1, 2, 4 or 8 bytes", "length",
                                in.parts[1]);
    return false;
  }
  uint64_t modes = 0;
  for (const char c : in.parts[2]) modes |= c == 'r' ? 1 : c == 'w' ? 2 : c == 'x' ? 4 : 8;
  if (modes != 2 && modes != 3 && modes != 4) {
    in.diagnostics.EmitWithHint(Diag::BadWatchpoint, point.location, "the CPU can watch w, rw or x", "mode", in.parts[2]);
    return false;
  }
  if (*address % *length != 0) {
    in.diagnostics.EmitWithHint(Diag::BadWatchpoint, point.location,
                                fmt::format("the CPU watches {} bytes at multiples of {}", *length, *length), "address",
                                in.parts[0]);
    return false;
  }
  point.offset = *address;
  point.period = *length;
  point.config = modes;
  return true;
}

bool ParseTracepoint(const Parts& in, AttachPoint& point) {
  if (!HasParts(in, point, 2, 2)) return false;
  point.group = in.parts[0];
  point.target = in.parts[1];
  return true;
}

bool ParseRawTracepoint(const Parts& in, AttachPoint& point) {
  if (!HasParts(in, point, 1, 2)) return false;
  if (in.parts.size() == 2) point.group = in.parts[0];
  point.target = in.parts.back();
  return true;
}

}  // namespace

bool ParseParts(const Parts& in, AttachPoint& point) {
  switch (point.kind) {
    case ProbeKind::Begin: point.name = "begin"; return HasParts(in, point, 0, 0);
    case ProbeKind::End: point.name = "end"; return HasParts(in, point, 0, 0);
    case ProbeKind::Signal: return ParseSignal(in, point);
    case ProbeKind::Test:
    case ProbeKind::Bench: return HasParts(in, point, 1, 1) && (point.target = in.parts[0], true);
    case ProbeKind::Interval:
    case ProbeKind::Profile: return ParseTimer(in, point);
    case ProbeKind::Software: return ParsePerfEvent(in, point, PerfEventType::Software);
    case ProbeKind::Hardware: return ParsePerfEvent(in, point, PerfEventType::Hardware);
    case ProbeKind::Watchpoint: return ParseWatchpoint(in, point);
    case ProbeKind::Usdt: return ParseUsdt(in, point);
    case ProbeKind::Tracepoint: return ParseTracepoint(in, point);
    case ProbeKind::RawTracepoint: return ParseRawTracepoint(in, point);
    case ProbeKind::Uprobe: return ParseUserFunction(in, point, true);
    case ProbeKind::Uretprobe: return ParseUserFunction(in, point, false);
    case ProbeKind::Kprobe: return ParseKernelFunction(in, point, true);
    case ProbeKind::Kretprobe: return ParseKernelFunction(in, point, false);
    case ProbeKind::Fentry:
    case ProbeKind::Fexit: return ParseTracedFunction(in, point);
    case ProbeKind::Iter: return ParseIterator(in, point);
  }
  UNREACHABLE("probe kind");
}

}  // namespace kawk
