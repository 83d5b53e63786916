// The arguments of a ring record, and printf's plan applied to them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/image/image.h"
#include "runtime/text.h"
#include "runtime/value.h"

namespace kawk {

// Finds the bytes of the arguments of `event` in `record`. False when the record is too short for its fixed part.
bool SliceArgs(const image::EventSpec& event, const ValuePrinter& values, Bytes record, std::vector<Bytes>& args);

// The text of one argument as %s shows it.
void AppendArgText(const image::EventArg& arg, Bytes slice, const ValuePrinter& values, std::string& out);
void AppendArgJson(const image::EventArg& arg, Bytes slice, const ValuePrinter& values, std::string& out);

// A format string, prepared once per event so that nothing is parsed or allocated per record.
class FormatPlan {
 public:
  FormatPlan(const image::EventSpec& event, const ValuePrinter& values);
  void Append(const std::vector<Bytes>& args, std::string& out) const;

 private:
  enum class Conversion : uint8_t {
    None,
    Signed,
    Unsigned,
    Octal,
    Hex,
    HexUpper,
    Char,
    Text,
    Pointer,
    Escaped,
    HexEscaped,
    HexList,
    Gfp
  };
  struct Style {
    int bits = 0;  // of the length modifier; 0: none given
    int width = -1;
    int precision = -1;
    bool left = false, zero = false, plus = false, blank = false, alternate = false;
  };
  struct Piece {
    std::string literal;
    Conversion conversion = Conversion::None;
    const image::EventArg* arg = nullptr;
    const image::ValueType* type = nullptr;
    uint32_t index = 0;
    int32_t width_index = -1;  // arguments that say them
    int32_t precision_index = -1;
    Style style;
  };
  static Conversion ConversionOf(const std::string& text);
  static int BitsOf(const std::string& length);
  // With what the arguments say for `*`.
  Style StyleOf(const Piece& piece, const std::vector<Bytes>& args) const;
  void AppendArg(const Piece& piece, const Style& style, Bytes arg, std::string& out) const;
  void AppendInteger(const Piece& piece, const Style& style, uint64_t value, std::string& out) const;
  void AppendWords(const Piece& piece, const Style& style, Bytes arg, std::string& out) const;

  const image::EventSpec& event_;
  const ValuePrinter& values_;
  std::vector<Piece> pieces_;
  std::string tail_;
};

// %gr: allocation flags of the kernel by name, "GFP_KERNEL|__GFP_ZERO".
void AppendGfpFlags(std::string& out, uint64_t flags);

}  // namespace kawk
