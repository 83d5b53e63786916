// Numbers and escapes: the value of what is written.
#pragma once

#include <cstdint>
#include <string_view>

namespace kawk {

enum class IntegerError : uint8_t { None, Malformed, OutOfRange };

// `text` is a digit and all letters, digits and underscores after it: `10`, `017`, `0x1f`, `1_000`, `1e6`, `5ms`, `1ULL`.
IntegerError ParseInteger(std::string_view text, uint64_t* value);

// The byte that `\` + `escape` stands for: n t r e \ " ' and 0nn, xNN. Returns -1 for an unknown one.
int ParseEscape(std::string_view escape);

}  // namespace kawk
