// The modes of kstack and ustack by name.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ast/types.h"

namespace kawk {

inline constexpr uint32_t kDefaultStackLimit = 127;
inline constexpr uint32_t kMostStackLimit = 1024;

struct StackModeRow {
  std::string_view name;
  StackMode mode;
};
inline constexpr std::array kStackModes = {
    StackModeRow{"bpftrace", StackMode::Bpftrace},
    StackModeRow{"perf", StackMode::Perf},
    StackModeRow{"raw", StackMode::Raw},
    StackModeRow{"build_id", StackMode::BuildId},
};

inline std::optional<StackMode> FindStackMode(std::string_view name) {
  for (const StackModeRow& row : kStackModes) {
    if (row.name == name) return row.mode;
  }
  return std::nullopt;
}
inline std::vector<std::string> StackModeNames() {
  std::vector<std::string> names;
  for (const StackModeRow& row : kStackModes) names.emplace_back(row.name);
  return names;
}

}  // namespace kawk
