#include "ast/attach_point.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace kawk {
namespace {

// "name | group,target,path,offset,period,frequency,config", or the id of the first diagnostic.
std::string Parsed(const std::string& text, const std::vector<std::string>& positional = {}) {
  Diagnostics diagnostics;
  const auto point = ParseAttachPoint({{}, text}, positional, diagnostics);
  if (!point) return std::string(NameOf(diagnostics.all().at(0).id));
  std::string out = point->name;
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) out += fmt::format(" {}={}", name, value);
  };
  const auto number = [](uint64_t n) { return n == 0 ? "" : fmt::format("{}", n); };
  add("group", point->group);
  add("target", point->target);
  add("path", point->path);
  add("source", point->source);
  add("line", number(point->line));
  add("column", number(point->column));
  add("address", point->address ? fmt::format("{:#x}", *point->address) : "");
  add("offset", number(point->offset));
  add("period", number(point->period));
  add("hz", number(point->frequency));
  add("config", number(point->config));
  return out;
}

TEST(AttachPoint, Table) {
  const std::pair<const char*, const char*> rows[] = {
      {"BEGIN", "begin"},
      {"end", "end"},
      {"BEGIN:1", "AttachPointParts"},
      {"interval:s:1", "interval:s:1 period=1000000000"},
      {"i:ms:10", "interval:ms:10 period=10000000"},
      {"interval:us:100", "interval:us:100 period=100000"},
      {"interval:1s", "interval:us:1000000 period=1000000000"},
      {"interval:1m", "interval:us:60000000 period=60000000000"},
      {"interval:10000000", "interval:us:10000 period=10000000"},
      {"profile:hz:99", "profile:hz:99 hz=99"},
      {"p:1s", "profile:us:1000000 period=1000000000"},
      {"interval", "AttachPointParts"},
      {"interval:s:1:2", "AttachPointParts"},
      {"interval:m:1", "UnknownTimeUnit"},
      {"interval:s:abc", "BadProbeCount"},
      {"interval:s", "BadProbeCount"},
      {"interval:s:-1", "BadProbeCount"},
      {"interval:s:99999999999999", "BadProbeCount"},
      {"interval:s:0", "ZeroProbeCount"},
      {"interval:1", "PeriodTooShort"},
      {"software:cs:5", "software:cs:5 target=context-switches period=5 config=3"},
      {"s:faults", "software:faults target=page-faults period=100 config=2"},
      {"software:foo", "UnknownPerfEvent"},
      {"software:cpu:", "EmptyPart"},
      {"software:faults:0", "software:faults:0 target=page-faults period=100 config=2"},
      {"t:sched:sched_switch", "tracepoint:sched:sched_switch group=sched target=sched_switch"},
      {"tracepoint:foo", "AttachPointParts"},
      {"rt:sched_switch", "rawtracepoint:sched_switch target=sched_switch"},
      {"rawtracepoint:mod:ev", "rawtracepoint:mod:ev group=mod target=ev"},
      {"k:vfs_read+0x10", "kprobe:vfs_read+0x10 target=vfs_read offset=16"},
      {"kprobe:mod:fn", "kprobe:mod:fn group=mod target=fn"},
      {"kprobe:fn+x", "BadProbeOffset"},
      {"kr:vfs_read+1", "ProbeOffsetNotAllowed"},
      {"u:/bin/app:fn", "uprobe:/bin/app:fn target=fn path=/bin/app"},
      {"uprobe:app:fn+4", "uprobe:app:fn+4 target=fn path=app offset=4"},
      {"uprobe:app:0x1000", "uprobe:app:0x1000 path=app address=0x1000"},
      {"uprobe:\"/a:b\":fn", "uprobe:\"/a:b\":fn target=fn path=/a:b"},
      {"uprobe:app:cpp:\"ns::fn\"", "uprobe:app:cpp:\"ns::fn\" target=ns::fn path=app"},
      {"uprobe:app@a.c:4", "uprobe:app@a.c:4 path=app source=a.c line=4"},
      {"uprobe:app@1.2:bin@d/a.c:4:2", "AttachPointParts"},
      {"uprobe:/x@1/app@d/a.c:4:2", "uprobe:/x@1/app@d/a.c:4:2 path=/x@1/app source=d/a.c line=4 column=2"},
      {"uprobe:/x@1/app:fn", "uprobe:/x@1/app:fn target=fn path=/x@1/app"},
      {"uprobe:app@a.c:0", "BadSourceLine"},
      {"uprobe:app:ada:fn", "UnknownLanguage"},
      {"uprobe:fn", "AttachPointParts"},
      {"kprobee:fn", "UnknownProbeKind"},
      {"", "UnknownProbeKind"},
  };
  for (const auto& [text, expected] : rows) EXPECT_EQ(Parsed(text), expected) << text;
}

TEST(AttachPoint, Positional) {
  EXPECT_EQ(Parsed("interval:s:$1", {"5"}), "interval:s:5 period=5000000000");
  EXPECT_EQ(Parsed("interval:$1:$2", {"ms", "7"}), "interval:ms:7 period=7000000");
  EXPECT_EQ(Parsed("interval:s:$1"), "EmptyPart");
  EXPECT_EQ(Parsed("interval:s:$#", {"a", "b"}), "interval:s:2 period=2000000000");
}

TEST(AttachPoint, Numbers) {
  EXPECT_EQ(ParseNumber("1_000"), 1000u);
  EXPECT_EQ(ParseNumber("0x1F"), 31u);
  EXPECT_EQ(ParseNumber("017"), 15u);
  EXPECT_EQ(ParseNumber("1e3"), 1000u);
  EXPECT_EQ(ParseNumber("18446744073709551615"), 18446744073709551615u);
  for (const char* bad : {"", "x", "08", "1e99", "18446744073709551616", "_1", "0x", "1s", "-1"}) {
    EXPECT_FALSE(ParseNumber(bad).has_value()) << bad;
  }
  EXPECT_EQ(ParseDuration("10ms"), 10000000u);
  EXPECT_EQ(ParseDuration("1d"), 86400000000000u);
  EXPECT_FALSE(ParseDuration("10").has_value());
}

}  // namespace
}  // namespace kawk
