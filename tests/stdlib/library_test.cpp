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
  for (const LibraryMacro& macro : AllLibraryMacros()) check(Usage(macro), macro.doc);
  for (const BuiltinRow& row : AllBuiltins()) check(Usage(row), row.doc);
}

// What the language has by its description, whether the compiler, the library or the parser makes it.
TEST(Library, EveryNameOfTheLanguageIsListed) {
  constexpr const char* kFunctions[] = {
      "printf",      "print",         "time",          "strftime",     "cat",           "join",
      "system",      "errorf",        "warnf",         "exit",         "cgroupid",      "kaddr",
      "uaddr",       "percpu_kaddr",  "pton",          "getopt",       "static_assert", "fail",
      "is_literal",  "is_str",        "is_ptr",        "is_array",     "is_integer",    "is_unsigned_integer",
      "kfunc_exist", "kfunc_allowed", "str",           "buf",          "strlen",        "strcap",
      "strncmp",     "strcontains",   "strstr",        "str_concat",   "memcmp",        "bswap",
      "ksym",        "usym",          "cgroup_path",   "syscall_name", "signal_name",   "strerror",
      "ntop",        "macaddr",       "kptr",          "uptr",         "socket_cookie", "is_err",
      "skboutput",   "signal",        "signal_thread", "override",     "write_user",    "assert",
      "clear",       "zero",          "delete",        "has_key",      "find",          "len",
      "count",       "sum",           "min",           "max",          "avg",           "stats",
      "hist",        "lhist",         "tseries",       "reg",          "ppid",          "pcomm",
      "leader_comm", "leader_tid",
  };
  for (const char* name : kFunctions) EXPECT_TRUE(FindFunction(name) != nullptr || FindLibraryMacro(name) != nullptr) << name;
  constexpr const char* kValues[] = {"args",    "arg0",    "arg9", "retval",   "func",   "probe",  "probetype",
                                     "pid",     "tid",     "cpid", "has_cpid", "uid",    "gid",    "username",
                                     "comm",    "curtask", "cpu",  "ncpus",    "numaid", "cgroup", "nsecs",
                                     "elapsed", "jiffies", "rand", "kstack",   "ustack", "ctx",    "usermode"};
  for (const char* name : kValues) EXPECT_NE(FindBuiltin(name), nullptr) << name;
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
  for (const LibraryMacro& macro : AllLibraryMacros()) check(Usage(macro), macro.doc);
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
