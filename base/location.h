// Where something stands in a script. Every token, node, diagnostic and Image span uses this one type.
#pragma once

#include <cstdint>

namespace kawk {

// A position as the user counts: both start at 1, columns count bytes.
struct Position {
  uint32_t line = 1;
  uint32_t column = 1;
  bool operator==(const Position&) const = default;
};

// A half-open span [begin, end) in the source file with this index (see SourceMap).
struct Location {
  uint32_t file = 0;
  Position begin;
  Position end;
  bool operator==(const Location&) const = default;
};

// The smallest span that covers both.
inline Location Span(const Location& first, const Location& last) { return Location{first.file, first.begin, last.end}; }

}  // namespace kawk
