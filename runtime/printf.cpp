// printf follows C with the argument's own type: a value is first extended to 64 bits by its signedness, then cut to
// what the conversion asks for (`%d` int, `%hhu` unsigned char, …). One departure: where a conversion without a length
// modifier would show only the low half of a 64-bit value, it shows all of it.
#include "runtime/printf.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace kawk {

using image::EventArg;
using image::EventSpec;
using image::FormatPiece;
using image::ValueKind;

bool SliceArgs(const EventSpec& event, const ValuePrinter& values, Bytes record, std::vector<Bytes>& args) {
  args.clear();
  if (record.size() < event.fixed_size) return false;
  size_t variable = event.fixed_size;
  for (const EventArg& arg : event.args) {
    if (!arg.variable) {
      args.push_back(Slice(record, arg.offset, values.type(arg.type).size));
      continue;
    }
    const size_t claimed = LoadUnsigned(Slice(record, arg.offset, 4));
    const size_t length = std::min(claimed, record.size() - variable);
    args.push_back(record.subspan(variable, length));
    variable += length;
  }
  return true;
}

void AppendArgText(const EventArg& arg, Bytes slice, const ValuePrinter& values, std::string& out) {
  if (!arg.variable) return values.Text(arg.type, slice, out);
  const image::ValueType& type = values.type(arg.type);
  if (type.kind == ValueKind::Buffer) return AppendBuffer(out, slice);
  values.StringText(type, slice, out);
}

void AppendArgJson(const EventArg& arg, Bytes slice, const ValuePrinter& values, std::string& out) {
  if (!arg.variable) return values.Json(arg.type, slice, out);
  const image::ValueType& type = values.type(arg.type);
  if (type.kind == ValueKind::Buffer) return values.BufferJson(slice, out);
  values.StringJson(type, slice, out);
}

FormatPlan::Conversion FormatPlan::ConversionOf(const std::string& text) {
  struct Row {
    std::string_view text;
    Conversion conversion;
  };
  static constexpr Row kRows[] = {
      {"", Conversion::None},      {"d", Conversion::Signed},  {"i", Conversion::Signed},   {"u", Conversion::Unsigned},
      {"o", Conversion::Octal},    {"x", Conversion::Hex},     {"X", Conversion::HexUpper}, {"c", Conversion::Char},
      {"s", Conversion::Text},     {"p", Conversion::Pointer}, {"r", Conversion::Escaped},  {"rx", Conversion::HexEscaped},
      {"rh", Conversion::HexList}, {"gr", Conversion::Gfp},
  };
  const auto row = std::ranges::find(kRows, text, &Row::text);
  return row == std::end(kRows) ? Conversion::Text : row->conversion;
}

int FormatPlan::BitsOf(const std::string& length) {
  if (length.empty()) return 0;
  if (length == "hh") return 8;
  if (length == "h") return 16;
  return 64;  // l, ll, j, z, t, q, L
}

FormatPlan::FormatPlan(const EventSpec& event, const ValuePrinter& values) : event_(event), values_(values) {
  for (const FormatPiece& from : event.format) {
    const Conversion conversion = ConversionOf(from.conversion);
    if (conversion == Conversion::None || from.arg >= event.args.size()) {
      tail_ += from.literal;
      continue;
    }
    Piece piece;
    piece.literal = std::move(tail_) + from.literal;
    tail_.clear();
    piece.conversion = conversion;
    piece.arg = &event.args[from.arg];
    piece.type = &values.type(piece.arg->type);
    piece.index = from.arg;
    piece.width_index = from.width_arg;
    piece.precision_index = from.precision_arg;
    Style& style = piece.style;
    style.bits = BitsOf(from.length);
    style.width = from.width;
    style.precision = from.precision;
    const auto has = [&](char flag) { return from.flags.find(flag) != std::string::npos; };
    style.left = has('-');
    style.zero = has('0') && !style.left;
    style.plus = has('+');
    style.blank = has(' ');
    style.alternate = has('#');
    pieces_.push_back(std::move(piece));
  }
}

void FormatPlan::Append(const std::vector<Bytes>& args, std::string& out) const {
  for (const Piece& piece : pieces_) {
    out += piece.literal;
    if (piece.index >= args.size()) continue;
    if (piece.width_index < 0 && piece.precision_index < 0) {
      AppendArg(piece, piece.style, args[piece.index], out);
    } else {
      AppendArg(piece, StyleOf(piece, args), args[piece.index], out);
    }
  }
  out += tail_;
}

FormatPlan::Style FormatPlan::StyleOf(const Piece& piece, const std::vector<Bytes>& args) const {
  constexpr int64_t kWidest = 65535;  // whatever a traced process makes of it
  const auto value = [&](int32_t index) {
    const auto at = static_cast<size_t>(index);
    if (at >= args.size()) return 0;
    const auto number = static_cast<int64_t>(LoadInteger(values_.type(event_.args[at].type), args[at]));
    return static_cast<int>(std::clamp(number, -kWidest, kWidest));
  };
  Style style = piece.style;
  if (piece.width_index >= 0) {
    style.width = value(piece.width_index);
    if (style.width < 0) style.width = -style.width, style.left = true, style.zero = false;
  }
  if (piece.precision_index >= 0) style.precision = std::max(value(piece.precision_index), -1);  // below zero: none, as in C
  return style;
}

