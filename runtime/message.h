// Messages about a place of the script while it runs: errorf(), warnf(), and reads that failed (-k).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/image/image.h"

namespace kawk {

enum class MessageKind : uint8_t { Error, Warning };

// "stdin:1:9-30: ERROR: text" and a newline; in colour when standard error is a terminal.
std::string LocatedMessage(const image::Image& image, const Location& at, MessageKind kind, std::string_view text);
// `, "filename": …, "line": …, "col": …`
void AppendLocationJson(std::string& out, const image::Image& image, const Location& at);

// A helper of the kernel gave `code`, a negative errno.
std::string HelperErrorText(const image::Image& image, const image::EventSpec& event, int64_t code);
void AppendHelperErrorJson(std::string& out, const image::Image& image, const image::EventSpec& event, int64_t code);

}  // namespace kawk
