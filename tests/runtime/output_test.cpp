// What Output does with each kind of event. Expectations are what bpftrace 0.27 prints, but where a comment says otherwise.
#include <unistd.h>

#include "tests/runtime/image_builder.h"

namespace kawk {
namespace {

class Events : public testing::Test {
 protected:
  Builder b;
  std::string Both(const EventSpec& event, const std::vector<Data>& args, RunOptions options = {}) {
    const Data record = Builder::Record(event, args);
    std::string all;
    for (const OutputFormat format : {OutputFormat::Text, OutputFormat::Json}) {
      all += Printed(b.image, format, [&](Output& out) { out.Record(event, record); }, options);
    }
    return all;
  }
  static void Literal(EventSpec& event, const std::string& text) { event.format.push_back({.literal = text}); }
};

TEST_F(Events, PrintValue) {
  EventSpec& event = b.Event(EventKind::PrintValue, {b.Int(8, true)});
  EXPECT_EQ(Both(event, {Pack<int64_t>(-1)}), "-1\n{\"type\": \"value\", \"data\": -1}\n");
}

TEST_F(Events, PrintString) {
  EventSpec& event = b.Event(EventKind::PrintValue, {b.String(9, true)});
  EXPECT_EQ(Both(event, {Chars("/bin/ech")}), "/bin/ech..\n{\"type\": \"value\", \"data\": \"/bin/ech..\"}\n");
}

TEST_F(Events, Time) {
  setenv("TZ", "UTC", 1);
  tzset();
  EventSpec& event = b.Event(EventKind::Time, {b.Int(8, false)});
  Literal(event, "%Y-%m-%d %H:%M:%S.%f%%\n");
  const ClockPair now = ReadClocks();
  const int64_t boot = 1700000000012345678 - (now.wall - now.boot);
  const std::string text = Both(event, {Pack(boot)});
  EXPECT_TRUE(text.starts_with("2023-11-14 22:13:20.0123")) << text;
  EXPECT_TRUE(text.ends_with("%\\n\"}\n")) << text;
}

TEST_F(Events, Join) {
  const TypeIndex s = b.String(16);
  EventSpec& event = b.Event(EventKind::Join, {s, s, s});
  Literal(event, ",");
  EXPECT_EQ(Both(event, {Chars("/bin/echo"), Chars("a"), Chars("b")}),
            "/bin/echo,a,b\n{\"type\": \"join\", \"data\": \"/bin/echo,a,b\"}\n");
}

TEST_F(Events, JoinOfOneBuffer) {
  EventSpec& event = b.Event(EventKind::Join, {b.Kind(ValueKind::Buffer, 64)});
  Literal(event, " ");
  EXPECT_EQ(Both(event, {Chars("echo\0\0b\0"s)}), "echo  b\n{\"type\": \"join\", \"data\": \"echo  b\"}\n");
}

TEST_F(Events, JoinCounts) {
  const TypeIndex s = b.String(16);
  EventSpec& event = b.Event(EventKind::Join, {b.Int(4, false), s, s, s});
  Literal(event, " ");
  EXPECT_EQ(Both(event, {Pack(2), Chars("a"), Chars(""), Chars("")}), "a \n{\"type\": \"join\", \"data\": \"a \"}\n");
}

TEST_F(Events, Cat) {
  b.image.config.max_cat_bytes = 5;
  char path[] = "/tmp/kawk_cat_XXXXXX";
  const int fd = mkstemp(path);
  ASSERT_EQ(write(fd, "one\ntwo\n", 8), 8);
  close(fd);
  EventSpec& event = b.Event(EventKind::Cat, {b.String(64)});
  event.format.push_back({.literal = "", .conversion = "s", .arg = 0});
  EXPECT_EQ(Both(event, {Chars(path)}), "one\nt{\"type\": \"cat\", \"data\": \"one\\nt\"}\n");
  unlink(path);
  CapturedStderr errors;
  EXPECT_EQ(Both(event, {Chars("/nonexistent")}), "");
  const std::string line = "ERROR: failed to open file '/nonexistent' (No such file or directory)\n";
  EXPECT_EQ(errors.Text(), line + line);
}

TEST_F(Events, System) {
  EventSpec& event = b.Event(EventKind::System, {b.Int(4, true)});
  event.format.push_back({.literal = "echo hi; echo err >&2; exit ", .conversion = "d", .arg = 0});
  CapturedStderr errors;
  EXPECT_EQ(Both(event, {Pack(0)}), "hi\nerr\n\n{\"type\": \"syscall\", \"data\": \"hi\\nerr\\n\"}\n");
  EXPECT_EQ(Both(event, {Pack(3)}), "hi\nerr\n{\"type\": \"syscall\", \"data\": \"hi\\nerr\\n\"}\n");
  const std::string line = "ERROR: command exited with code 3\n";
  EXPECT_EQ(errors.Text(), line + line);
}

TEST_F(Events, SystemDoesNotWaitForBackgroundJobs) {
  EventSpec& event = b.Event(EventKind::System, {});
  Literal(event, "sleep 100 & echo x");
  EXPECT_EQ(Both(event, {}), "x\n\n{\"type\": \"syscall\", \"data\": \"x\\n\"}\n");
}

TEST_F(Events, ErrorfAndWarnf) {
  b.image.sources = {{"a.bt", ""}};
  EventSpec& event = b.Event(EventKind::Warnf, {b.Int(4, true)});
  event.format.push_back({.literal = "w ", .conversion = "d", .arg = 0});
  Literal(event, "\n");
  event.location = {0, {2, 3}, {2, 21}};
  EventSpec failing = event;
  failing.kind = EventKind::Errorf;
  failing.location = {0, {3, 3}, {4, 12}};
  b.image.events.push_back(failing);
  const EventSpec& warnf = b.image.events[0];
  const EventSpec& errorf = b.image.events[1];
  CapturedStderr errors;
  EXPECT_EQ(Both(warnf, {Pack(5)}),
            "{\"type\": \"warnf\", \"msg\": \"w 5\\n\", \"filename\": \"a.bt\", \"line\": 2, \"col\": 3}\n");
  EXPECT_EQ(Both(errorf, {Pack(5)}),
            "{\"type\": \"errorf\", \"msg\": \"w 5\\n\", \"filename\": \"a.bt\", \"line\": 3, \"col\": 3}\n");
  EXPECT_EQ(Both(warnf, {Pack(5)}, {.warnings = false}), "");
  EXPECT_EQ(errors.Text(), "a.bt:2:3-21: WARNING: w 5\na.bt:3-4: ERROR: w 5\n");
}

TEST_F(Events, HelperErrors) {
  b.image.sources = {{"a.bt", "BEGIN\n{ x(str(5)); }\n"}};
  EventSpec& event = b.Event(EventKind::HelperError, {b.Int(8, true)});
  Literal(event, "probe_read_kernel_str");
  event.location = {0, {2, 5}, {2, 11}};
  CapturedStderr errors;
  EXPECT_EQ(Both(event, {Pack<int64_t>(-34)}), "");
  EXPECT_EQ(Both(event, {Pack<int64_t>(-34)}, {.read_warnings = true}),
            "{\"type\": \"helper_error\", \"msg\": \"Numerical result out of range\", \"helper\": \"probe_read_kernel_str\", "
            "\"retcode\": -34, \"filename\": \"a.bt\", \"line\": 2, \"col\": 5}\n");
  EXPECT_EQ(errors.Text(),
            "a.bt:2:5-11: WARNING: Numerical result out of range\n"
            "Additional Info - helper: probe_read_kernel_str, retcode: -34\n"
            "{ x(str(5)); }\n"
            "    ~~~~~~\n");
}

TEST_F(Events, DamagedRecordsAreIgnored) {
  EventSpec& event = b.Event(EventKind::PrintValue, {b.String(64)});
  const Data good = Builder::Record(event, {Chars("abc")});
  for (size_t length = 0; length <= good.size(); ++length) {
    const Data cut(good.begin(), good.begin() + static_cast<long>(length));
    const std::string text = Printed(b.image, OutputFormat::Text, [&](Output& out) { out.Record(event, cut); });
    EXPECT_EQ(text, length < 12 ? "" : std::string("abc").substr(0, length - 12) + "\n");
  }
  Data lying = good;
  lying[8] = lying[9] = lying[10] = lying[11] = 0xff;
  EXPECT_EQ(Printed(b.image, OutputFormat::Text, [&](Output& out) { out.Record(event, lying); }), "abc\n");
}

TEST_F(Events, AttachedProbes) {
  CapturedStderr errors;
  const auto attached = [](Output& out) {
    out.AttachedProbes(1);
    out.AttachedProbes(2);
  };
  EXPECT_EQ(Printed(b.image, OutputFormat::Text, attached), "");
  EXPECT_EQ(Printed(b.image, OutputFormat::Text, attached, {.quiet = true}), "");
  EXPECT_EQ(Printed(b.image, OutputFormat::Json, attached),
            "{\"type\": \"attached_probes\", \"count\": 1, \"data\": {\"probes\": 1}}\n"
            "{\"type\": \"attached_probes\", \"count\": 2, \"data\": {\"probes\": 2}}\n");
  EXPECT_EQ(Printed(b.image, OutputFormat::Json, attached, {.quiet = true}), "");
  EXPECT_EQ(errors.Text(), "Attached 1 probe\nAttached 2 probes\n");
}

TEST_F(Events, Losses) {
  CapturedStderr errors;
  const auto lost = [](Output& out) {
    out.Lost("BEGIN", image::LossCause::RingFull, 12);
    out.Lost("BEGIN", image::LossCause::MapFull, 1);
    out.Lost("BEGIN", image::LossCause::ReadFailed, 1);
    out.Lost("BEGIN", image::LossCause::NoScratch, 0);
    out.Lost("END", image::LossCause::NoScratch, 3);
    out.FinalMaps({});
  };
  EXPECT_EQ(Printed(b.image, OutputFormat::Text, lost), "\n\n");
  EXPECT_EQ(Printed(b.image, OutputFormat::Json, lost),
            "{\"type\": \"lost_events\", \"count\": 12, \"data\": {\"events\": 12}, \"probe\": \"BEGIN\", \"cause\": \"ring "
            "buffer full\"}\n"
            "{\"type\": \"helper_error\", \"msg\": \"map full\", \"helper\": \"map_update_elem\", \"retcode\": -7, \"count\": 1, "
            "\"probe\": \"BEGIN\", \"cause\": \"map full\"}\n"
            "{\"type\": \"lost_events\", \"count\": 3, \"data\": {\"events\": 3}, \"probe\": \"END\", \"cause\": \"too many "
            "nested probes\"}\n");
  EXPECT_EQ(
      errors.Text(),
      "Lost 12 events of BEGIN: ring buffer full\n"
      "WARNING: Map full; can't update element (1 time in BEGIN). Try increasing max_map_keys config or manually setting the max "
      "entries in a map declaration e.g. `let @a = hash(5000)`\n"
      "Lost 3 events of END: too many nested probes\n"
      "WARNING: Total lost event count: 15\n"
      "WARNING: Total lost event count: 15\n");
}

TEST_F(Events, FullDiskIsReported) {
  EventSpec& event = b.Event(EventKind::PrintValue, {b.Int(8, true)});
  Symbols symbols(b.image.config);
  FakeStacks stacks;
  RunOptions options;
  options.output_path = "/dev/full";
  auto output = Output::Open(b.image, options, symbols, stacks, nullptr);
  ASSERT_TRUE(static_cast<bool>(output));
  (*output)->Record(event, Builder::Record(event, {Pack<int64_t>(1)}));
  EXPECT_EQ((*output)->error(), 0);
  EXPECT_FALSE((*output)->Flush());
  EXPECT_EQ((*output)->error(), ENOSPC);
}

TEST_F(Events, UnwritablePathIsAnError) {
  Symbols symbols(b.image.config);
  FakeStacks stacks;
  RunOptions options;
  options.output_path = "/nonexistent/x";
  auto output = Output::Open(b.image, options, symbols, stacks, nullptr);
  ASSERT_FALSE(static_cast<bool>(output));
  EXPECT_EQ(output.error().code, ENOENT);
}

}  // namespace
}  // namespace kawk
