// Attach points → units, on the fake machine: "kind{target,…} …" per unit.
#include <gtest/gtest.h>

#include "tests/ast/analysis.h"

namespace kawk {
namespace {

std::string Units(const std::string& script) {
  const auto analysis = AnalyseScript(script);
  std::string out;
  for (const ProbeUnit& unit : analysis->typed.units) {
    if (!out.empty()) out += " ";
    out += std::string(Row(unit.kind).name) + "{";
    for (const AttachTarget& target : unit.targets) {
      if (&target != &unit.targets[0]) out += ",";
      out += target.name.substr(target.name.find(':') + 1);
    }
    out += "}";
  }
  return out;
}

TEST(Expand, Table) {
  const std::pair<const char*, const char*> rows[] = {
      {"BEGIN { } END { } BEGIN { }", "BEGIN{begin} END{end} BEGIN{begin}"},
      {"BEGIN, END { }", "BEGIN{begin} END{end}"},
      {"kprobe:vfs_read, kprobe:vfs_write { }", "kprobe{vfs_read,vfs_write}"},
      {"kprobe:vfs_read* { }", "kprobe{vfs_read,vfs_readv}"},
      {"kprobe:vfs_read? { }", "kprobe{vfs_readv}"},
      {"kprobe:vfs_[ow]* { }", "kprobe{vfs_open,vfs_write}"},
      {"kprobe:fakemod:* { }", "kprobe{fakemod:fake_function}"},
      {"kprobe:vfs_read+4 { }", "kprobe{vfs_read+4}"},
      {"kprobe:vfs_read, kretprobe:vfs_read { }", "kprobe{vfs_read} kretprobe{vfs_read}"},
      {"t:syscalls:sys_enter_* { }",
       "tracepoint{syscalls:sys_enter_nanosleep,syscalls:sys_enter_openat,syscalls:sys_enter_read}"},
      // Only the fields that are used count: all three have the number in the same place.
      {"t:syscalls:sys_enter_* { @ = args.__syscall_nr; }",
       "tracepoint{syscalls:sys_enter_nanosleep,syscalls:sys_enter_openat,syscalls:sys_enter_read}"},
      {"t:syscalls:sys_exit_read, t:syscalls:sys_exit_openat { @ = args.ret; }",
       "tracepoint{syscalls:sys_exit_read,syscalls:sys_exit_openat}"},
      {"t:syscalls:sys_exit_read, t:raw_syscalls:sys_exit { @ = args.ret; }",
       "tracepoint{syscalls:sys_exit_read} tracepoint{raw_syscalls:sys_exit}"},
      {"t:sched:sched_switch, t:sched:sched_process_exec { print(args.pid); }",
       "tracepoint{sched:sched_switch} tracepoint{sched:sched_process_exec}"},
      {"rt:sched_switch { }", "rawtracepoint{sched_switch}"},
      {"rt:fakemod:fake_event { }", "rawtracepoint{fakemod:fake_event}"},
      {"u:app:fn* { }", "uprobe{/bin/app:fn,/bin/app:fn2}"},
      {"uprobe:app@app.c:4 { }", "uprobe{/bin/app:4198472}"},
      {"uprobe:app:* { print(args.count); }", "uprobe{/bin/app:main}"},
      {"uprobe:app:fn+4 { }", "uprobe{/bin/app:fn+4}"},
      {"uprobe:libfake:fake_alloc, uretprobe:libfake:fake_alloc { }",
       "uprobe{/lib/libfake.so.1:fake_alloc} uretprobe{/lib/libfake.so.1:fake_alloc}"},
      {"config = { missing_probes = warn } kprobe:nothing { } BEGIN { }", "BEGIN{begin}"},
      {"kprobe:nothing*, kprobe:vfs_open { }", "kprobe{vfs_open}"},
  };
  for (const auto& [script, expected] : rows) EXPECT_EQ(Units(script), expected) << script;
}

TEST(Expand, ClonesHaveNodesOfTheirOwn) {
  const auto analysis = AnalyseScript("t:syscalls:sys_enter_read, t:raw_syscalls:sys_enter /1/ { $a = args; @[probe] = $a.id; }");
  ASSERT_EQ(analysis->typed.units.size(), 2u);
  EXPECT_NE(analysis->typed.units[0].probe, analysis->typed.units[1].probe);
  EXPECT_NE(analysis->typed.units[0].probe->body->id, analysis->typed.units[1].probe->body->id);
  EXPECT_EQ(analysis->typed.exprs.size(), analysis->ast->node_count());
}

TEST(Expand, Offsets) {
  const auto analysis = AnalyseScript("uprobe:app:fn+4, uprobe:app:0x401040 { }");
  ASSERT_EQ(analysis->typed.units.size(), 1u);
  EXPECT_EQ(analysis->typed.units[0].targets[0].offset, 0x1004u);
  EXPECT_EQ(analysis->typed.units[0].targets[1].offset, 0x1040u);
}

}  // namespace
}  // namespace kawk
