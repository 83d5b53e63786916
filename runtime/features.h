// What this kernel can do beyond the oldest that is supported: asked once, of the kernel itself, when it matters.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace kawk {

enum class Feature : uint8_t { KprobeMulti, KprobeSession, UprobeMulti, UprobeMultiPid };

class Features {
 public:
  // `disabled`: names of --no-feature.
  explicit Features(const std::vector<std::string>& disabled) : disabled_(disabled) {}
  bool Has(Feature feature);

  // The names that --no-feature takes.
  static std::vector<std::string> Names();

 private:
  std::vector<std::string> disabled_;
  std::map<Feature, bool> known_;
};

}  // namespace kawk
