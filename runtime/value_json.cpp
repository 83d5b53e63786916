// Values as JSON. Names (symbols, addresses, stacks, times) are strings with the same text as outside JSON.
#include <algorithm>

#include "runtime/value.h"

namespace kawk {

using image::Field;
using image::TypeIndex;
using image::ValueKind;
using image::ValueType;

void AppendIntegerJson(std::string& out, const ValueType& type, uint64_t value) {
  if (type.is_signed) {
    AppendJsonSigned(out, static_cast<int64_t>(value));
  } else {
    AppendJsonUnsigned(out, value);
  }
}

void AppendStatsJson(std::string& out, const ValueType& type, const Totals& totals) {
  out += "{\"count\": ";
  AppendJsonUnsigned(out, totals.count);
  out += ", \"average\": ";
  AppendIntegerJson(out, type, totals.average);
  out += ", \"total\": ";
  AppendIntegerJson(out, type, totals.total);
  out += '}';
}

void ValuePrinter::StringJson(const ValueType& t, Bytes bytes, std::string& out) const {
  const std::string_view text = CString(bytes);
  out += '"';
  AppendJsonChars(out, text);
  if (t.may_truncate && text.size() + 1 >= t.size) AppendJsonChars(out, image_.config.trunc_trailer);
  out += '"';
}

void ValuePrinter::BufferJson(Bytes bytes, std::string& out) const {
  out += '[';
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0) out += ',';
    AppendUnsigned(out, bytes[i]);
  }
  out += ']';
}

void ValuePrinter::TextAsJson(TypeIndex index, Bytes bytes, std::string& out) const {
  std::string text;
  Text(index, bytes, TextStyle::Plain, text);
  AppendJsonString(out, text);
}

void ValuePrinter::Json(TypeIndex index, Bytes bytes, std::string& out) const {
  const ValueType& t = type(index);
  switch (t.kind) {
    case ValueKind::None: out += "null"; return;
    case ValueKind::Bool: out += LoadInteger(t, bytes) != 0 ? "true" : "false"; return;
    case ValueKind::Int:
    case ValueKind::Enum: AppendIntegerJson(out, t, LoadInteger(t, bytes)); return;
    case ValueKind::Pointer: AppendJsonUnsigned(out, LoadInteger(t, bytes)); return;
    case ValueKind::String: StringJson(t, bytes.first(std::min<size_t>(t.size, bytes.size())), out); return;
    case ValueKind::Buffer: BufferJson(BufferBytes(bytes), out); return;
    case ValueKind::Inet:
    case ValueKind::Mac:
    case ValueKind::Timestamp:
    case ValueKind::KernelSymbol:
    case ValueKind::UserSymbol:
    case ValueKind::KernelStack:
    case ValueKind::UserStack:
    case ValueKind::CgroupPath:
    case ValueKind::Username: TextAsJson(index, bytes, out); return;
    case ValueKind::Array: ArrayJson(t, bytes, out); return;
    case ValueKind::Struct:
    case ValueKind::Record: FieldsJson(t, bytes, out); return;
    case ValueKind::Tuple: TupleJson(t, bytes, out); return;
    case ValueKind::Count: AppendJsonUnsigned(out, LoadU64(bytes, 0)); return;
    case ValueKind::Sum: AppendIntegerJson(out, t, LoadU64(bytes, 0)); return;
    case ValueKind::Min:
    case ValueKind::Max: AppendIntegerJson(out, t, LoadExtreme(t, bytes)); return;
    case ValueKind::Avg: AppendIntegerJson(out, t, LoadTotals(t, bytes).average); return;
    case ValueKind::Stats: AppendStatsJson(out, t, LoadTotals(t, bytes)); return;
    case ValueKind::Hist:
    case ValueKind::Lhist:
    case ValueKind::Tseries: out += "[]"; return;  // charts: see hist.h
  }
}

void ValuePrinter::ArrayJson(const ValueType& t, Bytes bytes, std::string& out) const {
  const uint32_t size = type(t.element).size;
  out += '[';
  for (uint32_t i = 0; i < t.count; ++i) {
    const Bytes element = Slice(bytes, static_cast<size_t>(i) * size, size);
    if (element.empty()) break;
    if (i > 0) out += ',';
    Json(t.element, element, out);
  }
  out += ']';
}

void ValuePrinter::FieldJson(const Field& field, Bytes bytes, std::string& out) const {
  const ValueType& t = type(field.type);
  if (field.bit_size > 0) {
    std::string digits;
    FieldText(field, bytes, TextStyle::Plain, digits);
    out += digits;
  } else {
    Json(field.type, Slice(bytes, field.offset, t.size), out);
  }
}

void ValuePrinter::FieldsJson(const ValueType& t, Bytes bytes, std::string& out) const {
  out += '{';
  for (size_t i = 0; i < t.fields.size(); ++i) {
    if (i > 0) out += ", ";
    AppendJsonString(out, t.fields[i].name);
    out += ": ";
    FieldJson(t.fields[i], bytes, out);
  }
  out += '}';
}

void ValuePrinter::TupleJson(const ValueType& t, Bytes bytes, std::string& out) const {
  out += '[';
  for (size_t i = 0; i < t.fields.size(); ++i) {
    if (i > 0) out += ',';
    FieldJson(t.fields[i], bytes, out);
  }
  out += ']';
}

void ValuePrinter::KeyJson(TypeIndex index, Bytes bytes, std::string& out) const {
  std::string text;
  KeyText(index, bytes, TextStyle::JsonKey, text);
  AppendJsonString(out, text);
}

}  // namespace kawk
