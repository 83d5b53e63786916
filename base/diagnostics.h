// What kawk says about a script: catalogued messages with a span and a hint, collected and then printed in source
// order as `file:line:col-col: ERROR: …`, the source line, a `~~~` underline and a HINT line.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/location.h"

namespace kawk {

enum class Diag : uint16_t {
#define DIAG(id, severity, format) id,
#include "base/diagnostics.def"
};

enum class Severity : uint8_t { Error, Warning };

Severity SeverityOf(Diag id);
std::string_view NameOf(Diag id);
std::string_view FormatOf(Diag id);

// The files of one compilation. Index 0 is the script itself.
class SourceMap {
 public:
  uint32_t Add(std::string name, std::string text);
  const std::string& name(uint32_t file) const { return files_[file].name; }
  const std::string& text(uint32_t file) const { return files_[file].text; }
  uint32_t size() const { return static_cast<uint32_t>(files_.size()); }
  // The line without its newline; empty when out of range. `line` starts at 1.
  std::string_view Line(uint32_t file, uint32_t line) const;

 private:
  struct File {
    std::string name;
    std::string text;
  };
  std::vector<File> files_;
};

// The first line of `at` and below it the `~~~` that points there, each with its newline. `line`: its text.
std::string Excerpt(std::string_view line, const Location& at);
// What follows the file's name: "3:5-9", or "3-4" for a span of several lines.
std::string SpanText(const Location& at);

struct Diagnostic {
  Diag id;
  Location location;
  std::string message;
  std::string hint;
};

class Diagnostics {
 public:
  // Reports `id` at `location`. `hint` may be empty.
  template <class... Args>
  void Emit(Diag id, const Location& location, const Args&... args) {
    EmitWithHint(id, location, "", args...);
  }
  template <class... Args>
  void EmitWithHint(Diag id, const Location& location, std::string hint, const Args&... args) {
    Add(Diagnostic{id, location, fmt::format(fmt::runtime(FormatOf(id)), args...), std::move(hint)});
  }

  bool has_errors() const { return errors_ > 0; }
  // Whether there is an error within that span.
  bool HasErrorIn(const Location& span) const;
  const std::vector<Diagnostic>& all() const { return all_; }
  // All diagnostics in source order; without warnings when `warnings` is false. `color` adds terminal colours.
  std::string Render(const SourceMap& sources, bool warnings, bool color) const;

 private:
  void Add(Diagnostic diagnostic);
  std::vector<Diagnostic> all_;
  int errors_ = 0;
};

// The candidate nearest to `name` by edit distance, or empty when none is near enough to be meant.
std::string Nearest(std::string_view name, const std::vector<std::string>& candidates);
// `did you mean `x`?`, or empty.
std::string DidYouMean(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace kawk
