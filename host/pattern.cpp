// Patterns of attach points: `*`, `?` and `[abc]` (ranges and `[!abc]` too). Not fnmatch(3): its cost depends on the locale
// and it treats `\` specially; this one is linear for each `*` and backs up only to the last one.
#include "host/pattern.h"

#include "host/host.h"

namespace kawk {
namespace {

// Matches `c` against the class at pattern[at] == '['. Sets `next` behind the class. An unclosed `[` is a plain character.
bool MatchesClass(std::string_view pattern, size_t at, char c, size_t& next) {
  size_t i = at + 1;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  bool matches = false;
  const size_t first = i;
  for (; i < pattern.size() && (pattern[i] != ']' || i == first); ++i) {
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      matches |= static_cast<unsigned char>(pattern[i]) <= static_cast<unsigned char>(c) &&
                 static_cast<unsigned char>(c) <= static_cast<unsigned char>(pattern[i + 2]);
      i += 2;
    } else {
      matches |= pattern[i] == c;
    }
  }
  if (i >= pattern.size()) {
    next = at + 1;
    return c == '[';
  }
  next = i + 1;
  return matches != negated;
}

// Whether the one-character element at pattern[at] takes `c`; sets `next` behind the element.
bool MatchesOne(std::string_view pattern, size_t at, char c, size_t& next) {
  if (pattern[at] == '[') return MatchesClass(pattern, at, c, next);
  next = at + 1;
  return pattern[at] == '?' || pattern[at] == c;
}

}  // namespace

bool PatternMatches(std::string_view pattern, std::string_view text) {
  size_t p = 0;
  size_t t = 0;
  size_t star = std::string_view::npos;  // behind the last `*` seen
  size_t star_text = 0;                  // where the text after that `*` is tried next
  while (t < text.size()) {
    size_t next = 0;
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      star_text = t;
    } else if (p < pattern.size() && MatchesOne(pattern, p, text[t], next)) {
      p = next;
      ++t;
    } else if (star != std::string::npos) {
      p = star;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool MatchesPattern(const std::string& pattern, const std::string& text) { return PatternMatches(pattern, text); }

bool HasWildcard(const std::string& text) { return text.find_first_of("*?[") != std::string::npos; }

}  // namespace kawk
