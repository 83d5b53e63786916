// The order in which a map's entries print.
#pragma once

#include <cstdint>
#include <optional>

#include "runtime/value.h"

namespace kawk {

// The number that a value of this type stands for, extended to 64 bits by its signedness; none where it is no number.
std::optional<uint64_t> NumberOf(const image::ValueType& type, Bytes value);

// A rank that grows with the value, where maps with such values sort by value: numbers, totals of histograms.
std::optional<uint64_t> SortRank(const image::ValueType& type, Bytes value);

// < 0, 0, > 0: keys by what they say, part by part: numbers by value, strings by their bytes.
int CompareValues(const ValuePrinter& values, image::TypeIndex type, Bytes a, Bytes b);

}  // namespace kawk
