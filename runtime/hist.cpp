#include "runtime/hist.h"

#include <algorithm>

#include "runtime/image/buckets.h"
#include "runtime/value.h"

namespace kawk {

namespace {

constexpr int kLabelColumns = 16;
constexpr int kCountColumns = 8;
constexpr uint64_t kBarColumns = 52;
constexpr char kUnits[] = " KMGTPE";

// value / 1024^unit and the unit's letter.
std::string WithUnit(uint64_t value, unsigned unit) {
  std::string text = std::to_string(value >> (10 * unit));
  if (unit > 0) text += kUnits[unit];
  return text;
}

// A boundary of a log2 bucket. It is a multiple of a power of two that its magnitude fixes, and the unit follows that
// power alone, so that a column of labels changes its unit at powers of two only.
std::string Log2Label(uint64_t value, uint32_t bits) {
  if (value == 0) return "0";
  const unsigned power = 63 - static_cast<unsigned>(__builtin_clzll(value));
  return WithUnit(value, power < bits ? 0 : (power - bits) / 10);
}

HistRow Log2Row(uint32_t bucket, uint32_t bits) {
  if (bucket == 0) return {"(..., 0)", std::nullopt, -1};
  const uint64_t index = bucket - 1;
  const uint64_t exact = uint64_t{1} << bits;
  if (index < exact) return {"[" + std::to_string(index) + "]", static_cast<int64_t>(index), static_cast<int64_t>(index)};
  const uint64_t shift = (index >> bits) - 1;
  const uint64_t low = (exact + (index & (exact - 1))) << shift;
  const uint64_t next = low + (uint64_t{1} << shift);
  const std::string label = shift == 0 ? "[" + Log2Label(low, bits) + "]"
                                       : "[" + Log2Label(low, bits) + ", " + (next == 0 ? "16E" : Log2Label(next, bits)) + ")";
  return {label, static_cast<int64_t>(low), static_cast<int64_t>(next - 1), true};
}

// A boundary of a linear bucket, in the largest unit that shows it exactly; only where the step is a multiple of 1024,
// so that decimal scales stay decimal.
std::string LinearLabel(int64_t value, int64_t step) {
  if (step % 1024 != 0 || value <= 0) return std::to_string(value);
  return WithUnit(static_cast<uint64_t>(value), std::min(__builtin_ctzll(static_cast<uint64_t>(value)) / 10, 6));
}

HistRow LinearRow(const image::ValueType& type, uint32_t bucket, uint32_t buckets) {
  const int64_t step = std::max<int64_t>(type.lhist_step, 1);
  if (bucket == 0) return {"(..., " + LinearLabel(type.lhist_min, step) + ")", std::nullopt, type.lhist_min - 1};
  const auto boundary = [&](uint64_t index) {
    const uint64_t range = static_cast<uint64_t>(type.lhist_max) - static_cast<uint64_t>(type.lhist_min);
    return static_cast<int64_t>(static_cast<uint64_t>(type.lhist_min) + std::min(range, index * static_cast<uint64_t>(step)));
  };
  const int64_t low = boundary(bucket - 1);
  if (bucket + 1 == buckets) return {"[" + LinearLabel(low, step) + ", ...)", low, std::nullopt};
  const int64_t next = boundary(bucket);
  const std::string label =
      next == low + 1 ? "[" + LinearLabel(low, step) + "]" : "[" + LinearLabel(low, step) + ", " + LinearLabel(next, step) + ")";
  return {label, low, next - 1};
}

HistRow RowOf(const image::ValueType& type, uint32_t bucket, uint32_t buckets) {
  if (type.kind == image::ValueKind::Hist) return Log2Row(bucket, std::min(type.hist_bits, 5u));
  return LinearRow(type, bucket, buckets);
}

uint32_t BucketCount(const image::ValueType& type, Bytes buckets) {
  const uint32_t have = static_cast<uint32_t>(buckets.size() / sizeof(uint64_t));
  if (type.kind == image::ValueKind::Hist) return std::min(have, image::HistBuckets(std::min(type.hist_bits, 5u)));
  return have;  // lhist: the slot says it, whatever rounding its bounds took
}

}  // namespace

std::vector<HistRow> HistRows(const image::ValueType& type, Bytes buckets, uint64_t div) {
  const uint32_t count = BucketCount(type, buckets);
  std::vector<HistRow> rows;
  uint32_t end = count;
  while (end > 0 && LoadU64(buckets, (end - 1) * sizeof(uint64_t)) == 0) --end;
  for (uint32_t i = 0; i < end; ++i) {
    const uint64_t hits = LoadU64(buckets, i * sizeof(uint64_t));
    if (rows.empty() && hits == 0) continue;
    rows.push_back(RowOf(type, i, count));
    rows.back().count = div == 0 ? hits : hits / div;
  }
  return rows;
}

uint64_t HistTotal(Bytes buckets) {
  uint64_t total = 0;
  for (size_t i = 0; i + sizeof(uint64_t) <= buckets.size(); i += sizeof(uint64_t)) total += LoadU64(buckets, i);
  return total;
}

void AppendHistText(std::string& out, const std::vector<HistRow>& rows) {
  uint64_t largest = 1;
  for (const HistRow& row : rows) largest = std::max(largest, row.count);
  for (const HistRow& row : rows) {
    size_t start = out.size();
    out += row.label;
    PadTo(out, start, kLabelColumns, true);
    start = out.size();
    AppendUnsigned(out, row.count);
    PadTo(out, start, kCountColumns, false);
    out += " |";
    start = out.size();
    out.append(static_cast<size_t>(static_cast<unsigned __int128>(row.count) * kBarColumns / largest), '@');
    PadTo(out, start, kBarColumns, true);
    out += "|\n";
  }
}

namespace {

void AppendEnd(std::string& out, const char* name, const std::optional<int64_t>& end, bool is_unsigned) {
  if (!end) return;
  out += name;
  if (is_unsigned) {
    AppendJsonUnsigned(out, static_cast<uint64_t>(*end));
  } else {
    AppendJsonSigned(out, *end);
  }
  out += ", ";
}

}  // namespace

void AppendHistJson(std::string& out, const std::vector<HistRow>& rows) {
  out += '[';
  for (size_t i = 0; i < rows.size(); ++i) {
    out += i == 0 ? "{" : ",{";
    AppendEnd(out, "\"min\": ", rows[i].min, rows[i].is_unsigned);
    AppendEnd(out, "\"max\": ", rows[i].max, rows[i].is_unsigned);
    out += "\"count\": ";
    AppendJsonUnsigned(out, rows[i].count);
    out += '}';
  }
  out += ']';
}

}  // namespace kawk
