// A value of the script as text or JSON: one small function per ValueKind.
//
// The bytes come from traced processes and from the kernel's memory: nothing here reads beyond the span it is given,
// and what is missing reads as zero or nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/clock.h"
#include "runtime/image/image.h"
#include "runtime/output.h"
#include "runtime/symbols.h"
#include "runtime/text.h"

namespace kawk {

// `offset`, `size` of `bytes`, or nothing when it does not lie within.
inline Bytes Slice(Bytes bytes, size_t offset, size_t size) {
  if (offset > bytes.size() || size > bytes.size() - offset) return {};
  return bytes.subspan(offset, size);
}
// A little-endian integer of 1, 2, 4 or 8 bytes; other sizes read as 0.
uint64_t LoadUnsigned(Bytes bytes);
// Extended to 64 bits by the type's signedness.
uint64_t LoadInteger(const image::ValueType& type, Bytes bytes);
uint64_t LoadU64(Bytes bytes, size_t offset);
// What a Buffer holds: u32 used length, then the bytes.
Bytes BufferBytes(Bytes bytes);
// What stands before the first NUL.
std::string_view CString(Bytes bytes);
// Min, Max: the number behind a slot's rank; 0 when nothing was seen.
uint64_t LoadExtreme(const image::ValueType& type, Bytes bytes);

enum class TextStyle : uint8_t {
  Plain,    // as print() shows it
  JsonKey,  // without the blanks of layout: "(1,a),2"
};

class ValuePrinter {
 public:
  ValuePrinter(const image::Image& image, Symbols& symbols, StackSource& stacks, bool terminal);

  void Text(image::TypeIndex type, Bytes bytes, std::string& out) const { Text(type, bytes, TextStyle::Plain, out); }
  void Json(image::TypeIndex type, Bytes bytes, std::string& out) const;
  // A map's key: a tuple without its parentheses.
  void KeyText(image::TypeIndex type, Bytes bytes, TextStyle style, std::string& out) const;
  void KeyJson(image::TypeIndex type, Bytes bytes, std::string& out) const;

  // Strings and buffers by their own bytes, such as arguments of variable length.
  void StringText(const image::ValueType& type, Bytes bytes, std::string& out) const;
  void StringJson(const image::ValueType& type, Bytes bytes, std::string& out) const;
  void BufferJson(Bytes bytes, std::string& out) const;
  // Wall clock of the `nsecs` of an event.
  void TimeText(const std::string& format, uint64_t boot_ns, std::string& out) const;

  // Whether text is escaped for a terminal.
  bool terminal() const { return terminal_; }
  WallClock& clock() const { return clock_; }
  const image::ValueType& type(image::TypeIndex index) const { return image_.types[index < image_.types.size() ? index : 0]; }

 private:
  void Text(image::TypeIndex type, Bytes bytes, TextStyle style, std::string& out) const;
  void ArrayText(const image::ValueType& type, Bytes bytes, TextStyle style, std::string& out) const;
  void FieldsText(const image::ValueType& type, Bytes bytes, TextStyle style, std::string& out) const;
  void TupleText(const image::ValueType& type, Bytes bytes, TextStyle style, std::string& out) const;
  void StackText(const image::ValueType& type, Bytes bytes, TextStyle style, std::string& out) const;
  void FieldText(const image::Field& field, Bytes bytes, TextStyle style, std::string& out) const;
  void ArrayJson(const image::ValueType& type, Bytes bytes, std::string& out) const;
  void FieldsJson(const image::ValueType& type, Bytes bytes, std::string& out) const;
  void TupleJson(const image::ValueType& type, Bytes bytes, std::string& out) const;
  void FieldJson(const image::Field& field, Bytes bytes, std::string& out) const;
  void TextAsJson(image::TypeIndex type, Bytes bytes, std::string& out) const;

  const image::Image& image_;
  Symbols& symbols_;
  StackSource& stacks_;
  const bool terminal_;
  mutable WallClock clock_;
};

// Bytes of a buffer: printable ones as they are, others as \xNN.
void AppendBuffer(std::string& out, Bytes bytes);
// "127.0.0.1", "::1"; u32 family, then 16 bytes of address.
void AppendInet(std::string& out, Bytes bytes);
// "FF:00:00:00:00:00"
void AppendMac(std::string& out, Bytes bytes);
// "unified:/system.slice,memory:/…": where a cgroup id is mounted, in the hierarchies that match `filter`.
void AppendCgroupPath(std::string& out, uint64_t id, const std::string& filter);
// The name of a user, or the number of one who has none.
void AppendUsername(std::string& out, uint32_t uid);
// count, average and total of Avg, Stats: the average of nothing is 0.
struct Totals {
  uint64_t count = 0;
  uint64_t total = 0;
  uint64_t average = 0;
};
Totals LoadTotals(const image::ValueType& type, Bytes bytes);
void AppendStatsText(std::string& out, const image::ValueType& type, const Totals& totals, TextStyle style);
void AppendStatsJson(std::string& out, const image::ValueType& type, const Totals& totals);
// By the type's signedness.
void AppendIntegerText(std::string& out, const image::ValueType& type, uint64_t value);
void AppendIntegerJson(std::string& out, const image::ValueType& type, uint64_t value);

}  // namespace kawk
