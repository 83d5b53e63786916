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

FormatPlan::FormatPlan(const EventSpec& event, const ValuePrinter& values) : values_(values) {
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
    piece.bits = BitsOf(from.length);
    piece.width = from.width;
    piece.precision = from.precision;
    const auto has = [&](char flag) { return from.flags.find(flag) != std::string::npos; };
    piece.left = has('-');
    piece.zero = has('0') && !piece.left;
    piece.plus = has('+');
    piece.blank = has(' ');
    piece.alternate = has('#');
    pieces_.push_back(std::move(piece));
  }
}

void FormatPlan::Append(const std::vector<Bytes>& args, std::string& out) const {
  for (const Piece& piece : pieces_) {
    out += piece.literal;
    if (piece.index < args.size()) AppendArg(piece, args[piece.index], out);
  }
  out += tail_;
}

void FormatPlan::AppendArg(const Piece& piece, Bytes arg, std::string& out) const {
  switch (piece.conversion) {
    case Conversion::None: return;
    case Conversion::Signed:
    case Conversion::Unsigned:
    case Conversion::Octal:
    case Conversion::Hex:
    case Conversion::HexUpper: AppendInteger(piece, LoadInteger(*piece.type, arg), out); return;
    case Conversion::Char:
    case Conversion::Text:
    case Conversion::Pointer:
    case Conversion::Escaped:
    case Conversion::HexEscaped:
    case Conversion::HexList:
    case Conversion::Gfp: AppendWords(piece, arg, out); return;
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

void FormatPlan::AppendWords(const Piece& piece, Bytes arg, std::string& out) const {
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
      if (piece.precision >= 0 && out.size() - start > static_cast<size_t>(piece.precision)) {
        out.resize(start + static_cast<size_t>(piece.precision));
      }
      break;
  }
  if (piece.width > 0) PadTo(out, start, piece.width, piece.left);
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

void FormatPlan::AppendInteger(const Piece& piece, uint64_t value, std::string& out) const {
  Number number{0, false};
  int base = 10;
  std::string_view prefix;
  if (piece.conversion == Conversion::Signed) {
    number = CutSigned(value, piece.bits, *piece.type);
    prefix = number.negative ? "-" : piece.plus ? "+" : piece.blank ? " " : "";
  } else {
    number.magnitude = CutUnsigned(value, piece.bits, *piece.type);
    if (piece.conversion == Conversion::Octal) base = 8;
    if (piece.conversion == Conversion::Hex || piece.conversion == Conversion::HexUpper) base = 16;
    if (piece.alternate && number.magnitude != 0) {
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
  if (piece.precision > 0 && static_cast<size_t>(piece.precision) > length) zeros = static_cast<size_t>(piece.precision) - length;
  if (piece.zero && piece.precision < 0 && piece.width > 0 && static_cast<size_t>(piece.width) > length + prefix.size()) {
    zeros = static_cast<size_t>(piece.width) - length - prefix.size();
  }
  out.append(zeros, '0');
  out.append(digits, length);
  if (piece.width > 0) PadTo(out, start, piece.width, piece.left);
}

}  // namespace kawk
