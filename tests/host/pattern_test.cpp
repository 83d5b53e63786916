#include <gtest/gtest.h>

#include "host/host.h"

namespace kawk {
namespace {

TEST(Pattern, Table) {
  const struct {
    const char* pattern;
    const char* text;
    bool matches;
  } table[] = {
      {"", "", true},
      {"", "a", false},
      {"a", "", false},
      {"*", "", true},
      {"**", "", true},
      {"*", "anything/at:all", true},
      {"abc", "abc", true},
      {"abc", "abcd", false},
      {"abc", "ab", false},
      {"a*", "a", true},
      {"a*c", "abbbc", true},
      {"a*c", "abbbd", false},
      {"*sleep*", "do_nanosleep", true},
      {"*sleep", "sleep_on", false},
      {"a*b*c", "a1b2b3c", true},
      {"a*b*c", "a1c2b3", false},
      {"?", "a", true},
      {"?", "", false},
      {"a?c", "abc", true},
      {"a?c", "ac", false},
      {"*?", "", false},
      {"*?", "ab", true},
      {"[abc]", "b", true},
      {"[abc]", "d", false},
      {"[abc]", "", false},
      {"x[a-c]y", "xby", true},
      {"x[a-c]y", "x-y", false},
      {"[!a]", "b", true},
      {"[!a]", "a", false},
      {"[^a-z]", "A", true},
      {"[]]", "]", true},
      {"[]a]", "a", true},
      {"[a-]", "-", true},
      {"[abc", "[abc", true},
      {"[abc", "a", false},
      {"[", "[", true},
      {"*[xy]*", "aaya", true},
      {"a\\*", "a\\b", true},
      {"/usr/*/b*", "/usr/local/bin/bash", true},
      {"vfs_*", "vfs_read.isra.0", true},
  };
  for (const auto& row : table) {
    EXPECT_EQ(MatchesPattern(row.pattern, row.text), row.matches) << row.pattern << " on " << row.text;
  }
}

// A naive matcher takes time exponential in the number of stars.
TEST(Pattern, ManyStarsAreFast) {
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "a*";
  EXPECT_FALSE(MatchesPattern(pattern + "b", std::string(2000, 'a')));
  EXPECT_TRUE(MatchesPattern(pattern, std::string(2000, 'a')));
}

TEST(Pattern, HasWildcard) {
  for (const char* text : {"*", "a?", "[x]", "["}) EXPECT_TRUE(HasWildcard(text)) << text;
  for (const char* text : {"", "a.b", "]", "/bin/sh", "a-b"}) EXPECT_FALSE(HasWildcard(text)) << text;
}

}  // namespace
}  // namespace kawk
