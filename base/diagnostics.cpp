#include "base/diagnostics.h"

#include <algorithm>
#include <array>
#include <tuple>

namespace kawk {
namespace {

struct Row {
  std::string_view name;
  Severity severity;
  std::string_view format;
};

constexpr std::array kRows = {
#define DIAG(id, severity, format) Row{#id, Severity::severity, format},
#include "base/diagnostics.def"
};

const Row& RowOf(Diag id) { return kRows[static_cast<size_t>(id)]; }

// Tabs stay tabs so that the underline lines up; other control bytes must not reach a terminal.
std::string Printable(std::string_view line) {
  std::string out(line);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\t') c = '?';
  }
  return out;
}

std::string Underline(std::string_view line, const Location& at) {
  std::string out;
  const size_t from = at.begin.column - 1;
  const size_t to = at.end.line == at.begin.line ? at.end.column - 1 : line.size();
  for (size_t i = 0; i < from; ++i) out += i < line.size() && line[i] == '\t' ? '\t' : ' ';
  out.append(to > from ? to - from : 1, '~');
  return out;
}

}  // namespace

// Of a very long line only what is around the place.
std::string Excerpt(std::string_view line, const Location& at) {
  constexpr uint32_t kLongest = 400, kBefore = 100;
  Location shown = at;
  if (line.size() > kLongest) {
    const uint32_t skipped = std::min<uint32_t>(at.begin.column - 1, static_cast<uint32_t>(line.size())) / kBefore * kBefore;
    line = line.substr(skipped, kLongest);
    shown.begin.column -= skipped;
    if (at.end.line == at.begin.line) shown.end.column = std::min(at.end.column - skipped, kLongest + 1);
  }
  const std::string printable = Printable(line);
  return printable + "\n" + Underline(printable, shown) + "\n";
}

std::string SpanText(const Location& at) {
  if (at.end.line != at.begin.line) return fmt::format("{}-{}", at.begin.line, at.end.line);
  return fmt::format("{}:{}-{}", at.begin.line, at.begin.column, at.end.column);
}

Severity SeverityOf(Diag id) { return RowOf(id).severity; }
std::string_view NameOf(Diag id) { return RowOf(id).name; }
std::string_view FormatOf(Diag id) { return RowOf(id).format; }

uint32_t SourceMap::Add(std::string name, std::string text) {
  files_.push_back({std::move(name), std::move(text)});
  return size() - 1;
}

std::string_view SourceMap::Line(uint32_t file, uint32_t line) const {
  if (file >= files_.size()) return {};
  std::string_view rest = files_[file].text;
  for (uint32_t i = 1; i < line; ++i) {
    const size_t newline = rest.find('\n');
    if (newline == std::string_view::npos) return {};
    rest.remove_prefix(newline + 1);
  }
  return rest.substr(0, rest.find('\n'));
}

void Diagnostics::Add(Diagnostic diagnostic) {
  for (const Diagnostic& known : all_) {  // one mistake, one message, however many passes or probes see it
    if (known.id == diagnostic.id && known.location == diagnostic.location && known.message == diagnostic.message) return;
  }
  constexpr size_t kLongest = 500;
  if (diagnostic.message.size() > kLongest) {  // of a token without end: its beginning says enough
    size_t end = kLongest;
    while (end > 0 && (static_cast<unsigned char>(diagnostic.message[end]) & 0xc0) == 0x80) --end;
    diagnostic.message = diagnostic.message.substr(0, end) + "…";
  }
  if (SeverityOf(diagnostic.id) == Severity::Error) ++errors_;
  all_.push_back(std::move(diagnostic));
}

bool Diagnostics::HasErrorIn(const Location& span) const {
  const auto before = [](const Position& a, const Position& b) {
    return std::tie(a.line, a.column) <= std::tie(b.line, b.column);
  };
  return std::any_of(all_.begin(), all_.end(), [&](const Diagnostic& d) {
    return SeverityOf(d.id) == Severity::Error && d.location.file == span.file && before(span.begin, d.location.begin) &&
           before(d.location.end, span.end);
  });
}

std::string Diagnostics::Render(const SourceMap& sources, bool warnings, bool color) const {
  std::vector<const Diagnostic*> sorted;
  for (const Diagnostic& d : all_) {
    if (warnings || SeverityOf(d.id) == Severity::Error) sorted.push_back(&d);
  }
  std::stable_sort(sorted.begin(), sorted.end(), [](const Diagnostic* a, const Diagnostic* b) {
    auto key = [](const Diagnostic* d) { return std::tuple(d->location.file, d->location.begin.line, d->location.begin.column); };
    return key(a) < key(b);
  });
  std::string out;
  for (const Diagnostic* d : sorted) {
    const Location& at = d->location;
    const bool error = SeverityOf(d->id) == Severity::Error;
    const std::string_view on = !color ? "" : error ? "\033[31m" : "\033[33m";
    const std::string_view off = color ? "\033[0m" : "";
    const char* severity = error ? "ERROR" : "WARNING";
    out += fmt::format("{}{}:{}: {}: {}{}\n", on, sources.name(at.file), SpanText(at), severity, d->message, off);
    out += Excerpt(sources.Line(at.file, at.begin.line), at);
    if (!d->hint.empty()) out += fmt::format("HINT: {}\n", d->hint);
  }
  return out;
}

std::string Nearest(std::string_view name, const std::vector<std::string>& candidates) {
  if (name.size() < 2) return "";  // any other letter would be as near
  size_t best = std::max<size_t>(1, name.size() / 3) + 1;
  std::string nearest;
  for (const std::string& candidate : candidates) {
    const size_t gap = candidate.size() > name.size() ? candidate.size() - name.size() : name.size() - candidate.size();
    if (gap >= best) continue;
    std::vector<size_t> row(candidate.size() + 1);
    for (size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (size_t i = 1; i <= name.size(); ++i) {
      size_t diagonal = row[0];
      row[0] = i;
      for (size_t j = 1; j <= candidate.size(); ++j) {
        const size_t change = diagonal + (name[i - 1] == candidate[j - 1] ? 0 : 1);
        diagonal = row[j];
        row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
      }
    }
    if (row.back() < best) {
      best = row.back();
      nearest = candidate;
    }
  }
  return nearest;
}

std::string DidYouMean(std::string_view name, const std::vector<std::string>& candidates) {
  const std::string nearest = Nearest(name, candidates);
  return nearest.empty() ? "" : fmt::format("did you mean `{}`?", nearest);
}

}  // namespace kawk
