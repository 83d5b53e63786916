// Scripts that nobody would write: those of the goldens with words dropped, doubled, moved and taken from elsewhere. The
// front end must come back from each, and what it says must point into the script.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "stdlib/registry.h"
#include "tests/ast/analysis.h"

namespace kawk {
namespace {

constexpr int kRounds = 4000;

// Most scripts of the goldens are wrong already; these are not.
constexpr const char* kRight[] = {
    "BEGIN { $a = 1; $b = (uint8)$a + 2; let $c: int32 = 3; $a += $b; @x[$a, \"k\"] = $b * $c; print((@x[1, \"k\"], $a)); }",
    "struct s { int n; char name[8]; union { long a; char b; } u; struct s *next; };\n"
    "BEGIN { $p = (struct s *)0; print($p->next->n); print($p.u.a); @s[$p.n] = $p->name; $q = *$p; print($q.n); }",
    "macro add(a, b) { a + b } macro inc($v) { $v++; } macro put(@m, k) { @m[k] = 1; }\n"
    "BEGIN { $x = add(1, 2); inc($x); put(@y, $x); }",
    "let @m = hash(10);\nBEGIN { @m[1] = 2; for ($kv : @m) { print($kv.0 + $kv.1); } for ($i : 0..10) { if ($i > 5) { break; } } "
    "}",
    "BEGIN { @h = hist(5); @l[1] = lhist(5, 0, 10, 1); @c[comm] = count(); @s = stats(3); print(@c, 5); clear(@h); zero(@l); }",
    "BEGIN { $r = (a=1, b=\"x\"); $t = (1, (2, \"y\")); print($r.b); print($t.1.0); @[$t] = $r; print($r == (a=2, b=\"z\")); }",
    "BEGIN { $i = 0; while ($i < 5) { $i++; if ($i == 3) { continue; } } unroll(3) { $i += 1; } print($i > 3 ? \"a\" : \"bc\"); "
    "}",
    "enum e { A, B = 5 };\nBEGIN { $e = (enum e)B; printf(\"%s %d %-5s|%x\\n\", $e, A, \"s\", 255); @[A] = $e; }",
    "BEGIN { $s = \"hello\"; print($s[1]); print(str($1, 5)); print(strncmp($s, \"he\", 2)); $b = (uint8[4])(uint32)7; "
    "print($b[1]); }",
    "interval:s:1 /@n > 3/ { print(@n); exit(); } BEGIN { @n++; @t[tid] = nsecs; delete(@t, tid); print(len(@t)); }",
};

// The scripts of all goldens, sorted by file so that the sequence is the same everywhere.
std::vector<std::string> Scripts() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(KAWK_TEST_DATA)) {
    if (entry.path().extension() == ".golden") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> scripts;
  for (const auto& path : paths) {
    std::ifstream in(path);
    bool in_script = false;
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with("=== ")) {
        scripts.emplace_back();
        in_script = true;
      } else if (line == "---") {
        in_script = false;
      } else if (in_script) {
        scripts.back() += line + "\n";
      }
    }
  }
  return scripts;
}

// Words, numbers and strings as a whole, other characters one by one; blanks stay with what they follow.
std::vector<std::string> Words(const std::string& text) {
  std::vector<std::string> words;
  const auto in_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  for (size_t at = 0; at < text.size();) {
    size_t end = at + 1;
    if (in_word(text[at]) || text[at] == '$' || text[at] == '@') {
      while (end < text.size() && in_word(text[end])) ++end;
    } else if (text[at] == '"') {
      while (end < text.size() && text[end - 1] != '\n' && (text[end] != '"' || text[end - 1] == '\\')) ++end;
      end = std::min(end + 1, text.size());
    }
    while (end < text.size() && (text[end] == ' ' || text[end] == '\n')) ++end;
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

// What may be put in: every word of the library, and the language's own.
std::vector<std::string> Dictionary() {
  std::vector<std::string> words = {"(",
                                    ")",
                                    "{",
                                    "}",
                                    "[",
                                    "]",
                                    ",",
                                    ";",
                                    "+ ",
                                    "- ",
                                    "* ",
                                    "/ ",
                                    "% ",
                                    "<< ",
                                    ">> ",
                                    "&& ",
                                    "|| ",
                                    "! ",
                                    "~ ",
                                    "? ",
                                    ": ",
                                    "= ",
                                    "== ",
                                    "< ",
                                    "& ",
                                    ". ",
                                    "-> ",
                                    ".. ",
                                    "++",
                                    "--",
                                    "+= ",
                                    "<<= ",
                                    "$x ",
                                    "$y ",
                                    "@x ",
                                    "@m[1] ",
                                    "@ ",
                                    "0 ",
                                    "1 ",
                                    "-1 ",
                                    "255 ",
                                    "1e6 ",
                                    "2147483648 ",
                                    "18446744073709551615 ",
                                    "\"\" ",
                                    "\"abc\" ",
                                    "true ",
                                    "if ",
                                    "else ",
                                    "while ",
                                    "for ",
                                    "unroll ",
                                    "return ",
                                    "break ",
                                    "let ",
                                    "macro ",
                                    "sizeof(",
                                    "typeof(",
                                    "offsetof(",
                                    "(uint8)",
                                    "(int64)",
                                    "(string[4])",
                                    "(uint8[])",
                                    "(1, 2) ",
                                    "(a=1, b=\"x\") ",
                                    "() ",
                                    "struct ",
                                    "enum ",
                                    "args",
                                    "args.",
                                    "count() ",
                                    "hist(",
                                    "(struct task_struct *)",
                                    "curtask"};
  for (const FunctionRow& row : AllFunctions()) words.push_back(std::string(row.name) + "(");
  for (const BuiltinRow& row : AllBuiltins()) words.push_back(std::string(row.name) + " ");
  return words;
}

TEST(Mutations, FrontEndComesBack) {
  const std::vector<std::string> scripts = Scripts();
  const std::vector<std::string> dictionary = Dictionary();
  ASSERT_GT(scripts.size(), 300u);
  std::mt19937 random(20);
  const auto below = [&](size_t most) { return random() % most; };
  int accepted = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::string> words = Words(round % 2 == 0 ? kRight[below(std::size(kRight))] : scripts[below(scripts.size())]);
    const std::vector<std::string> others = Words(scripts[below(scripts.size())]);
    for (size_t changes = below(3) + 1; changes > 0 && !words.empty() && !others.empty(); --changes) {
      const size_t at = below(words.size());
      switch (below(5)) {
        case 0: words.erase(words.begin() + static_cast<long>(at)); break;
        case 1: words.insert(words.begin() + static_cast<long>(at), words[below(words.size())]); break;
        case 2: words[at] = dictionary[below(dictionary.size())]; break;
        case 3: words[at] = others[below(others.size())]; break;
        default: std::swap(words[at], words[below(words.size())]);
      }
    }
    std::string script;
    for (const std::string& word : words) script += word;
    SCOPED_TRACE(script);
    const auto analysis = AnalyseScript(script);
    analysis->Messages();
    accepted += analysis->diagnostics.has_errors() ? 0 : 1;
    const auto lines = static_cast<uint32_t>(std::count(script.begin(), script.end(), '\n')) + 1;
    for (const Diagnostic& diagnostic : analysis->diagnostics.all()) EXPECT_LE(diagnostic.location.begin.line, lines);
  }
  EXPECT_GT(accepted, kRounds / 100);  // or what lies behind the parser was hardly seen
}

}  // namespace
}  // namespace kawk