void FormatPlan::AppendArg(const Piece& piece, const Style& style, Bytes arg, std::string& out) const {
  switch (piece.conversion) {
    case Conversion::None: return;
    case Conversion::Signed:
    case Conversion::Unsigned:
    case Conversion::Octal:
    case Conversion::Hex:
    case Conversion::HexUpper: AppendInteger(piece, style, LoadInteger(*piece.type, arg), out); return;
    case Conversion::Char:
    case Conversion::Text:
    case Conversion::Pointer:
    case Conversion::Escaped:
    case Conversion::HexEscaped:
    case Conversion::HexList:
    case Conversion::Gfp: AppendWords(piece, style, arg, out); return;
  }
}

namespace {

Bytes BufferOf(const EventArg& arg, const image::ValueType& type, Bytes slice) {
  return arg.variable || type.kind != ValueKind::Buffer ? slice : BufferBytes(slice);
}

void AppendHexList(std::string& out, Bytes bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0) out += ' ';
    out += kDigits[bytes[i] >> 4];
    out += kDigits[bytes[i] & 15];
  }
}

}  // namespace

void FormatPlan::AppendWords(const Piece& piece, const Style& style, Bytes arg, std::string& out) const {
  const size_t start = out.size();
  switch (piece.conversion) {
    case Conversion::Char: out += static_cast<char>(LoadInteger(*piece.type, arg)); break;
    case Conversion::Pointer: {
      const uint64_t value = LoadInteger(*piece.type, arg);
      if (value != 0) out += "0x";
      AppendHex(out, value);
      break;
    }
    case Conversion::Escaped: AppendBuffer(out, BufferOf(*piece.arg, *piece.type, arg)); break;
    case Conversion::HexEscaped:
      for (const uint8_t byte : BufferOf(*piece.arg, *piece.type, arg)) AppendByteEscape(out, byte);
      break;
    case Conversion::HexList: AppendHexList(out, BufferOf(*piece.arg, *piece.type, arg)); break;
    case Conversion::Gfp: AppendGfpFlags(out, LoadInteger(*piece.type, arg)); break;
    case Conversion::None:
    case Conversion::Signed:
    case Conversion::Unsigned:
    case Conversion::Octal:
    case Conversion::Hex:
    case Conversion::HexUpper:
    case Conversion::Text:
      AppendArgText(*piece.arg, arg, values_, out);
      if (style.precision >= 0 && out.size() - start > static_cast<size_t>(style.precision)) {
        out.resize(start + static_cast<size_t>(style.precision));
      }
      break;
  }
  if (style.width > 0) PadTo(out, start, style.width, style.left);
}

namespace {

struct Number {
  uint64_t magnitude;
  bool negative;
};

// What a signed conversion shows of `value`, which was extended from a type of `size` bytes.
Number CutSigned(uint64_t value, int bits, const image::ValueType& type) {
  int64_t cut = static_cast<int64_t>(value);
  if (bits == 8) cut = static_cast<int8_t>(value);
  if (bits == 16) cut = static_cast<int16_t>(value);
  if (bits == 0 && cut != static_cast<int32_t>(cut)) {
    if (type.size < 8) cut = static_cast<int32_t>(value);
    if (type.size >= 8 && !type.is_signed) return {value, false};
  }
  return cut < 0 ? Number{0 - static_cast<uint64_t>(cut), true} : Number{static_cast<uint64_t>(cut), false};
}

uint64_t CutUnsigned(uint64_t value, int bits, const image::ValueType& type) {
  if (bits == 8) return static_cast<uint8_t>(value);
  if (bits == 16) return static_cast<uint16_t>(value);
  if (bits != 0 || value <= std::numeric_limits<uint32_t>::max()) return value;
  const bool small_negative = static_cast<int64_t>(value) == static_cast<int32_t>(value);
  return type.size < 8 || small_negative ? static_cast<uint32_t>(value) : value;
}

}  // namespace

void FormatPlan::AppendInteger(const Piece& piece, const Style& style, uint64_t value, std::string& out) const {
  Number number{0, false};
  int base = 10;
  std::string_view prefix;
  if (piece.conversion == Conversion::Signed) {
    number = CutSigned(value, style.bits, *piece.type);
    prefix = number.negative ? "-" : style.plus ? "+" : style.blank ? " " : "";
  } else {
    number.magnitude = CutUnsigned(value, style.bits, *piece.type);
    if (piece.conversion == Conversion::Octal) base = 8;
    if (piece.conversion == Conversion::Hex || piece.conversion == Conversion::HexUpper) base = 16;
    if (style.alternate && number.magnitude != 0) {
      prefix = base == 8 ? "0" : piece.conversion == Conversion::Hex ? "0x" : base == 16 ? "0X" : "";
    }
  }
  char digits[24];
  char* end = std::to_chars(digits, digits + sizeof digits, number.magnitude, base).ptr;
  if (piece.conversion == Conversion::HexUpper) std::transform(digits, end, digits, [](char c) { return c >= 'a' ? c - 32 : c; });
  const size_t length = static_cast<size_t>(end - digits);
  const size_t start = out.size();
  out += prefix;
  size_t zeros = 0;
  if (style.precision > 0 && static_cast<size_t>(style.precision) > length) zeros = static_cast<size_t>(style.precision) - length;
  if (style.zero && style.precision < 0 && style.width > 0 && static_cast<size_t>(style.width) > length + prefix.size()) {
    zeros = static_cast<size_t>(style.width) - length - prefix.size();
  }
  out.append(zeros, '0');
  out.append(digits, length);
  if (style.width > 0) PadTo(out, start, style.width, style.left);
}

}  // namespace kawk
