// First element of a serialized Image.
#pragma once

namespace kawk::image {
inline constexpr const char* kMagic = "kawk image";
}  // namespace kawk::image
