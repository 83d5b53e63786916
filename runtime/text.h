// Bytes → characters: numbers, padding, escapes. Everything appends to one string and allocates nothing else.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace kawk {

using Bytes = std::span<const uint8_t>;

inline std::string_view AsChars(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

void AppendSigned(std::string& out, int64_t value);
void AppendUnsigned(std::string& out, uint64_t value);
void AppendHex(std::string& out, uint64_t value);  // without 0x
// "\xNN"
void AppendByteEscape(std::string& out, uint8_t byte);
// Pads what was appended since `start` to `width` columns with blanks, on the right when `left`.
void PadTo(std::string& out, size_t start, int width, bool left);

// The length of the well-formed UTF-8 sequence at the start of `text` (1 to 4), or 0 when it is none.
size_t Utf8Length(std::string_view text);

// Bytes of a traced process on their way to a terminal: control bytes but \n and \t, and bytes that are no UTF-8,
// become \xNN, so that a process cannot drive the terminal of whoever traces it.
void AppendForTerminal(std::string& out, std::string_view text);

// The inside of a JSON string. Bytes that are no UTF-8 become the four characters \xNN, as in the text of a buffer.
void AppendJsonChars(std::string& out, std::string_view text);
// With the quotes.
void AppendJsonString(std::string& out, std::string_view text);
// A JSON number, or a string with its digits when a double cannot hold it: most readers would change it silently.
void AppendJsonSigned(std::string& out, int64_t value);
void AppendJsonUnsigned(std::string& out, uint64_t value);

}  // namespace kawk
