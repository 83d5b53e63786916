// Tracefs made of folders.
#include "host/tracefs.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "tests/host/temp_folder.h"

namespace kawk {
namespace {

using Names = std::vector<std::string>;

class TracefsTest : public ::testing::Test {
 protected:
  TracefsTest() {
    folder_.Write("events/sched/sched_switch/format", "ID: 3\nfield:int a;\toffset:8;\tsize:4;\tsigned:1;\n");
    folder_.Write("events/sched/sched_wakeup/format", "nonsense");
    folder_.Write("events/sched/filter", "");
    folder_.Write("events/sched_ext/dump/format", "ID: 4\n");
    folder_.Write("events/ftrace/function/format", "ID: 1\n");
    folder_.Write("events/enable", "");
  }
  TempFolder folder_;
};

TEST_F(TracefsTest, Matches) {
  for (bool with_list : {false, true}) {
    if (with_list) folder_.Write("available_events", "sched_ext:dump\nsched:sched_switch\nsched:sched_wakeup\n");
    Tracefs tracefs({"/nonexistent", folder_.path()});
    const struct {
      const char* category;
      const char* event;
      Names names;
    } table[] = {
        {"sched", "sched_switch", {"sched:sched_switch"}},
        {"sched", "*", {"sched:sched_switch", "sched:sched_wakeup"}},
        {"sch*", "*w*", {"sched:sched_switch", "sched:sched_wakeup"}},
        {"*", "sched_switch", {"sched:sched_switch"}},
        {"sched", "filter", {}},
        {"nosuch", "*", {}},
        {"", "*", {}},
        {"..", "*", {}},
        {"../events/sched", "*", {}},
    };
    for (const auto& row : table) {
      Result<Names> names = tracefs.MatchTracepoints(row.category, row.event);
      ASSERT_TRUE(names) << row.category << ":" << row.event << ": " << names.error().message;
      EXPECT_EQ(*names, row.names) << row.category << ":" << row.event;
    }
    Result<Names> all = tracefs.MatchTracepoints("*", "*");
    ASSERT_TRUE(all);
    EXPECT_EQ(*all, (Names{"sched:sched_switch", "sched:sched_wakeup", "sched_ext:dump"}));
  }
}

TEST_F(TracefsTest, ReadsAndKeepsFormats) {
  Tracefs tracefs({folder_.path()});
  Result<TracepointFormat> format = tracefs.ReadTracepoint("sched", "sched_switch");
  ASSERT_TRUE(format) << format.error().message;
  EXPECT_EQ(format->category, "sched");
  EXPECT_EQ(format->event, "sched_switch");
  EXPECT_EQ(format->fields.size(), 1u);
  std::filesystem::remove_all(folder_.path() + "/events/sched/sched_switch");
  EXPECT_TRUE(tracefs.ReadTracepoint("sched", "sched_switch"));
  EXPECT_FALSE(tracefs.ReadTracepoint("sched", "sched_wakeup"));
  for (const auto& [category, event] : std::vector<std::pair<std::string, std::string>>{
           {"sched", "nosuch"}, {"nosuch", "x"}, {"", ""}, {"..", ".."}, {"sched/..", "sched"}, {"sched", "filter"}}) {
    Result<TracepointFormat> absent = tracefs.ReadTracepoint(category, event);
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.error().code, ENOENT);
    EXPECT_EQ(absent.error().message, "tracepoint `" + category + ":" + event + "` does not exist");
  }
}

TEST(Tracefs, NotMounted) {
  TempFolder empty;
  Tracefs tracefs({"/nonexistent", empty.path()});
  Result<Names> names = tracefs.MatchTracepoints("*", "*");
  ASSERT_FALSE(names);
  EXPECT_EQ(names.error().hint, "mount -t tracefs tracefs /sys/kernel/tracing");
  EXPECT_FALSE(tracefs.ReadTracepoint("a", "b"));
  EXPECT_FALSE(tracefs.MatchKernelFunctions("", "vfs_*"));
}

TEST_F(TracefsTest, FunctionsFile) {
  Tracefs without({folder_.path()});
  Result<Names> none = without.MatchKernelFunctions("", "*");
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message.find("available_filter_functions"), std::string::npos);
  EXPECT_FALSE(none.error().hint.empty());

  folder_.Write("available_filter_functions",
                "vfs_write\nvfs_read\nvfs_read\nrcu_core\n__ftrace_invalid_address___12\next4_read [ext4]\nbad [\n\n");
  Tracefs tracefs({folder_.path()});
  EXPECT_EQ(*tracefs.MatchKernelFunctions("", "vfs_*"), (Names{"vfs_read", "vfs_write"}));
  EXPECT_EQ(*tracefs.MatchKernelFunctions("*", "*_read"), (Names{"ext4:ext4_read", "vfs_read"}));
  EXPECT_EQ(*tracefs.MatchKernelFunctions("vmlinux", "*_read"), (Names{"vfs_read"}));
  EXPECT_EQ(*tracefs.MatchKernelFunctions("ext*", "*"), (Names{"ext4:ext4_read"}));
  EXPECT_EQ(*tracefs.MatchKernelFunctions("", "rcu_*"), Names());
  EXPECT_EQ(*tracefs.MatchKernelFunctions("", "rcu_core"), (Names{"rcu_core"}));

  Tracefs other({"/nonexistent"}, folder_.Write("functions", "only_this\n"));
  EXPECT_EQ(*other.MatchKernelFunctions("", "*"), (Names{"only_this"}));
}

}  // namespace
}  // namespace kawk
