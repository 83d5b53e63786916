// The events that `software:` and `hardware:` probes name, from perf_events.def.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace kawk {

enum class PerfEventType : uint8_t { Software, Hardware };

struct PerfEventRow {
  PerfEventType type;
  uint64_t config;  // perf_event_attr.config
  std::string_view name;
  std::string_view aliases;  // by comma
  uint64_t default_count;
};

const std::vector<PerfEventRow>& AllPerfEvents();
// nullptr when this type has no event of that name or alias.
const PerfEventRow* FindPerfEvent(PerfEventType type, std::string_view name_or_alias);
// Every name and alias of the type's events, sorted.
std::vector<std::string_view> PerfEventNames(PerfEventType type);

}  // namespace kawk
