// A script through the whole front end, on the fake machine.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ast/analyse.h"
#include "parser/parser.h"
#include "tests/fakes/fake_host.h"

namespace kawk {

struct Analysis {
  SourceMap sources;
  Diagnostics diagnostics;
  std::unique_ptr<Ast> ast;
  Typed typed;

  std::string Messages() const { return diagnostics.Render(sources, true, false); }
};

inline std::unique_ptr<Analysis> AnalyseScript(const std::string& script, std::vector<std::string> positional, Host& host) {
  auto analysis = std::make_unique<Analysis>();
  const uint32_t file = analysis->sources.Add("stdin", script);
  analysis->ast = Parse(analysis->sources, file, analysis->diagnostics);
  if (analysis->diagnostics.has_errors()) return analysis;  // as the command line does
  ScriptInput input;
  input.parse_expression = ParseExpression;
  for (std::string& word : positional) {
    const size_t equals = word.find('=');
    if (!word.starts_with("--")) {
      input.positional.push_back(std::move(word));
    } else if (equals == std::string::npos) {
      input.named.push_back({word.substr(2), std::nullopt});
    } else {
      input.named.push_back({word.substr(2, equals - 2), word.substr(equals + 1)});
    }
  }
  analysis->typed = Analyse(*analysis->ast, input, Config{}, host, analysis->diagnostics);
  return analysis;
}

inline std::unique_ptr<Analysis> AnalyseScript(const std::string& script, std::vector<std::string> positional = {}) {
  FakeHost host;
  return AnalyseScript(script, std::move(positional), host);
}

}  // namespace kawk
