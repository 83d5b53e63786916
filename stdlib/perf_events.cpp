#include "stdlib/perf_events.h"

#include <linux/perf_event.h>

#include <algorithm>

namespace kawk {
namespace {

// How the constants of each type begin; used by the macro below.
#define KAWK_PERF_Software(constant) PERF_COUNT_SW_##constant
#define KAWK_PERF_Hardware(constant) PERF_COUNT_HW_##constant

template <class Visit>
void ForEachName(const PerfEventRow& row, Visit visit) {
  visit(row.name);
  std::string_view rest = row.aliases;
  while (!rest.empty()) {
    const size_t comma = rest.find(',');
    visit(rest.substr(0, comma));
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  }
}

}  // namespace

const std::vector<PerfEventRow>& AllPerfEvents() {
  static const std::vector<PerfEventRow> rows = {
#define PERF_EVENT(type, constant, name, aliases, count) {PerfEventType::type, KAWK_PERF_##type(constant), name, aliases, count},
#include "stdlib/perf_events.def"
  };
  return rows;
}

const PerfEventRow* FindPerfEvent(PerfEventType type, std::string_view name_or_alias) {
  for (const PerfEventRow& row : AllPerfEvents()) {
    if (row.type != type) continue;
    bool found = false;
    ForEachName(row, [&](std::string_view name) { found |= name == name_or_alias; });
    if (found) return &row;
  }
  return nullptr;
}

std::vector<std::string_view> PerfEventNames(PerfEventType type) {
  std::vector<std::string_view> names;
  for (const PerfEventRow& row : AllPerfEvents()) {
    if (row.type == type) ForEachName(row, [&](std::string_view name) { names.push_back(name); });
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace kawk
