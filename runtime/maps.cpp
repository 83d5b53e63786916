#include "runtime/maps.h"

#include <algorithm>

#include "runtime/hist.h"
#include "runtime/order.h"
#include "runtime/tseries.h"

namespace kawk {

using image::MapSpec;
using image::TypeIndex;
using image::ValueKind;
using image::ValueType;

namespace {

constexpr size_t kLargeText = 64 << 10;

bool IsHist(const ValueType& type) { return type.kind == ValueKind::Hist || type.kind == ValueKind::Lhist; }

const char* JsonType(const ValueType& type) {
  if (IsHist(type)) return "hist";
  if (type.kind == ValueKind::Avg || type.kind == ValueKind::Stats) return "stats";
  return type.kind == ValueKind::Tseries ? "tseries" : "map";
}

// Towards zero, by the type's signedness; by magnitude, so that no divisor can overflow.
uint64_t Divide(const ValueType& type, uint64_t value, uint64_t div) {
  if (!type.is_signed || static_cast<int64_t>(value) >= 0) return value / div;
  return 0 - (0 - value) / div;
}

}  // namespace

std::vector<const MapEntry*> MapPrinter::Sorted(const MapSnapshot& map, uint64_t top) const {
  struct Ranked {
    uint64_t rank;
    const MapEntry* entry;
  };
  const ValueType& value = values_.type(map.spec->value);
  std::vector<Ranked> ranked;
  ranked.reserve(map.entries.size());
  for (const MapEntry& entry : map.entries) ranked.push_back({SortRank(value, entry.value).value_or(0), &entry});
  std::ranges::sort(ranked, [&](const Ranked& a, const Ranked& b) {
    if (a.rank != b.rank) return a.rank < b.rank;
    return CompareValues(values_, map.spec->key, a.entry->key, b.entry->key) < 0;
  });
  const size_t skip = top > 0 && top < ranked.size() ? ranked.size() - top : 0;
  std::vector<const MapEntry*> sorted;
  sorted.reserve(ranked.size() - skip);
  for (size_t i = skip; i < ranked.size(); ++i) sorted.push_back(ranked[i].entry);
  return sorted;
}

bool MapPrinter::UnsetScalar(const MapSnapshot& map, MapEntry& entry) const {
  const ValueType& value = values_.type(map.spec->value);
  if (map.spec->key != 0 || !map.entries.empty() || IsHist(value) || value.kind == ValueKind::Tseries) return false;
  entry.value.Zero(std::max<size_t>(value.size, 16));
  return true;
}

void MapPrinter::ValueText(TypeIndex index, Bytes value, uint64_t div, std::string& out) const {
  const ValueType& type = values_.type(index);
  if (div > 1 && type.kind == ValueKind::Stats) {
    Totals totals = LoadTotals(type, value);
    totals.average = Divide(type, totals.average, div);
    return AppendStatsText(out, type, totals, TextStyle::Plain);
  }
  const std::optional<uint64_t> number = div > 1 ? NumberOf(type, value) : std::nullopt;
  if (number) {
    AppendIntegerText(out, type, Divide(type, *number, div));
  } else {
    values_.Text(index, value, out);
  }
}

void MapPrinter::ValueJson(TypeIndex index, Bytes value, uint64_t div, std::string& out) const {
  const ValueType& type = values_.type(index);
  if (IsHist(type)) return AppendHistJson(out, HistRows(type, value, div));
  if (type.kind == ValueKind::Tseries) return AppendSeriesJson(out, type, LoadSeries(value), values_.clock());
  if (div > 1 && type.kind == ValueKind::Stats) {
    Totals totals = LoadTotals(type, value);
    totals.average = Divide(type, totals.average, div);
    return AppendStatsJson(out, type, totals);
  }
  const std::optional<uint64_t> number = div > 1 ? NumberOf(type, value) : std::nullopt;
  if (number) {
    AppendIntegerJson(out, type, Divide(type, *number, div));
  } else {
    values_.Json(index, value, out);
  }
}

void MapPrinter::EntryText(const MapSpec& spec, const MapEntry& entry, uint64_t div, std::string& out) const {
  out += spec.name;
  if (spec.key != 0) {
    out += '[';
    values_.KeyText(spec.key, entry.key, TextStyle::Plain, out);
    out += ']';
  }
  const ValueType& type = values_.type(spec.value);
  if (IsHist(type)) {
    out += ":\n";
    AppendHistText(out, HistRows(type, entry.value, div));
  } else if (type.kind == ValueKind::Tseries) {
    out += ":\n";
    AppendSeriesText(out, type, LoadSeries(entry.value), values_.clock());
  } else {
    out += ": ";
    ValueText(spec.value, entry.value, div, out);
  }
  out += '\n';
}

void MapPrinter::Text(const MapSnapshot& map, uint64_t top, uint64_t div, std::string& out,
                      const std::function<void()>& drain) const {
  MapEntry unset;
  if (UnsetScalar(map, unset)) return EntryText(*map.spec, unset, div, out);
  for (const MapEntry* entry : Sorted(map, top)) {
    EntryText(*map.spec, *entry, div, out);
    if (drain && out.size() > kLargeText) drain();
  }
}

void MapPrinter::Json(const MapSnapshot& map, uint64_t top, uint64_t div, std::string& out) const {
  MapEntry unset;
  std::vector<const MapEntry*> entries = Sorted(map, top);
  if (UnsetScalar(map, unset)) entries.push_back(&unset);
  if (entries.empty()) return;
  out += "{\"type\": \"";
  out += JsonType(values_.type(map.spec->value));
  out += "\", \"data\": {";
  AppendJsonString(out, map.spec->name);
  out += ": ";
  const char* separator = "{";
  for (const MapEntry* entry : entries) {
    if (map.spec->key != 0) {
      out += separator;
      values_.KeyJson(map.spec->key, entry->key, out);
      out += ": ";
      separator = ", ";
    }
    ValueJson(map.spec->value, entry->value, div, out);
  }
  out += map.spec->key != 0 ? "}}}\n" : "}}\n";
}

}  // namespace kawk
