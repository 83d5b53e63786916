#include "cache/entry.h"

#include <cstring>
#include <string_view>

namespace kawk {
namespace {

constexpr std::string_view kMagic = "kawk cache 1\n";

class Packer {
 public:
  void Number(uint64_t number) {
    for (int i = 0; i < 8; ++i) bytes_.push_back(static_cast<uint8_t>(number >> (8 * i)));
  }
  void Bytes(const void* data, size_t size) {
    const auto* bytes = static_cast<const uint8_t*>(data);
    bytes_.insert(bytes_.end(), bytes, bytes + size);
  }
  void Text(std::string_view text) {
    Number(text.size());
    Bytes(text.data(), text.size());
  }
  std::vector<uint8_t>& bytes() { return bytes_; }

 private:
  std::vector<uint8_t> bytes_;
};

// Reads what Packer wrote; after the first thing that does not fit everything is empty.
class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : left_(bytes) {}
  std::string_view Bytes(uint64_t size) {
    if (size > left_.size()) {
      broken_ = true;
      left_ = {};
      return {};
    }
    const std::string_view taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }
  uint64_t Number() {
    uint64_t number = 0;
    const std::string_view bytes = Bytes(8);
    for (size_t i = bytes.size(); i > 0; --i) number = number << 8 | static_cast<uint8_t>(bytes[i - 1]);
    return number;
  }
  std::string_view Text() { return Bytes(Number()); }
  Digest TakeDigest() {
    Digest digest{};
    const std::string_view bytes = Bytes(digest.size());
    std::memcpy(digest.data(), bytes.data(), bytes.size());
    return digest;
  }
  bool complete() const { return !broken_ && left_.empty(); }
  bool broken() const { return broken_; }

 private:
  std::string_view left_;
  bool broken_ = false;
};

Digest Sum(std::string_view text) {
  Sha256 sum;
  sum.Add(text.data(), text.size());
  return sum.Finish();
}

bool UnpackFact(Unpacker& from, Fact& fact) {
  const uint64_t kind = from.Number();
  if (kind >= kFactKinds) return false;
  fact.kind = static_cast<FactKind>(kind);
  for (uint64_t left = from.Number(); left > 0 && !from.broken(); --left) fact.arguments.emplace_back(from.Text());
  fact.answer = from.TakeDigest();
  return !from.broken();
}

}  // namespace

std::vector<uint8_t> PackEntry(const CacheEntry& entry) {
  Packer body;
  body.Bytes(entry.key.data(), entry.key.size());
  body.Number(entry.facts.size());
  for (const Fact& fact : entry.facts) {
    body.Number(static_cast<uint64_t>(fact.kind));
    body.Number(fact.arguments.size());
    for (const std::string& argument : fact.arguments) body.Text(argument);
    body.Bytes(fact.answer.data(), fact.answer.size());
  }
  body.Text(entry.messages);
  body.Number(entry.image.size());
  body.Bytes(entry.image.data(), entry.image.size());
  const Digest sum = Sum({reinterpret_cast<const char*>(body.bytes().data()), body.bytes().size()});
  Packer file;
  file.Bytes(kMagic.data(), kMagic.size());
  file.Bytes(sum.data(), sum.size());
  file.Bytes(body.bytes().data(), body.bytes().size());
  return std::move(file.bytes());
}

std::optional<CacheEntry> UnpackEntry(const std::vector<uint8_t>& bytes, const Digest& key) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const size_t head = kMagic.size() + sizeof(Digest);
  if (text.size() < head || !text.starts_with(kMagic)) return std::nullopt;
  Unpacker sum(text.substr(kMagic.size(), sizeof(Digest)));
  if (Sum(text.substr(head)) != sum.TakeDigest()) return std::nullopt;
  Unpacker from(text.substr(head));
  CacheEntry entry;
  entry.key = from.TakeDigest();
  if (entry.key != key) return std::nullopt;
  for (uint64_t left = from.Number(); left > 0; --left) {
    if (!UnpackFact(from, entry.facts.emplace_back())) return std::nullopt;
  }
  entry.messages = from.Text();
  const std::string_view image = from.Text();
  entry.image.assign(image.begin(), image.end());
  return from.complete() ? std::optional(std::move(entry)) : std::nullopt;
}

}  // namespace kawk
