// The names of all tracepoints come from `available_events` (0.7 ms for 2300 of them, against 1.8 ms for reading a hundred
// folders), those of one category from its folder. Everything read is kept: a script asks once per attach point.
#include "host/tracefs.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "host/files.h"
#include "host/format.h"
#include "host/pattern.h"

namespace kawk {
namespace {

constexpr size_t kMaxFormatBytes = 1 << 20;
constexpr size_t kMaxEventListBytes = 64u << 20;
constexpr size_t kMaxFunctionListBytes = 256u << 20;
// Not tracepoints: records of the function tracers, which no program can attach to.
constexpr const char* kFtraceCategory = "ftrace";

// Traceable by the kernel's word, but a probe there stalls or recurses; the peer leaves them out too. Only patterns pass
// over them: who names one means it.
constexpr const char* kHarmfulFunctions[] = {"rcu_*", "arch_cpu_idle", "default_idle", "bpf_dispatcher_xdp_func"};

bool IsHarmful(std::string_view function) {
  return std::any_of(std::begin(kHarmfulFunctions), std::end(kHarmfulFunctions),
                     [&](const char* pattern) { return PatternMatches(pattern, function); });
}

Error PrivilegeError(const std::string& path, int error_number) {
  Error error = FileError(path, error_number);
  if (error.hint.empty()) {
    error.hint = error_number == EPERM ? "this kernel forbids it (lockdown or a security policy)" : "run as root";
  }
  return error;
}

// A part of an attach point names one folder, nothing else.
bool IsPlainName(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos && name.size() < 256;
}

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t newline = text.find('\n');
    if (newline != 0) lines.emplace_back(text.substr(0, newline));
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
  }
  return lines;
}

}  // namespace

Result<std::string> Tracefs::Root() {
  if (root_) return *root_;
  int error_number = ENOENT;
  std::string denied;
  for (const std::string& root : roots_) {
    const std::string events = root + "/events";
    if (::access(events.c_str(), R_OK | X_OK) == 0) return *(root_ = root);
    if (errno == EACCES || errno == EPERM) {
      error_number = errno;
      denied = events;
    }
  }
  if (!denied.empty()) return PrivilegeError(denied, error_number);
  return Error{"no tracefs is mounted", "mount -t tracefs tracefs /sys/kernel/tracing", ENOENT};
}

Result<const std::vector<std::string>*> Tracefs::AllEvents() {
  if (all_events_) return &*all_events_;
  Result<std::string> root = Root();
  if (!root) return root.error();
  std::vector<std::string> events;
  if (Result<std::string> text = ReadFile(*root + "/available_events", kMaxEventListBytes)) {
    events = Lines(*text);
  } else {  // some kernels let the folders be read, but not this
    Result<std::vector<std::string>> categories = ListFolder(*root + "/events", Entries::Folders);
    if (!categories) return categories.error();
    for (const std::string& category : *categories) {
      Result<const std::vector<std::string>*> some = EventsOf(category);
      if (!some) continue;  // a module went away meanwhile
      events.insert(events.end(), (*some)->begin(), (*some)->end());
    }
  }
  std::sort(events.begin(), events.end());
  all_events_ = std::move(events);
  return &*all_events_;
}

Result<const std::vector<std::string>*> Tracefs::EventsOf(const std::string& category) {
  const auto known = events_.find(category);
  if (known != events_.end()) return &known->second;
  Result<std::string> root = Root();
  if (!root) return root.error();
  std::vector<std::string>& events = events_[category];
  if (!IsPlainName(category) || category == kFtraceCategory) return &events;
  Result<std::vector<std::string>> names = ListFolder(*root + "/events/" + category, Entries::Folders);
  if (!names) {
    const Error error = names.error();
    if (error.code == ENOENT || error.code == ENOTDIR) return &events;  // no such category
    events_.erase(category);
    return error;
  }
  for (const std::string& name : *names) events.push_back(category + ":" + name);
  return &events;
}

