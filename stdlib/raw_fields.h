// Fields of tracepoints that can be had from the arguments of the raw tracepoint: see raw_fields.def.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kawk {

struct RawFieldRow {
  std::string_view events;  // "category:event,event"
  std::string_view field;
  std::string_view from;

  // Whether the row is of this event.
  bool Names(std::string_view category, std::string_view event) const;
};

const std::vector<RawFieldRow>& RawFieldRows();
// Where this field comes from; empty: it is not in the table.
std::string_view RawFieldFrom(std::string_view category, std::string_view event, std::string_view field);

}  // namespace kawk
