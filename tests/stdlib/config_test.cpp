// Configuration values from text and from the environment.
#include <gtest/gtest.h>

#include <map>

#include "stdlib/environment.h"
#include "stdlib/registry.h"

namespace kawk {
namespace {

TEST(Config, Defaults) {
  const Config config;
  EXPECT_EQ(config.max_map_keys, 4096u);
  EXPECT_EQ(config.max_strlen, 1024u);
  EXPECT_TRUE(config.cpp_demangle);
  EXPECT_EQ(config.str_trunc_trailer, "..");
}

// Every default is a value that the key takes.
TEST(Config, DefaultWordsAreAllowed) {
  const Config defaults;
  Config config;
  EXPECT_EQ(SetConfig(config, "stack_mode", defaults.stack_mode), std::nullopt);
  EXPECT_EQ(SetConfig(config, "missing_probes", defaults.missing_probes), std::nullopt);
  EXPECT_EQ(SetConfig(config, "cache_user_symbols", defaults.cache_user_symbols), std::nullopt);
}

TEST(Config, Integers) {
  const struct {
    const char* text;
    uint64_t value;
  } good[] = {{"0", 0}, {"64", 64}, {"0x40", 64}, {"010", 8}, {"18446744073709551615", ~0ull}};
  for (const auto& row : good) {
    Config config;
    EXPECT_EQ(SetConfig(config, "max_strlen", row.text), std::nullopt) << row.text;
    EXPECT_EQ(config.max_strlen, row.value) << row.text;
  }
  for (const char* text : {"", " 1", "1 ", "abc", "64K", "-1", "+1", "0x", "1.5", "18446744073709551616"}) {
    Config config;
    EXPECT_NE(SetConfig(config, "max_strlen", text), std::nullopt) << text;
    EXPECT_EQ(config.max_strlen, 1024u) << text;
  }
  Config config;
  EXPECT_EQ(*SetConfig(config, "max_strlen", "abc"), "`max_strlen` takes a number, not `abc`");
  EXPECT_EQ(*SetConfig(config, "max_strlen", "99999999999999999999"), "`99999999999999999999` is out of range for `max_strlen`");
  EXPECT_NE(SetConfig(config, "max_strlen", std::string_view("6\0004", 3)), std::nullopt);
}

TEST(Config, Bools) {
  for (const char* text : {"0", "false", "FALSE", "no", "off"}) {
    Config config;
    EXPECT_EQ(SetConfig(config, "cpp_demangle", text), std::nullopt) << text;
    EXPECT_FALSE(config.cpp_demangle) << text;
  }
  for (const char* text : {"1", "true", "True", "yes", "on"}) {
    Config config;
    EXPECT_EQ(SetConfig(config, "lazy_symbolication", text), std::nullopt) << text;
    EXPECT_TRUE(config.lazy_symbolication) << text;
  }
  Config config;
  EXPECT_EQ(*SetConfig(config, "cpp_demangle", "2"), "`cpp_demangle` takes `true` or `false`, not `2`");
}

TEST(Config, Words) {
  Config config;
  EXPECT_EQ(SetConfig(config, "stack_mode", "PERF"), std::nullopt);
  EXPECT_EQ(config.stack_mode, "perf");
  EXPECT_EQ(SetConfig(config, "license", "Dual MIT/GPL"), std::nullopt);
  EXPECT_EQ(config.license, "Dual MIT/GPL");
  EXPECT_EQ(SetConfig(config, "cache_user_symbols", "0"), std::nullopt);
  EXPECT_EQ(config.cache_user_symbols, "NONE");
  EXPECT_EQ(*SetConfig(config, "missing_probes", "x"), "`missing_probes` takes `error`, `warn` or `ignore`, not `x`");
}

TEST(Config, KeySpellings) {
  for (const char* key : {"max_strlen", "MAX_STRLEN", "BPFTRACE_MAX_STRLEN", "bpftrace_max_strlen", "KAWK_MAX_STRLEN"}) {
    ASSERT_NE(FindConfigKey(key), nullptr) << key;
    EXPECT_EQ(FindConfigKey(key)->name, "max_strlen");
  }
  EXPECT_EQ(FindConfigKey("nosuch"), nullptr);
  EXPECT_EQ(FindConfigKey(""), nullptr);
  EXPECT_EQ(FindConfigKey("bpftrace_"), nullptr);
}

TEST(Environment, OursWinsAndBadValuesAreNamed) {
  std::map<std::string, std::string> variables = {
      {"KAWK_MAX_STRLEN", "10"}, {"BPFTRACE_MAX_STRLEN", "20"}, {"BPFTRACE_MAX_PROBES", "30"}};
  const EnvironmentReader read = [&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  };
  Config config;
  EXPECT_EQ(ApplyEnvironment(config, read), std::nullopt);
  EXPECT_EQ(config.max_strlen, 10u);
  EXPECT_EQ(config.max_probes, 30u);
  variables["BPFTRACE_STACK_MODE"] = "x";
  EXPECT_EQ(*ApplyEnvironment(config, read),
            "BPFTRACE_STACK_MODE: `stack_mode` takes `bpftrace`, `perf`, `raw` or `build_id`, not `x`");
}

}  // namespace
}  // namespace kawk
