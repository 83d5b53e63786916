// The text around the parts: parameters, colons, quotes, the name of the kind.
#include "ast/attach_point.h"

#include <fmt/format.h>

#include <charconv>

#include "ast/attach_parts.h"

namespace kawk {
namespace {

std::vector<std::string> ProbeNames() {
  std::vector<std::string> names;
  for (const ProbeRow& row : AllProbes()) names.emplace_back(row.name);
  return names;
}

}  // namespace

std::string SubstitutePositional(const std::string& text, const std::vector<std::string>& positional) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    if (text[i] != '$') {
      out += text[i++];
      continue;
    }
    size_t end = ++i;
    while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
    size_t index = 0;
    if (end == i && i < text.size() && text[i] == '#') {
      out += fmt::format("{}", positional.size());
      ++end;
    } else if (end == i) {
      out += '$';
    } else if (std::from_chars(&text[i], &text[end], index).ec == std::errc() && index > 0 && index <= positional.size()) {
      out += positional[index - 1];
    }
    i = end;
  }
  return out;
}

std::vector<std::string> SplitAttachPoint(const std::string& text) {
  std::vector<std::string> parts(1);
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ':' && !quoted) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::optional<AttachPoint> ParseAttachPoint(const AttachPointText& written, const std::vector<std::string>& positional,
                                            Diagnostics& diagnostics) {
  const std::string text = SubstitutePositional(written.text, positional);
  std::vector<std::string> parts = SplitAttachPoint(text);
  const ProbeRow* row = FindProbe(parts[0]);
  if (row == nullptr) {
    diagnostics.EmitWithHint(Diag::UnknownProbeKind, written.location, DidYouMean(parts[0], ProbeNames()), parts[0]);
    return std::nullopt;
  }
  for (size_t i = 1; i < parts.size(); ++i) {
    if (!parts[i].empty()) continue;
    const bool positional = written.text.find('$') != std::string::npos;
    diagnostics.EmitWithHint(Diag::EmptyPart, written.location,
                             positional ? "a positional parameter of it is not given" : fmt::format("write {}", row->syntax),
                             row->name);
    return std::nullopt;
  }
  std::optional<AttachPoint> point(std::in_place);
  point->kind = row->kind;
  point->location = written.location;
  point->name = std::string(row->name) + text.substr(std::min(text.size(), parts[0].size()));
  parts.erase(parts.begin());
  if (!ParseParts({*row, std::move(parts), diagnostics}, *point)) point.reset();
  return point;
}

}  // namespace kawk
