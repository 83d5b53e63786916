// hist() and lhist(): bucket counts → rows → a chart or JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/image/image.h"
#include "runtime/text.h"

namespace kawk {

struct HistRow {
  std::string label;           // "[4, 8)"
  std::optional<int64_t> min;  // both ends belong to the row; missing: open
  std::optional<int64_t> max;
  bool is_unsigned = false;  // the ends are uint64: log2 rows of unsigned numbers reach past INT64_MAX
  uint64_t count = 0;
};

// The rows from the first to the last bucket that counted something; counts are divided by `div` (0: not at all).
std::vector<HistRow> HistRows(const image::ValueType& type, Bytes buckets, uint64_t div);
// All counts together.
uint64_t HistTotal(Bytes buckets);

void AppendHistText(std::string& out, const std::vector<HistRow>& rows);
void AppendHistJson(std::string& out, const std::vector<HistRow>& rows);

}  // namespace kawk
