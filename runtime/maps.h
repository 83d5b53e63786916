// A map as text or JSON: sorted, cut to the largest, scaled, and its histograms drawn.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "runtime/image/image.h"
#include "runtime/output.h"
#include "runtime/value.h"

namespace kawk {

class MapPrinter {
 public:
  explicit MapPrinter(const ValuePrinter& values) : values_(values) {}

  // `top`: only so many of the largest (0: all). `div`: numbers are divided by it (0: not).
  // `drain` is called whenever `out` has grown large, and may empty it.
  void Text(const MapSnapshot& map, uint64_t top, uint64_t div, std::string& out,
            const std::function<void()>& drain = nullptr) const;
  // One line of JSON, or nothing where text has nothing.
  void Json(const MapSnapshot& map, uint64_t top, uint64_t div, std::string& out) const;

 private:
  std::vector<const MapEntry*> Sorted(const MapSnapshot& map, uint64_t top) const;
  void EntryText(const image::MapSpec& spec, const MapEntry& entry, uint64_t div, std::string& out) const;
  void ValueText(image::TypeIndex type, Bytes value, uint64_t div, std::string& out) const;
  void ValueJson(image::TypeIndex type, Bytes value, uint64_t div, std::string& out) const;
  // What print(@x) shows of a scalar that was never set; nothing for charts.
  bool UnsetScalar(const MapSnapshot& map, MapEntry& entry) const;

  const ValuePrinter& values_;
};

}  // namespace kawk
