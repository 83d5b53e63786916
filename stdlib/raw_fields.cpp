#include "stdlib/raw_fields.h"

namespace kawk {

bool RawFieldRow::Names(std::string_view category, std::string_view event) const {
  const size_t colon = events.find(':');
  if (events.substr(0, colon) != category) return false;
  std::string_view rest = events.substr(colon + 1);
  while (!rest.empty()) {
    const size_t comma = rest.find(',');
    if (rest.substr(0, comma) == event) return true;
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  return false;
}

const std::vector<RawFieldRow>& RawFieldRows() {
  static const std::vector<RawFieldRow> rows = {
#define RAW_FIELD(events, field, from) {events, field, from},
#include "stdlib/raw_fields.def"
  };
  return rows;
}

std::string_view RawFieldFrom(std::string_view category, std::string_view event, std::string_view field) {
  for (const RawFieldRow& row : RawFieldRows()) {
    if (row.field == field && row.Names(category, event)) return row.from;
  }
  return {};
}

}  // namespace kawk
