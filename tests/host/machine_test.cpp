// This machine, as far as it lets us: every answer is a value or an Error with words in it.
#include <bpf/btf.h>
#include <gtest/gtest.h>

#include "host/host.h"
#include "host/list.h"
#include "host/options.h"
#include "tests/host/temp_folder.h"

namespace kawk {
namespace {

TEST(Machine, AnswersOrSaysWhy) {
  const std::unique_ptr<Host> host = MakeHost();
  Result<TracepointFormat> format = host->ReadTracepoint("sched", "sched_switch");
  if (format) {
    EXPECT_FALSE(format->fields.empty());
    EXPECT_EQ(host->MatchTracepoints("sched", "sched_switch")->size(), 1u);
    EXPECT_EQ(host->MatchRawTracepoints("sched_switch")->size(), 1u);
    EXPECT_TRUE(ListProbes(*host, "t:sched:*", true, 0));
  } else {
    EXPECT_FALSE(format.error().message.empty());
  }
  Result<std::vector<std::string>> functions = host->MatchKernelFunctions("", "vfs_read");
  if (!functions) {
    EXPECT_FALSE(functions.error().hint.empty());
  }
  if (host->KernelBtf() != nullptr) {
    EXPECT_NE(host->FindBtfType("task_struct", BTF_KIND_STRUCT), 0u);
  }
}

TEST(Machine, TraceableFunctionsFromAFile) {
  TempFolder folder;
  const std::unique_ptr<Host> host = MakeHost(HostOptions{folder.Write("functions", "vfs_read\nvfs_write\n")});
  EXPECT_EQ(*host->MatchKernelFunctions("", "vfs_w*"), (std::vector<std::string>{"vfs_write"}));
  EXPECT_EQ(*ListProbes(*host, "k:vfs_*", false, 0), "kprobe:vfs_read\nkprobe:vfs_write\n");
}

}  // namespace
}  // namespace kawk
