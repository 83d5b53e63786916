// Diagnostics as the user sees them. tests/ast/data/*.golden hold cases, each
//   === title [| positional parameters]
//   script
//   ---
//   what is printed
// Those in data/wrong/ are wrong scripts, a group a file: each must be told so.
// KAWK_UPDATE=1 writes what is printed now; read the diff.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/ast/analysis.h"

namespace kawk {
namespace {

struct Case {
  std::string header;
  std::string script;
  std::string expected;
};

std::vector<std::string> PositionalOf(const std::string& header) {
  std::vector<std::string> words;
  const size_t bar = header.find(" | ");
  if (bar == std::string::npos) return words;
  std::istringstream in(header.substr(bar + 3));
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

std::vector<Case> ReadCases(const std::filesystem::path& path) {
  std::vector<Case> cases;
  std::ifstream in(path);
  bool in_script = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("=== ")) {
      cases.push_back({line, "", ""});
      in_script = true;
    } else if (line == "---" && in_script) {
      in_script = false;
    } else if (!cases.empty()) {
      (in_script ? cases.back().script : cases.back().expected) += line + "\n";
    }
  }
  return cases;
}

std::vector<std::filesystem::path> Goldens() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(KAWK_TEST_DATA)) {
    if (entry.path().extension() == ".golden") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::unique_ptr<Analysis> RunCase(const Case& c) {
  FakeHost host;
  return AnalyseScript(c.script, PositionalOf(c.header), host);
}

TEST(Golden, Diagnostics) {
  const bool update = std::getenv("KAWK_UPDATE") != nullptr;
  for (const auto& path : Goldens()) {
    std::string text;
    for (const Case& c : ReadCases(path)) {
      const std::string actual = RunCase(c)->Messages() + "\n";
      text += c.header + "\n" + c.script + "---\n" + actual;
      if (update) continue;
      EXPECT_EQ(actual, c.expected) << path << ": " << c.header;
    }
    if (update) std::ofstream(path) << text;
  }
}

TEST(Golden, WrongScriptsAreTold) {
  int wrong = 0;
  for (const auto& path : Goldens()) {
    if (path.parent_path().filename() != "wrong") continue;
    for (const Case& c : ReadCases(path)) {
      ++wrong;
      EXPECT_FALSE(RunCase(c)->diagnostics.all().empty()) << path << ": " << c.header;
    }
  }
  EXPECT_GE(wrong, 200);
}

// Rows that no script can bring about in this test, with the reason.
const std::set<Diag> kExempt = {
    Diag::NestedTooDeep,   // a golden of 500 brackets helps nobody; the parser's tests have it
    Diag::HostError,       // a machine that cannot be read
    Diag::BadEnvironment,  // needs an environment: config_test.cpp
    // Imports and headers are files: tests/live/imports.test.
    Diag::ImportMissing,
    Diag::ImportKind,
    Diag::ImportWritable,
    Diag::ImportedConfig,
    Diag::HeaderMissing,
    Diag::CSourceFailed,
    Diag::CSourceWarning,
};

TEST(Golden, EveryDiagnosticIsShown) {
  std::set<Diag> seen;
  for (const auto& path : Goldens()) {
    for (const Case& c : ReadCases(path)) {
      const auto analysis = RunCase(c);
      for (const Diagnostic& diagnostic : analysis->diagnostics.all()) seen.insert(diagnostic.id);
    }
  }
  const Diag all[] = {
#define DIAG(id, severity, format) Diag::id,
#include "base/diagnostics.def"
  };
  for (const Diag id : all) {
    EXPECT_NE(seen.contains(id), kExempt.contains(id)) << NameOf(id) << ": add a case to a golden, or it is exempt but shown";
  }
}

}  // namespace
}  // namespace kawk
