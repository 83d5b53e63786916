#include "runtime/order.h"

#include <algorithm>
#include <compare>

#include "runtime/hist.h"

namespace kawk {

using image::ValueKind;
using image::ValueType;

namespace {

// Signed numbers keep their order as unsigned ones with the top bit flipped.
uint64_t Ordered(const ValueType& type, uint64_t number) { return type.is_signed ? number ^ (uint64_t{1} << 63) : number; }

template <class T>
int Sign(const T& a, const T& b) {
  return a < b ? -1 : a == b ? 0 : 1;
}

int CompareParts(const ValuePrinter& values, const ValueType& type, Bytes a, Bytes b) {
  for (const image::Field& field : type.fields) {
    const uint32_t size = values.type(field.type).size;
    const int order = CompareValues(values, field.type, Slice(a, field.offset, size), Slice(b, field.offset, size));
    if (order != 0) return order;
  }
  return 0;
}

int CompareElements(const ValuePrinter& values, const ValueType& type, Bytes a, Bytes b) {
  const size_t size = values.type(type.element).size;
  for (size_t i = 0; i < type.count; ++i) {
    const int order = CompareValues(values, type.element, Slice(a, i * size, size), Slice(b, i * size, size));
    if (order != 0) return order;
  }
  return 0;
}

int CompareBytes(Bytes a, Bytes b) { return AsChars(a).compare(AsChars(b)); }

}  // namespace

std::optional<uint64_t> NumberOf(const ValueType& type, Bytes value) {
  switch (type.kind) {
    case ValueKind::Int:
    case ValueKind::Enum: return LoadInteger(type, value);
    case ValueKind::Count:
    case ValueKind::Sum: return LoadU64(value, 0);
    case ValueKind::Min:
    case ValueKind::Max: return LoadExtreme(type, value);
    case ValueKind::Avg: return LoadTotals(type, value).average;
    case ValueKind::None:
    case ValueKind::Bool:
    case ValueKind::Pointer:
    case ValueKind::String:
    case ValueKind::Buffer:
    case ValueKind::Inet:
    case ValueKind::Mac:
    case ValueKind::Timestamp:
    case ValueKind::KernelSymbol:
    case ValueKind::UserSymbol:
    case ValueKind::KernelStack:
    case ValueKind::UserStack:
    case ValueKind::CgroupPath:
    case ValueKind::Username:
    case ValueKind::Array:
    case ValueKind::Struct:
    case ValueKind::Tuple:
    case ValueKind::Record:
    case ValueKind::Stats:
    case ValueKind::Hist:
    case ValueKind::Lhist:
    case ValueKind::Tseries: return std::nullopt;
  }
  return std::nullopt;
}

std::optional<uint64_t> SortRank(const ValueType& type, Bytes value) {
  if (type.kind == ValueKind::Hist || type.kind == ValueKind::Lhist) return HistTotal(value);
  if (type.kind == ValueKind::Stats) return Ordered(type, LoadTotals(type, value).average);
  const std::optional<uint64_t> number = NumberOf(type, value);
  if (!number) return std::nullopt;
  return Ordered(type, *number);
}

int CompareValues(const ValuePrinter& values, image::TypeIndex index, Bytes a, Bytes b) {
  const ValueType& type = values.type(index);
  switch (type.kind) {
    case ValueKind::None: return 0;
    case ValueKind::Bool:
    case ValueKind::Int:
    case ValueKind::Pointer:
    case ValueKind::Enum: return Sign(Ordered(type, LoadInteger(type, a)), Ordered(type, LoadInteger(type, b)));
    case ValueKind::String: return Sign(CString(a), CString(b));
    case ValueKind::Timestamp:
    case ValueKind::KernelSymbol:
    case ValueKind::UserSymbol:
    case ValueKind::CgroupPath:
    case ValueKind::Username: return Sign(LoadU64(a, 0), LoadU64(b, 0));
    case ValueKind::Array: return CompareElements(values, type, a, b);
    case ValueKind::Struct:
    case ValueKind::Tuple:
    case ValueKind::Record: return CompareParts(values, type, a, b);
    case ValueKind::Buffer: return CompareBytes(BufferBytes(a), BufferBytes(b));
    case ValueKind::Inet:
    case ValueKind::Mac:
    case ValueKind::KernelStack:
    case ValueKind::UserStack:
    case ValueKind::Count:
    case ValueKind::Sum:
    case ValueKind::Min:
    case ValueKind::Max:
    case ValueKind::Avg:
    case ValueKind::Stats:
    case ValueKind::Hist:
    case ValueKind::Lhist:
    case ValueKind::Tseries: return CompareBytes(a, b);
  }
  return 0;
}

}  // namespace kawk
