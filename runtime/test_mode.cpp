#include "runtime/test_mode.h"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <vector>

#include "runtime/perf.h"
#include "runtime/text.h"

namespace kawk {
namespace {

using Clock = std::chrono::steady_clock;
using image::AttachKind;
using std::chrono::nanoseconds;

constexpr auto kBenchmarkTime = std::chrono::milliseconds(200);
constexpr int kBatch = 1000;

struct Candidate {
  std::string name;
  int program;
};

std::vector<Candidate> Candidates(const image::Image& image, const LoadedObject& object, AttachKind kind) {
  std::vector<Candidate> found;
  for (size_t i = 0; i < image.programs.size(); ++i) {
    for (const image::AttachSpec& spec : image.programs[i].attach) {
      if (spec.kind == kind) found.push_back({spec.target, object.program_fds()[i]});
    }
  }
  return found;
}

std::string JsonString(const std::string& text) {
  std::string quoted;
  AppendJsonString(quoted, text);
  return quoted;
}

std::string Count(size_t n, const char* what) { return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s"); }

// `[  PASSED  ]` in green, or red; plain where nobody sees colours.
std::string Tag(const char* text, bool good) {
  if (isatty(STDOUT_FILENO) != 1) return fmt::format("[{}]", text);
  return fmt::format("\033[{}m[{}]\033[0m", good ? 32 : 31, text);
}

std::string Duration(nanoseconds time) {
  constexpr int64_t kMicrosecond = 1000;
  const int64_t ns = time.count();
  return ns < kMicrosecond ? fmt::format("{} ns", ns) : fmt::format("{} μs", ns / kMicrosecond);
}

// Nanoseconds of one call, and how many were made.
struct Measured {
  int64_t average = 0;
  int64_t calls = 0;
};

Result<Measured> Measure(int program) {
  const Clock::time_point start = Clock::now();
  Measured measured;
  nanoseconds time{0};
  while (time < kBenchmarkTime) {
    for (int i = 0; i < kBatch; ++i) {
      Result<int> result = RunProgram(program);
      if (!result) return result.error();
    }
    measured.calls += kBatch;
    time = Clock::now() - start;
  }
  measured.average = time.count() / measured.calls;
  return measured;
}

// The same of a program that does nothing: what a call itself costs.
Result<Measured> MeasureNothing() {
  const bpf_insn instructions[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0}, {.code = BPF_JMP | BPF_EXIT}};
  const Fd program(
      bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "kawk_nothing", "GPL", instructions, std::size(instructions), nullptr));
  if (!program) return Error{"cannot load a program to compare with", "", errno};
  return Measure(program.get());
}

}  // namespace

Result<int> RunTests(const image::Image& image, const LoadedObject& object, Output& output, bool json) {
  const std::vector<Candidate> tests = Candidates(image, object, AttachKind::Test);
  std::vector<std::string> failed;
  if (!json) output.Text(fmt::format("{} Running {}.\n", Tag("==========", true), Count(tests.size(), "test")));
  for (const Candidate& test : tests) {
    if (!json) output.Text(fmt::format("{} {}\n", Tag(" RUN      ", true), test.name));
    const Clock::time_point start = Clock::now();
    Result<int> result = RunProgram(test.program);
    const nanoseconds time = Clock::now() - start;
    if (!result) return result.error();
    const bool passed = *result == 0;
    if (!passed) failed.push_back(test.name);
    if (json) {
      output.Text(
          fmt::format("{{\"type\": \"test_result\", \"data\": {{{}: {{\"duration\": {}, \"passed\": {}, \"output\": \"\"}}}}}}\n",
                      JsonString(test.name), time.count(), passed));
    } else {
      output.Text(fmt::format("{} {} ({})\n", Tag(passed ? "       OK " : "  FAILED  ", passed), test.name, Duration(time)));
    }
  }
  if (json) return static_cast<int>(failed.size());
  output.Text(fmt::format("{} {} ran.\n", Tag("==========", true), Count(tests.size(), "test")));
  output.Text(fmt::format("{} {}.\n", Tag("  PASSED  ", true), Count(tests.size() - failed.size(), "test")));
  if (!failed.empty()) output.Text(fmt::format("{} {}, listed below:\n", Tag("  FAILED  ", false), Count(failed.size(), "test")));
  for (const std::string& name : failed) output.Text(fmt::format("{} {}\n", Tag("  FAILED  ", false), name));
  return static_cast<int>(failed.size());
}

Result<int> RunBenchmarks(const image::Image& image, const LoadedObject& object, Output& output, bool json) {
  const Result<Measured> nothing = MeasureNothing();
  if (!nothing) return nothing.error();
  if (!json) output.Text(fmt::format("{:<41}{:<17}{}\n{:-<66}\n", "Benchmark", "Time(ns)", "Iterations", ""));
  for (const Candidate& benchmark : Candidates(image, object, AttachKind::Bench)) {
    const Result<Measured> measured = Measure(benchmark.program);
    if (!measured) return measured.error();
    const int64_t average = std::max<int64_t>(0, measured->average - nothing->average);
    if (json) {
      output.Text(fmt::format("{{\"type\": \"benchmark_result\", \"data\": {{{}: {{\"average\": {}, \"iters\": {}}}}}}}\n",
                              JsonString(benchmark.name), average, measured->calls));
    } else {
      output.Text(fmt::format("{:<41}{:<15}{}\n", benchmark.name, average, measured->calls));
    }
  }
  return 0;
}

}  // namespace kawk
