// What is written down of a machine holds until just that changes.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "cache/witness_host.h"
#include "tests/fakes/fake_host.h"
#include "tests/host/temp_folder.h"

namespace kawk {
namespace {

bool AllHold(const Witness& witness, Host& host) {
  return std::all_of(witness.facts().begin(), witness.facts().end(), [&](const Fact& fact) { return Holds(fact, host); });
}

TEST(Witness, TracepointFormats) {
  FakeHost machine;
  machine.AddTracepoint({"mod", "event", 7, {{"a", "int", 8, 4, true}}});
  Witness witness;
  WitnessHost host(machine, witness);
  ASSERT_TRUE(host.ReadTracepoint("mod", "event"));
  EXPECT_FALSE(host.ReadTracepoint("mod", "none"));
  EXPECT_EQ(witness.facts().size(), 2u);
  EXPECT_TRUE(AllHold(witness, machine));
  machine.AddTracepoint({"mod", "event", 7, {{"a", "int", 12, 4, true}}});  // the field moved
  EXPECT_FALSE(AllHold(witness, machine));
  machine.AddTracepoint({"mod", "event", 7, {{"a", "int", 8, 4, true}}});
  EXPECT_TRUE(AllHold(witness, machine));
  machine.AddTracepoint({"mod", "none", 8, {}});  // the absent one came
  EXPECT_FALSE(AllHold(witness, machine));
}

TEST(Witness, Patterns) {
  FakeHost machine;
  Witness witness;
  WitnessHost host(machine, witness);
  ASSERT_TRUE(host.MatchTracepoints("mod", "*"));
  EXPECT_TRUE(AllHold(witness, machine));
  machine.AddTracepoint({"mod", "late", 9, {}});
  EXPECT_FALSE(AllHold(witness, machine));
}

TEST(Witness, SystemCallsAreTheKernels) {
  FakeHost machine;
  Witness witness;
  WitnessHost host(machine, witness);
  const Result<std::vector<std::string>> matches = host.MatchTracepoints("syscalls", "sys_enter_*");
  ASSERT_TRUE(matches);
  ASSERT_FALSE(matches->empty());
  ASSERT_TRUE(host.ReadTracepoint("syscalls", (*matches)[0].substr(9)));
  EXPECT_TRUE(witness.facts().empty());
}

TEST(Witness, WhatCannotBeAskedAgain) {
  FakeHost machine;
  for (int what = 0; what < 3; ++what) {
    Witness witness;
    WitnessHost host(machine, witness);
    EXPECT_TRUE(witness.forbidden().empty());
    if (what == 0) (void)host.KernelAddress("jiffies");
    if (what == 1) (void)host.FindBinary("sh", 1);
    if (what == 2) (void)host.MatchBinaries("*", 1);
    EXPECT_FALSE(witness.forbidden().empty()) << what;
  }
}

TEST(Witness, Binaries) {
  const TempFolder temp;
  const std::string path = temp.Write("prog", "1");
  FakeHost machine;
  machine.AddBinary({path, {{"f", 16, 16, 8}}});
  Witness witness;
  WitnessHost host(machine, witness);
  ASSERT_TRUE(host.MatchSymbols(path, "f"));
  EXPECT_TRUE(AllHold(witness, machine));
  temp.Write("prog", "22");  // built again
  EXPECT_FALSE(AllHold(witness, machine));
}

TEST(Witness, FilesAndFolders) {
  const TempFolder temp;
  FakeHost machine;
  const std::string path = temp.Write("folder/a.bt", "BEGIN {}");
  Witness witness;
  witness.AddFile(path);
  witness.AddFile(temp.path() + "/missing.h");
  witness.AddFolder(temp.path() + "/folder");
  witness.AddFile(path);  // once is enough
  EXPECT_EQ(witness.facts().size(), 3u);
  EXPECT_TRUE(AllHold(witness, machine));
  temp.Write("folder/a.bt", "END {}");
  EXPECT_FALSE(AllHold(witness, machine));
  temp.Write("folder/a.bt", "BEGIN {}");
  EXPECT_TRUE(AllHold(witness, machine));
  temp.Write("missing.h", "");
  EXPECT_FALSE(AllHold(witness, machine));
  std::filesystem::remove(temp.path() + "/missing.h");
  temp.Write("folder/b.bt", "");
  EXPECT_FALSE(AllHold(witness, machine));
  std::filesystem::remove(temp.path() + "/folder/b.bt");
  EXPECT_TRUE(AllHold(witness, machine));
  ASSERT_EQ(chmod((temp.path() + "/folder").c_str(), 0777), 0);
  EXPECT_FALSE(AllHold(witness, machine));
}

TEST(Witness, HostileFacts) {
  FakeHost machine;
  EXPECT_FALSE(Holds({FactKind::TracepointFormat, {}, {}}, machine));
  EXPECT_FALSE(Holds({FactKind::File, {"a", "b"}, {}}, machine));
}

}  // namespace
}  // namespace kawk
