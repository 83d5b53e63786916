// The bytes of an entry: a magic word, the digest of all that follows, the key, the facts, what the compiler said, the Image.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/sha256.h"
#include "cache/witness.h"

namespace kawk {

struct CacheEntry {
  Digest key;
  std::vector<Fact> facts;
  std::string messages;        // the compiler's warnings, ready to print
  std::vector<uint8_t> image;  // serialised
};

std::vector<uint8_t> PackEntry(const CacheEntry& entry);
// Nothing when the bytes are not what PackEntry made of this key: cut off, changed, another version's or another script's.
std::optional<CacheEntry> UnpackEntry(const std::vector<uint8_t>& bytes, const Digest& key);

}  // namespace kawk
