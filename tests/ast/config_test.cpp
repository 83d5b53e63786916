// What the goldens cannot show: the environment, and a machine that does not answer.
#include <gtest/gtest.h>

#include <cstring>

#include "tests/ast/analysis.h"

namespace kawk {
namespace {

std::unique_ptr<Analysis> WithEnvironment(const std::string& script, const char* name, const char* value) {
  auto analysis = std::make_unique<Analysis>();
  analysis->ast = Parse(analysis->sources, analysis->sources.Add("stdin", script), analysis->diagnostics);
  FakeHost host;
  ScriptInput input;
  input.environment = [=](const char* asked) { return std::strcmp(asked, name) == 0 ? value : nullptr; };
  analysis->typed = Analyse(*analysis->ast, input, Config{}, host, analysis->diagnostics);
  return analysis;
}

TEST(Config, EnvironmentWins) {
  const auto analysis = WithEnvironment("config = { max_strlen = 5 } BEGIN { }", "BPFTRACE_MAX_STRLEN", "77");
  EXPECT_EQ(analysis->typed.config.max_strlen, 77u);
  EXPECT_FALSE(analysis->diagnostics.has_errors());
}

TEST(Config, BadEnvironment) {
  const auto analysis = WithEnvironment("BEGIN { }", "KAWK_MAX_STRLEN", "x");
  ASSERT_EQ(analysis->diagnostics.all().size(), 1u);
  EXPECT_EQ(analysis->diagnostics.all()[0].id, Diag::BadEnvironment);
}

TEST(Config, Keys) {
  const auto analysis =
      AnalyseScript("config = { max_map_keys = 7; print_maps_on_exit = false; stack_mode = \"perf\" } BEGIN { }");
  EXPECT_EQ(analysis->typed.config.max_map_keys, 7u);
  EXPECT_FALSE(analysis->typed.config.print_maps_on_exit);
  EXPECT_EQ(analysis->typed.config.stack_mode, "perf");
}

TEST(Host, TracefsCannotBeRead) {
  FakeHost host;
  host.tracefs_error = Error{"no tracefs is mounted", "mount it", 2};
  const auto analysis = AnalyseScript("t:sched:sched_switch { }", {}, host);
  EXPECT_EQ(analysis->Messages(),
            "stdin:1:1-21: ERROR: nothing matches `tracepoint:sched:sched_switch`: no tracefs is mounted\n"
            "t:sched:sched_switch { }\n~~~~~~~~~~~~~~~~~~~~\nHINT: mount it\n");
}

TEST(Host, FunctionInFullNeedsNoList) {
  FakeHost host;
  host.functions_error = Error{"no list", "", 2};
  EXPECT_FALSE(AnalyseScript("kprobe:vfs_read { }", {}, host)->diagnostics.has_errors());
  EXPECT_TRUE(AnalyseScript("kprobe:vfs_* { }", {}, host)->diagnostics.has_errors());
}

}  // namespace
}  // namespace kawk
