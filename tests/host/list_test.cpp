// -l on a machine made of data.
#include "host/list.h"

#include <gtest/gtest.h>

#include "stdlib/registry.h"
#include "tests/fakes/fake_host.h"

namespace kawk {
namespace {

TEST(List, EveryProbeKindHasALister) {
  for (const ProbeRow& row : AllProbes()) EXPECT_TRUE(CanList(std::string(row.name))) << row.name;
}

TEST(List, Table) {
  const struct {
    const char* pattern;
    const char* text;
  } table[] = {
      {"tracepoint:syscalls:sys_*_openat", "tracepoint:syscalls:sys_enter_openat\ntracepoint:syscalls:sys_exit_openat\n"},
      {"t:sched:sched_switch", "tracepoint:sched:sched_switch\n"},
      {"Tracepoint:sched:*switch", "tracepoint:sched:sched_switch\n"},
      {"t:sched_switch", "tracepoint:sched:sched_switch\n"},
      {"trace*:sched:sched_switc[hx]", "tracepoint:sched:sched_switch\n"},
      {"sched_switch", "rawtracepoint:vmlinux:sched_switch\ntracepoint:sched:sched_switch\n"},
      {"*nanosleep",
       "fentry:vmlinux:do_nanosleep\nkprobe:do_nanosleep\ntracepoint:syscalls:sys_enter_nanosleep\ntracepoint:syscalls:sys_exit_"
       "nanosleep\n"},
      {"rt:fake*", "rawtracepoint:fakemod:fake_event\n"},
      {"rt:vmlinux:sys_*", "rawtracepoint:vmlinux:sys_enter\nrawtracepoint:vmlinux:sys_exit\n"},
      {"rt:*:sys_enter", "rawtracepoint:vmlinux:sys_enter\n"},
      {"kprobe:vfs_rea*", "kprobe:vfs_read\nkprobe:vfs_readv\n"},
      {"k:vmlinux:vfs_open", "kprobe:vmlinux:vfs_open\n"},
      {"kr:fakemod:*", "kretprobe:fakemod:fake_function\n"},
      {"u:/bin/app:fn*", "uprobe:/bin/app:fn\nuprobe:/bin/app:fn2\n"},
      {"uretprobe:libfake:*free", "uretprobe:/lib/libfake.so.1:fake_free\n"},
      {"u:*:main", "uprobe:/bin/app:main\n"},
      {"interval:*", "interval:hz:\ninterval:ms:\ninterval:s:\ninterval:us:\n"},
      {"profile:hz:*", "profile:hz:\n"},
      {"software:cpu*", "software:cpu-clock:\nsoftware:cpu-migrations:\nsoftware:cpu:\n"},
      {"hardware:cycles:", "hardware:cycles:\n"},
      {"h:cycles", "hardware:cycles:\n"},
      {"s*:cs", "software:cs:\n"},
      {"BEGIN", "BEGIN\n"},
      {"k:vfs_open,t:sched:sched_switch", "kprobe:vfs_open\ntracepoint:sched:sched_switch\n"},
  };
  FakeHost host;
  for (const auto& row : table) {
    Result<std::string> text = ListProbes(host, row.pattern, false, 0);
    ASSERT_TRUE(text) << row.pattern << ": " << text.error().message;
    EXPECT_EQ(*text, row.text) << row.pattern;
  }
}

TEST(List, Verbose) {
  const struct {
    const char* pattern;
    const char* text;
  } table[] = {
      {"t:sched:sched_process_exec",
       "tracepoint:sched:sched_process_exec\n    __data_loc char[] filename\n    pid_t pid\n    pid_t old_pid\n"},
      {"t:raw_syscalls:sys_enter", "tracepoint:raw_syscalls:sys_enter\n    long id\n    unsigned long args[6]\n"},
      {"rt:sched_switch",
       "rawtracepoint:vmlinux:sched_switch\n    _Bool preempt\n    struct task_struct * prev\n"
       "    struct task_struct * next\n    unsigned int prev_state\n"},
      {"k:vfs_read", "kprobe:vfs_read\n    struct file * arg0\n    char * arg1\n    size_t arg2\n    loff_t * arg3\n"},
      {"kr:vfs_read", "kretprobe:vfs_read\n    ssize_t retval\n"},
      {"interval:s", "interval:s:\n"},
      {"u:app:main", "uprobe:/bin/app:main\n    int count\n    double share\n    struct pair* pair\n"},
  };
  FakeHost host;
  for (const auto& row : table) {
    Result<std::string> text = ListProbes(host, row.pattern, true, 0);
    ASSERT_TRUE(text) << row.pattern << ": " << text.error().message;
    EXPECT_EQ(*text, row.text) << row.pattern;
  }
}

TEST(List, EverythingIsSortedAndHasNoUserSpace) {
  FakeHost host;
  for (const char* pattern : {"", "*", "*:*", ":", "*:"}) {
    Result<std::string> text = ListProbes(host, pattern, false, 0);
    ASSERT_TRUE(text) << pattern;
    if (std::string_view(pattern) != "*:*") {
      EXPECT_NE(text->find("hardware:"), std::string::npos) << pattern;
    }
    EXPECT_NE(text->find("tracepoint:sched:sched_switch\n"), std::string::npos) << pattern;
    EXPECT_EQ(text->find("uprobe:"), std::string::npos) << pattern;
    EXPECT_EQ(text->find("kretprobe:"), std::string::npos) << pattern;
    EXPECT_EQ(text->find("interval:"), std::string::npos) << pattern;
  }
}

TEST(List, NothingMatches) {
  const struct {
    const char* pattern;
    const char* hint;
  } table[] = {
      {"nosuch*", ""}, {"tracepoint", "`tracepoint:*` lists the whole kind"}, {"t:nosuch:*", ""},   {"t:sched:", ""},
      {"t:a:b:c", ""}, {"traecpoint:sched:*", "did you mean `tracepoint`?"},  {"interval:s:1", ""}, {"u:/bin/app:nosuch", ""},
  };
  FakeHost host;
  for (const auto& row : table) {
    Result<std::string> text = ListProbes(host, row.pattern, false, 0);
    ASSERT_FALSE(text) << row.pattern;
    EXPECT_EQ(text.error().message, "no probe matches `" + std::string(row.pattern) + "`");
    EXPECT_EQ(text.error().hint, row.hint) << row.pattern;
  }
}

TEST(List, KindsThatCannotBeListed) {
  FakeHost host;
  host.functions_error = Error{"cannot read the functions", "hint", 1};
  std::vector<Error> left_out;
  Result<std::string> text = ListProbes(host, "*nanosleep", false, 0, &left_out);
  ASSERT_TRUE(text);
  EXPECT_EQ(text->find("kprobe"), std::string::npos);
  ASSERT_EQ(left_out.size(), 1u);
  EXPECT_EQ(left_out[0].message, "cannot read the functions");
  text = ListProbes(host, "kprobe:*", false, 0);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().message, "cannot read the functions");
}

}  // namespace
}  // namespace kawk
