// Parsing for tables: text in, one line of text out.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "parser/parser.h"

namespace kawk {

struct ParseCase {
  const char* input;
  const char* dump;
};

struct Parsed {
  explicit Parsed(std::string text) {
    const uint32_t file = sources.Add("test", std::move(text));
    ast = Parse(sources, file, diagnostics);
  }
  SourceMap sources;
  Diagnostics diagnostics;
  std::unique_ptr<Ast> ast;
};

// Dump() in one line: children in parentheses, `binary +(int 1, int 2)`.
inline std::string Compact(std::string_view dump) {
  std::string out;
  size_t depth = 0;
  bool first = true;
  while (!dump.empty()) {
    std::string_view line = dump.substr(0, dump.find('\n'));
    dump.remove_prefix(line.size() + 1);
    const size_t indent = line.find_first_not_of(' ') / 2;
    line.remove_prefix(indent * 2);
    for (; depth < indent; ++depth) {
      out += '(';
      first = true;
    }
    for (; depth > indent; --depth) out += ')';
    if (!first) out += ", ";
    out += line;
    first = false;
  }
  return out.append(depth, ')');
}

inline std::string ParseScript(std::string text) {
  const Parsed parsed(std::move(text));
  EXPECT_FALSE(parsed.diagnostics.has_errors()) << parsed.diagnostics.Render(parsed.sources, true, false);
  return Compact(Dump(*parsed.ast));
}

// The dump of what stands in a BEGIN probe.
inline std::string ParseStatements(const std::string& text) {
  const std::string dump = ParseScript("BEGIN { " + text + " }");
  constexpr std::string_view kProbe = "probe BEGIN(";
  return dump.starts_with(kProbe) ? dump.substr(kProbe.size(), dump.size() - kProbe.size() - 1) : "";
}

// One line per error: `line:begin-end message | hint`.
inline std::string ParseErrors(std::string text) {
  const Parsed parsed(std::move(text));
  std::string out;
  for (const Diagnostic& d : parsed.diagnostics.all()) {
    if (!out.empty()) out += '\n';
    out += fmt::format("{}:{}-{} {}", d.location.begin.line, d.location.begin.column, d.location.end.column, d.message);
    if (!d.hint.empty()) out += " | " + d.hint;
  }
  return out;
}

}  // namespace kawk
