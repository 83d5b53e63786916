#include "runtime/text.h"

#include <charconv>
#include <limits>

namespace kawk {

namespace {

constexpr char kDigits[] = "0123456789abcdef";

template <class T>
void AppendNumber(std::string& out, T value, int base) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value, base).ptr;
  out.append(digits, static_cast<size_t>(end - digits));
}

// True when a double holds `value` exactly.
bool FitsDouble(uint64_t magnitude) {
  if (magnitude == 0) return true;
  const int significant = 64 - __builtin_clzll(magnitude) - __builtin_ctzll(magnitude);
  return significant <= std::numeric_limits<double>::digits;
}

bool IsContinuation(char c) { return (static_cast<uint8_t>(c) & 0xc0) == 0x80; }

// Bytes that AppendJsonChars copies as they are; the rest needs a closer look.
bool IsPlainJson(uint8_t c) { return c >= 0x20 && c < 0x80 && c != '"' && c != '\\'; }

void AppendJsonControl(std::string& out, uint8_t c) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\t': out += "\\t"; return;
    case '\r': out += "\\r"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    default:
      out += "\\u00";
      out += kDigits[c >> 4];
      out += kDigits[c & 15];
  }
}

}  // namespace

void AppendSigned(std::string& out, int64_t value) { AppendNumber(out, value, 10); }
void AppendUnsigned(std::string& out, uint64_t value) { AppendNumber(out, value, 10); }
void AppendHex(std::string& out, uint64_t value) { AppendNumber(out, value, 16); }

void AppendByteEscape(std::string& out, uint8_t byte) {
  const char escape[4] = {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
  out.append(escape, sizeof escape);
}

void PadTo(std::string& out, size_t start, int width, bool left) {
  const size_t length = out.size() - start;
  if (width < 0 || length >= static_cast<size_t>(width)) return;
  const size_t missing = static_cast<size_t>(width) - length;
  if (left) {
    out.append(missing, ' ');
  } else {
    out.insert(start, missing, ' ');
  }
}

size_t Utf8Length(std::string_view text) {
  if (text.empty()) return 0;
  const auto at = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = at(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xc2 && first <= 0xdf ? 2 : (first & 0xf0) == 0xe0 ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : 0;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if (!IsContinuation(text[i])) return 0;
  }
  if (first == 0xe0 && at(1) < 0xa0) return 0;  // overlong
  if (first == 0xed && at(1) > 0x9f) return 0;  // surrogates
  if (first == 0xf0 && at(1) < 0x90) return 0;  // overlong
  if (first == 0xf4 && at(1) > 0x8f) return 0;  // past U+10FFFF
  return length;
}

void AppendForTerminal(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const uint8_t c = static_cast<uint8_t>(text[0]);
    const size_t length = Utf8Length(text);
    const bool c1 = length == 2 && c == 0xc2 && static_cast<uint8_t>(text[1]) < 0xa0;  // U+0080 … U+009F: controls, too
    if (length == 0 || c1 || (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f) {
      AppendByteEscape(out, c);
      text.remove_prefix(1);
    } else {
      out.append(text.substr(0, length));
      text.remove_prefix(length);
    }
  }
}

void AppendJsonChars(std::string& out, std::string_view text) {
  while (!text.empty()) {
    size_t plain = 0;
    while (plain < text.size() && IsPlainJson(static_cast<uint8_t>(text[plain]))) ++plain;
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) return;
    const uint8_t c = static_cast<uint8_t>(text[0]);
    size_t length = 1;
    if (c < 0x80) {
      AppendJsonControl(out, c);
    } else if ((length = Utf8Length(text)) != 0) {
      out.append(text.substr(0, length));
    } else {
      out += '\\';
      AppendByteEscape(out, c);
      length = 1;
    }
    text.remove_prefix(length);
  }
}

void AppendJsonString(std::string& out, std::string_view text) {
  out += '"';
  AppendJsonChars(out, text);
  out += '"';
}

void AppendJsonSigned(std::string& out, int64_t value) {
  const bool exact = FitsDouble(value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value));
  if (!exact) out += '"';
  AppendSigned(out, value);
  if (!exact) out += '"';
}

void AppendJsonUnsigned(std::string& out, uint64_t value) {
  const bool exact = FitsDouble(value);
  if (!exact) out += '"';
  AppendUnsigned(out, value);
  if (!exact) out += '"';
}

}  // namespace kawk
