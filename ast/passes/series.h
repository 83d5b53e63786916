// Words and bounds of tseries().
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "ast/types.h"

namespace kawk {

inline constexpr int64_t kMostSeriesIntervals = 1000000;

// What tseries() may be told to keep of an interval; nothing for other words.
inline std::optional<SeriesKind> FindSeriesKind(std::string_view word) {
  if (word == "avg") return SeriesKind::Avg;
  if (word == "max") return SeriesKind::Max;
  if (word == "min") return SeriesKind::Min;
  if (word == "sum") return SeriesKind::Sum;
  return std::nullopt;
}

}  // namespace kawk
