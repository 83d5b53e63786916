#include "runtime/value.h"

#include <algorithm>
#include <cstring>

#include "runtime/image/buckets.h"

namespace kawk {

using image::Enumerator;
using image::Field;
using image::TypeIndex;
using image::ValueKind;
using image::ValueType;

uint64_t LoadUnsigned(Bytes bytes) {
  uint64_t value = 0;
  if (!bytes.empty() && bytes.size() <= sizeof value) std::memcpy(&value, bytes.data(), bytes.size());
  return value;
}

uint64_t LoadInteger(const ValueType& type, Bytes bytes) {
  const Bytes own = Slice(bytes, 0, type.size);
  const uint64_t value = LoadUnsigned(own);
  if (!type.is_signed || own.empty() || own.size() >= sizeof value) return value;
  const unsigned shift = 64 - 8 * static_cast<unsigned>(own.size());
  return static_cast<uint64_t>(static_cast<int64_t>(value << shift) >> shift);
}

uint64_t LoadU64(Bytes bytes, size_t offset) { return LoadUnsigned(Slice(bytes, offset, sizeof(uint64_t))); }

Bytes BufferBytes(Bytes bytes) {
  const Bytes all = bytes.subspan(std::min<size_t>(4, bytes.size()));
  return all.first(std::min<size_t>(LoadUnsigned(Slice(bytes, 0, 4)), all.size()));
}

std::string_view CString(Bytes bytes) {
  const std::string_view chars = AsChars(bytes);
  return chars.substr(0, chars.find('\0'));
}

uint64_t LoadExtreme(const ValueType& type, Bytes bytes) {
  const uint64_t rank = LoadU64(bytes, 0);
  if (rank == 0 && LoadU64(bytes, 8) == 0) return 0;
  return image::RankToValue(rank, type.kind == ValueKind::Min, type.is_signed);
}

Totals LoadTotals(const ValueType& type, Bytes bytes) {
  Totals totals{LoadU64(bytes, 8), LoadU64(bytes, 0), 0};
  if (totals.count == 0) return totals;
  if (type.is_signed) {
    // By magnitude: INT64_MIN / count must not overflow, and a count may be past INT64_MAX in damaged memory.
    const bool negative = static_cast<int64_t>(totals.total) < 0;
    const uint64_t magnitude = (negative ? 0 - totals.total : totals.total) / totals.count;
    totals.average = negative ? 0 - magnitude : magnitude;
  } else {
    totals.average = totals.total / totals.count;
  }
  return totals;
}

void AppendIntegerText(std::string& out, const ValueType& type, uint64_t value) {
  if (type.is_signed) {
    AppendSigned(out, static_cast<int64_t>(value));
  } else {
    AppendUnsigned(out, value);
  }
}

void AppendStatsText(std::string& out, const ValueType& type, const Totals& totals, TextStyle style) {
  const bool plain = style == TextStyle::Plain;
  out += plain ? "{ .count = " : "{.count=";
  AppendUnsigned(out, totals.count);
  out += plain ? ", .average = " : ",.average=";
  AppendIntegerText(out, type, totals.average);
  out += plain ? ", .total = " : ",.total=";
  AppendIntegerText(out, type, totals.total);
  out += plain ? " }" : "}";
}

namespace {

void EnumText(const ValueType& type, uint64_t value, std::string& out) {
  const auto found =
      std::ranges::find_if(type.enumerators, [&](const Enumerator& e) { return static_cast<uint64_t>(e.value) == value; });
  if (found != type.enumerators.end()) {
    out += found->name;
  } else {
    AppendIntegerText(out, type, value);
  }
}

void PointerText(uint64_t value, std::string& out) {
  out += "0x";
  AppendHex(out, value);
}

// The value of a field that has only some bits of the integer at its offset.
uint64_t LoadBits(const Field& field, const ValueType& type, Bytes bytes) {
  const uint64_t word = LoadUnsigned(Slice(bytes, field.offset, type.size));
  const unsigned size = std::min(field.bit_size, 64u);
  if (field.bit_offset + size > 64) return 0;
  const uint64_t top = word << (64 - field.bit_offset - size);
  return type.is_signed ? static_cast<uint64_t>(static_cast<int64_t>(top) >> (64 - size)) : top >> (64 - size);
}

}  // namespace

ValuePrinter::ValuePrinter(const image::Image& image, Symbols& symbols, StackSource& stacks, bool terminal)
    : image_(image), symbols_(symbols), stacks_(stacks), terminal_(terminal) {}

void ValuePrinter::StringText(const ValueType& t, Bytes bytes, std::string& out) const {
  const std::string_view text = CString(bytes);
  if (terminal_) {
    AppendForTerminal(out, text);
  } else {
    out += text;
  }
  if (t.may_truncate && text.size() + 1 >= t.size) out += image_.config.trunc_trailer;
}

void ValuePrinter::TimeText(const std::string& format, uint64_t boot_ns, std::string& out) const {
  AppendTime(out, format, clock_.At(static_cast<int64_t>(boot_ns)));
}

void ValuePrinter::Text(TypeIndex index, Bytes bytes, TextStyle style, std::string& out) const {
  const ValueType& t = type(index);
  switch (t.kind) {
    case ValueKind::None: return;
    case ValueKind::Bool: out += LoadInteger(t, bytes) != 0 ? "true" : "false"; return;
    case ValueKind::Int: AppendIntegerText(out, t, LoadInteger(t, bytes)); return;
    case ValueKind::Pointer: PointerText(LoadInteger(t, bytes), out); return;
    case ValueKind::Enum: EnumText(t, LoadInteger(t, bytes), out); return;
    case ValueKind::String: StringText(t, bytes.first(std::min<size_t>(t.size, bytes.size())), out); return;
    case ValueKind::Buffer: AppendBuffer(out, BufferBytes(bytes)); return;
    case ValueKind::Inet: AppendInet(out, bytes); return;
    case ValueKind::Mac: AppendMac(out, bytes); return;
    case ValueKind::Timestamp: TimeText(t.text, LoadU64(bytes, 0), out); return;
    case ValueKind::KernelSymbol: out += symbols_.Kernel(LoadU64(bytes, 0), false, t.stack_mode); return;
    case ValueKind::UserSymbol:
      out += symbols_.User(static_cast<uint32_t>(LoadUnsigned(Slice(bytes, 8, 4))), LoadU64(bytes, 0), false, t.stack_mode);
      return;
    case ValueKind::KernelStack:
    case ValueKind::UserStack: StackText(t, bytes, style, out); return;
    case ValueKind::CgroupPath: AppendCgroupPath(out, LoadU64(bytes, 0), t.text); return;
    case ValueKind::Username: AppendUsername(out, static_cast<uint32_t>(LoadU64(bytes, 0))); return;
    case ValueKind::Array: ArrayText(t, bytes, style, out); return;
    case ValueKind::Struct:
    case ValueKind::Record: FieldsText(t, bytes, style, out); return;
    case ValueKind::Tuple:
      out += '(';
      TupleText(t, bytes, style, out);
      out += ')';
      return;
    case ValueKind::Count: AppendUnsigned(out, LoadU64(bytes, 0)); return;
    case ValueKind::Sum: AppendIntegerText(out, t, LoadU64(bytes, 0)); return;
    case ValueKind::Min:
    case ValueKind::Max: AppendIntegerText(out, t, LoadExtreme(t, bytes)); return;
    case ValueKind::Avg: AppendIntegerText(out, t, LoadTotals(t, bytes).average); return;
    case ValueKind::Stats: AppendStatsText(out, t, LoadTotals(t, bytes), style); return;
    case ValueKind::Hist:
    case ValueKind::Lhist:
    case ValueKind::Tseries: return;  // charts: see hist.h
  }
}

void ValuePrinter::ArrayText(const ValueType& t, Bytes bytes, TextStyle style, std::string& out) const {
  const uint32_t size = type(t.element).size;
  out += '[';
  for (uint32_t i = 0; i < t.count; ++i) {
    const Bytes element = Slice(bytes, static_cast<size_t>(i) * size, size);
    if (element.empty()) break;
    if (i > 0) out += ',';
    Text(t.element, element, style, out);
  }
  out += ']';
}

void ValuePrinter::FieldText(const Field& field, Bytes bytes, TextStyle style, std::string& out) const {
  const ValueType& t = type(field.type);
  if (field.bit_size > 0) {
    AppendIntegerText(out, t, LoadBits(field, t, bytes));
  } else {
    Text(field.type, Slice(bytes, field.offset, t.size), style, out);
  }
}

void ValuePrinter::FieldsText(const ValueType& t, Bytes bytes, TextStyle style, std::string& out) const {
  const bool plain = style == TextStyle::Plain;
  out += plain ? "{ " : "{";
  for (size_t i = 0; i < t.fields.size(); ++i) {
    if (i > 0) out += plain ? ", " : ",";
    out += '.';
    out += t.fields[i].name;
    out += plain ? " = " : "=";
    FieldText(t.fields[i], bytes, style, out);
  }
  out += plain ? " }" : "}";
}

void ValuePrinter::TupleText(const ValueType& t, Bytes bytes, TextStyle style, std::string& out) const {
  for (size_t i = 0; i < t.fields.size(); ++i) {
    if (i > 0) out += style == TextStyle::Plain ? ", " : ",";
    FieldText(t.fields[i], bytes, style, out);
  }
}

void ValuePrinter::StackText(const ValueType& t, Bytes bytes, TextStyle style, std::string& out) const {
  image::StackKey key{};
  out += '\n';
  if (bytes.size() < sizeof key) return;
  std::memcpy(&key, bytes.data(), sizeof key);
  if (key.hash == 0) return;
  const bool kernel = t.kind == ValueKind::KernelStack;
  const std::vector<uint64_t> frames = stacks_.Frames(t.stack_map, key);
  for (size_t i = 0; i < std::min<size_t>(frames.size(), t.stack_limit); ++i) {
    switch (t.stack_mode) {
      case image::StackMode::Raw:
        AppendHex(out, frames[i]);
        out += '\n';
        continue;
      case image::StackMode::Perf:
        out += '\t';
        AppendHex(out, frames[i]);
        out += ' ';
        break;
      case image::StackMode::Bpftrace:
        if (style == TextStyle::Plain) out += "        ";
        break;
      case image::StackMode::BuildId: break;
    }
    out += kernel ? symbols_.Kernel(frames[i], true, t.stack_mode) : symbols_.User(key.pid, frames[i], true, t.stack_mode);
    out += '\n';
  }
}

void ValuePrinter::KeyText(TypeIndex index, Bytes bytes, TextStyle style, std::string& out) const {
  const ValueType& t = type(index);
  if (t.kind == ValueKind::Tuple) {
    TupleText(t, bytes, style, out);
  } else {
    Text(index, bytes, style, out);
  }
}

}  // namespace kawk
