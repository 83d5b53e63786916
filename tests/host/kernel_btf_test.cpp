// BTF: the index of names, raw tracepoints, declarations. On a BTF made by the fakes.
#include "host/kernel_btf.h"

#include <bpf/btf.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_host.h"
#include "tests/host/temp_folder.h"

namespace kawk {
namespace {

std::string Bytes(const ::btf* types) {
  uint32_t size = 0;
  const void* data = btf__raw_data(types, &size);
  return std::string(static_cast<const char*>(data), size);
}

TEST(BtfIndex, FindsWhatLibbpfFinds) {
  const BtfHandle types = MakeFakeBtf();
  const BtfNameIndex index(types.get(), BtfNameIndex::Content::Types);
  const BtfNameIndex functions(types.get(), BtfNameIndex::Content::Functions);
  for (uint32_t id = 1; id < btf__type_cnt(types.get()); ++id) {
    const ::btf_type* type = btf__type_by_id(types.get(), id);
    const char* name = btf__name_by_offset(types.get(), type->name_off);
    if (*name == '\0') continue;
    const int expected = btf__find_by_name_kind(types.get(), name, btf_kind(type));
    const BtfNameIndex& right = btf_is_func(type) ? functions : index;
    const BtfNameIndex& wrong = btf_is_func(type) ? index : functions;
    EXPECT_EQ(right.Find(name, btf_kind(type)), static_cast<uint32_t>(expected)) << name;
    EXPECT_EQ(wrong.Find(name, btf_kind(type)), 0u) << name;
  }
  EXPECT_EQ(index.Find("nosuch", BTF_KIND_STRUCT), 0u);
  EXPECT_EQ(index.Find("", BTF_KIND_STRUCT), 0u);
  EXPECT_EQ(index.Find("task_struct", BTF_KIND_UNION), 0u);
}

TEST(KernelBtf, FromAFile) {
  TempFolder folder;
  const std::string path = folder.Write("btf", Bytes(MakeFakeBtf().get()));
  class KernelBtf kernel(path);
  ASSERT_NE(kernel.Get(), nullptr);
  EXPECT_NE(kernel.Find("task_struct", BTF_KIND_STRUCT), 0u);
  EXPECT_NE(kernel.Find("vfs_read", BTF_KIND_FUNC), 0u);
  EXPECT_EQ(kernel.Find("", BTF_KIND_FUNC), 0u);
  EXPECT_EQ(kernel.RawTracepoints(), (std::vector<std::string>{"vmlinux:sched_process_exec", "vmlinux:sched_switch"}));
}

TEST(KernelBtf, Absent) {
  TempFolder folder;
  for (const std::string& path : {std::string("/nonexistent/btf"), folder.path(), folder.Write("empty", ""),
                                  folder.Write("junk", std::string(100, 'x')), std::string("/dev/zero")}) {
    class KernelBtf kernel(path);
    EXPECT_EQ(kernel.Get(), nullptr) << path;
    EXPECT_EQ(kernel.Find("task_struct", BTF_KIND_STRUCT), 0u);
    EXPECT_TRUE(kernel.RawTracepoints().empty());
  }
}

TEST(KernelBtf, RawTracepointNamesOfMangledBytes) {
  const std::string good = Bytes(MakeFakeBtf().get());
  EXPECT_EQ(RawTracepointNames(good, 0).size(), 2u);
  EXPECT_TRUE(RawTracepointNames(good, 1u << 30).empty());
  for (size_t i = 0; i < good.size(); ++i) {
    EXPECT_LE(RawTracepointNames(std::string_view(good).substr(0, i), 0).size(), 2u);
    std::string mangled = good;
    mangled[i] = '\xff';
    EXPECT_LE(RawTracepointNames(mangled, 0).size(), 3u);
  }
}

TEST(BtfPrinter, Declarations) {
  FakeHost host;
  BtfPrinter printer(host.KernelBtf());
  const BtfPrinter::Function read = printer.Describe(host.FindBtfType("vfs_read", BTF_KIND_FUNC));
  ASSERT_TRUE(read.known);
  EXPECT_EQ(read.result, "ssize_t");
  ASSERT_EQ(read.arguments.size(), 4u);
  EXPECT_EQ(read.arguments[0].type, "struct file *");
  EXPECT_EQ(read.arguments[0].name, "file");
  EXPECT_EQ(printer.TypeText(host.FindBtfType("task_struct", BTF_KIND_STRUCT)), "struct task_struct");
  EXPECT_EQ(printer.TypeText(0), "void");
  const BtfPrinter::Function nothing = printer.Describe(host.FindBtfType("fake_void", BTF_KIND_FUNC));
  EXPECT_TRUE(nothing.known);
  EXPECT_TRUE(nothing.result.empty());
  EXPECT_FALSE(printer.Describe(0).known);
  EXPECT_FALSE(printer.Describe(1u << 30).known);
  EXPECT_FALSE(printer.Describe(host.FindBtfType("task_struct", BTF_KIND_STRUCT)).known);
}

TEST(FakeHost, AnswersAsAMachineDoes) {
  FakeHost host;
  EXPECT_EQ(host.ReadTracepoint("sched", "sched_process_exec")->fields[0].type, "__data_loc char[]");
  EXPECT_FALSE(host.ReadTracepoint("sched", "nosuch"));
  EXPECT_EQ(host.MatchTracepoints("syscalls", "sys_enter_*")->size(), 3u);
  EXPECT_EQ(*host.MatchRawTracepoints("sched_s*"), (std::vector<std::string>{"sched_switch"}));
  EXPECT_EQ(*host.FindBinary("app", 0), "/bin/app");
  EXPECT_EQ(host.MatchSymbols("/bin/app", "fn*")->size(), 2u);
  EXPECT_EQ(*host.FileOffset("/bin/app", 0x401004), 0x1004u);
  const ::btf_type* task = btf__type_by_id(host.KernelBtf(), host.FindBtfType("task_struct", BTF_KIND_STRUCT));
  EXPECT_EQ(task->size, 256u);
  host.has_btf = false;
  EXPECT_EQ(host.KernelBtf(), nullptr);
  EXPECT_EQ(host.FindBtfType("task_struct", BTF_KIND_STRUCT), 0u);
}

}  // namespace
}  // namespace kawk