Result<TracepointFormat> Tracefs::ReadTracepoint(const std::string& category, const std::string& event) {
  const std::string name = category + ":" + event;
  const auto known = formats_.find(name);
  if (known != formats_.end()) return known->second;
  Result<std::string> root = Root();
  if (!root) return root.error();
  const Error absent{fmt::format("tracepoint `{}` does not exist", name), "", ENOENT};
  if (!IsPlainName(category) || !IsPlainName(event) || category == kFtraceCategory) return absent;
  const std::string path = *root + "/events/" + category + "/" + event + "/format";
  Result<std::string> text = ReadFile(path, kMaxFormatBytes);
  if (!text) {
    const int code = text.error().code;
    if (code == ENOENT || code == ENOTDIR) return absent;
    if (code == EACCES || code == EPERM) return PrivilegeError(path, code);
    return text.error();
  }
  Result<TracepointFormat> format = ParseTracepointFormat(*text);
  if (!format) return Error{fmt::format("tracepoint `{}`: {}", name, format.error().message), "", 0};
  format->category = category;
  format->event = event;
  formats_.emplace(name, *format);
  return format;
}

Result<std::vector<std::string>> Tracefs::MatchTracepoints(const std::string& category, const std::string& event) {
  Result<const std::vector<std::string>*> events = HasWildcard(category) ? AllEvents() : EventsOf(category);
  if (!events) return events.error();
  std::vector<std::string> matches;
  if (!HasWildcard(category) && !HasWildcard(event)) {
    const std::string name = category + ":" + event;
    if (std::binary_search((*events)->begin(), (*events)->end(), name)) matches.push_back(name);
    return matches;
  }
  for (const std::string& name : **events) {
    const size_t colon = name.find(':');
    if (colon == std::string::npos) continue;
    const std::string_view view = name;
    if (PatternMatches(category, view.substr(0, colon)) && PatternMatches(event, view.substr(colon + 1))) matches.push_back(name);
  }
  return matches;
}

Result<const std::vector<std::string>*> Tracefs::FilterFunctions() {
  if (functions_) return &*functions_;
  std::string path = functions_path_;
  if (path.empty()) {
    Result<std::string> root = Root();
    if (!root) return root.error();
    path = *root + "/available_filter_functions";
  }
  Result<std::string> text = ReadFile(path, kMaxFunctionListBytes);
  if (text) {
    functions_ = ParseFilterFunctions(*text);
    return &*functions_;
  }
  Error error = PrivilegeError(path, text.error().code);
  error.message = "cannot read the list of traceable functions: " + text.error().message;
  if (error.code == ENOENT) error.hint = "this kernel has no function tracer (CONFIG_FUNCTION_TRACER)";
  return error;
}

Result<std::vector<std::string>> Tracefs::MatchKernelFunctions(const std::string& module, const std::string& function) {
  Result<const std::vector<std::string>*> functions = FilterFunctions();
  if (!functions) return functions.error();
  const bool any_module = module.empty() || module == "*";
  const bool is_pattern = HasWildcard(function);
  std::vector<std::string> matches;
  for (const std::string& name : **functions) {
    const std::string_view view = name;
    const size_t colon = view.find(':');
    const bool of_module = colon != std::string_view::npos;
    if (!any_module && !PatternMatches(module, of_module ? view.substr(0, colon) : "vmlinux")) continue;
    const std::string_view candidate = of_module ? view.substr(colon + 1) : view;
    if (!PatternMatches(function, candidate) || (is_pattern && IsHarmful(candidate))) continue;
    matches.push_back(name);
  }
  return matches;
}

std::vector<std::string> ParseFilterFunctions(std::string_view text) {
  std::vector<std::string> functions;
  while (!text.empty()) {
    const size_t newline = text.find('\n');
    const std::string_view line = text.substr(0, newline);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    const size_t space = line.find(' ');
    const std::string_view name = line.substr(0, space);
    // `__ftrace_invalid_address___1234` stands for a function whose section is gone.
    if (name.empty() || name.starts_with("__ftrace_invalid_address___")) continue;
    const size_t open = line.find('[', name.size());
    const size_t close = open == std::string_view::npos ? open : line.find(']', open);
    if (close == std::string_view::npos) {
      functions.emplace_back(name);
    } else {
      functions.push_back(fmt::format("{}:{}", line.substr(open + 1, close - open - 1), name));
    }
  }
  std::sort(functions.begin(), functions.end());
  functions.erase(std::unique(functions.begin(), functions.end()), functions.end());
  return functions;
}

}  // namespace kawk
