// `kawk --list-functions` and the manual page show each row of the registries, with its description.
#include "stdlib/library.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace kawk {
namespace {

// As make_page.py writes text for roff.
std::string Roff(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else {
      if (c == '-') out += '\\';
      out += c;
    }
  }
  return out;
}

std::string Page() {
  std::ifstream file(KAWK_MAN_PAGE);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Library, Rows) {
  const FunctionRow& strlen_row = Row(FunctionId::Strlen);
  EXPECT_EQ(Usage(strlen_row), "strlen(text: str|ptr): uint64");
  EXPECT_EQ(Description(strlen_row), "the length of a string");
  EXPECT_EQ(Usage(Row(FunctionId::Clear)), "clear(m: map)");
  EXPECT_EQ(Usage(Row(BuiltinId::Pid)), "pid: uint32");
  EXPECT_TRUE(Description(Row(FunctionId::System)).ends_with("; needs --unsafe"));
}

TEST(Library, EveryRowIsListedOnce) {
  const std::string text = LibraryText();
  const auto check = [&](const std::string& usage, std::string_view description) {
    const std::string row = "\n    " + usage + "\n        " + std::string(description) + "\n";
    const size_t at = text.find(row);
    EXPECT_NE(at, std::string::npos) << row;
    EXPECT_EQ(text.find(row, at + 1), std::string::npos) << row;
  };
  for (const FunctionRow& row : AllFunctions()) check(Usage(row), Description(row));
  for (const BuiltinRow& row : AllBuiltins()) check(Usage(row), row.doc);
}

TEST(Library, TheManualPageHasTheSameRows) {
  const std::string page = Page();
  ASSERT_FALSE(page.empty()) << KAWK_MAN_PAGE;
  size_t rows = 0;
  const auto check = [&](const std::string& usage, std::string_view description) {
    const std::string row = "\n.TP\n.B " + Roff(usage) + "\n" + Roff(std::string(description)) + "\n";
    EXPECT_NE(page.find(row), std::string::npos) << row;
    ++rows;
  };
  for (const FunctionRow& row : AllFunctions()) check(Usage(row), Description(row));
  for (const BuiltinRow& row : AllBuiltins()) check(Usage(row), row.doc);
  // And no others: between the first of these sections and the configuration there are just so many.
  const size_t first = page.find("\n.SH VALUES"), last = page.find("\n.SH CONFIGURATION");
  ASSERT_TRUE(first != std::string::npos && last != std::string::npos && first < last);
  size_t entries = 0;
  for (size_t at = page.find("\n.TP\n", first); at < last; at = page.find("\n.TP\n", at + 1)) ++entries;
  EXPECT_EQ(entries, rows);
}

}  // namespace
}  // namespace kawk
