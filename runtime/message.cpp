#include "runtime/message.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "base/diagnostics.h"
#include "runtime/text.h"

namespace kawk {

namespace {

bool ColorOnStderr() {
  const char* no_color = std::getenv("NO_COLOR");
  return (no_color == nullptr || *no_color == '\0') && isatty(STDERR_FILENO) == 1;
}

std::string HelperName(const image::EventSpec& event) { return event.format.empty() ? "" : event.format[0].literal; }

// strerror is not for threads; this text lives as long as the program.
std::string ErrorText(int64_t code) {
  const char* text = code < 0 && code > -4096 ? strerrordesc_np(static_cast<int>(-code)) : nullptr;
  return text != nullptr ? text : fmt::format("Unknown error {}", -code);
}

std::string FileName(const image::Image& image, const Location& at) {
  return at.file < image.sources.size() ? image.sources[at.file].name : "";
}

}  // namespace

std::string LocatedMessage(const image::Image& image, const Location& at, MessageKind kind, std::string_view text) {
  const bool color = ColorOnStderr();
  const bool error = kind == MessageKind::Error;
  if (text.ends_with('\n')) text.remove_suffix(1);
  return fmt::format("{}{}:{}: {}: {}{}\n",
                     !color  ? ""
                     : error ? "\033[31m"
                             : "\033[33m",
                     FileName(image, at), SpanText(at), error ? "ERROR" : "WARNING", text, color ? "\033[0m" : "");
}

void AppendLocationJson(std::string& out, const image::Image& image, const Location& at) {
  out += ", \"filename\": ";
  AppendJsonString(out, FileName(image, at));
  out += fmt::format(", \"line\": {}, \"col\": {}", at.begin.line, at.begin.column);
}

std::string HelperErrorText(const image::Image& image, const image::EventSpec& event, int64_t code) {
  SourceMap sources;
  for (const image::SourceFile& file : image.sources) sources.Add(file.name, file.text);
  const Location& at = event.location;
  return LocatedMessage(image, at, MessageKind::Warning, ErrorText(code)) +
         fmt::format("Additional Info - helper: {}, retcode: {}\n", HelperName(event), code) +
         Excerpt(sources.Line(at.file, at.begin.line), at);
}

void AppendHelperErrorJson(std::string& out, const image::Image& image, const image::EventSpec& event, int64_t code) {
  out += "{\"type\": \"helper_error\", \"msg\": ";
  AppendJsonString(out, ErrorText(code));
  out += fmt::format(", \"helper\": \"{}\", \"retcode\": {}", HelperName(event), code);
  AppendLocationJson(out, image, event.location);
  out += "}\n";
}

}  // namespace kawk
