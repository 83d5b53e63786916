// CBOR → Image. The bytes may be anything: their shape is checked before nlohmann's parser sees them, because that one
// recurses as deep as the input says; types and ranges are checked field by field, meaning by ValidateImage.
#include <array>
#include <exception>
#include <limits>
#include <nlohmann/json.hpp>

#include "runtime/image/fields.h"
#include "runtime/image/magic.h"

namespace kawk::image {
namespace {

using Json = nlohmann::json;

Error Damaged(const std::string& what) {
  return Error{"the file is no compiled script, or is damaged: " + what, "compile the script again", 0};
}

// Walks the heads of all items: only what SerializeImage writes, no deeper than it does, nothing beyond the end.
bool HasSaneShape(const std::vector<uint8_t>& bytes) {
  constexpr size_t kDeepest = 16;
  std::array<uint64_t, kDeepest> left = {1};  // items still to come, by depth
  size_t depth = 1;
  size_t at = 0;
  while (depth > 0) {
    if (left[depth - 1] == 0) {
      --depth;
      continue;
    }
    --left[depth - 1];
    if (at >= bytes.size()) return false;
    const uint8_t head = bytes[at++];
    const unsigned major = head >> 5;
    const unsigned info = head & 31;
    uint64_t value = info;
    if (info >= 24) {
      if (info > 27) return false;  // reserved, or of a length that is told later
      const size_t width = size_t{1} << (info - 24);
      if (bytes.size() - at < width) return false;
      value = 0;
      for (size_t i = 0; i < width; ++i) value = value << 8 | bytes[at++];
    }
    enum Major { kUnsigned, kNegative, kBytes, kText, kArray, kMap, kTag, kSimple };
    switch (static_cast<Major>(major)) {
      case kUnsigned:
      case kNegative: break;
      case kBytes:
      case kText:
        if (value > bytes.size() - at) return false;
        at += value;
        break;
      case kArray:
        if (value > bytes.size() - at || depth == kDeepest) return false;
        left[depth++] = value;
        break;
      case kMap:
      case kTag: return false;
      case kSimple:
        if (info != 20 && info != 21) return false;  // false and true
        break;
    }
  }
  return at == bytes.size();
}

class Reader {
 public:
  explicit Reader(const Json& array) : array_(array), ok_(array.is_array()) {}
  template <class T>
  void operator()(T& field) {
    if (!ok_ || next_ >= array_.size()) {
      ok_ = false;
      return;
    }
    ok_ = Decode(array_[next_++], field);
  }
  bool complete() const { return ok_ && next_ == array_.size(); }

 private:
  static bool Decode(const Json& json, std::string& to) {
    const auto* text = json.get_ptr<const std::string*>();
    if (text) to = *text;
    return text != nullptr;
  }
  static bool Decode(const Json& json, std::vector<uint8_t>& to) {
    if (!json.is_binary()) return false;
    to = json.get_binary();
    return true;
  }
  template <class T>
  static bool Decode(const Json& json, std::vector<T>& to) {
    if (!json.is_array()) return false;
    to.resize(json.size());
    for (size_t i = 0; i < to.size(); ++i) {
      if (!Decode(json[i], to[i])) return false;
    }
    return true;
  }
  template <class T>
  static bool Decode(const Json& json, T& to) {
    if constexpr (std::same_as<T, bool>) {
      if (!json.is_boolean()) return false;
      to = json.get<bool>();
      return true;
    } else if constexpr (std::is_enum_v<T>) {
      uint64_t row = 0;
      if (!Decode(json, row) || row >= Rows<T>()) return false;
      to = static_cast<T>(row);
      return true;
    } else if constexpr (std::is_integral_v<T>) {
      return DecodeInteger(json, to);
    } else {
      Reader reader(json);
      Fields(reader, to);
      return reader.complete();
    }
  }
  template <class T>
  static bool DecodeInteger(const Json& json, T& to) {
    if (json.is_number_unsigned()) {
      const uint64_t value = json.get<uint64_t>();
      to = static_cast<T>(value);
      return value <= static_cast<uint64_t>(std::numeric_limits<T>::max());
    }
    if (!json.is_number_integer() || std::is_unsigned_v<T>) return false;
    const int64_t value = json.get<int64_t>();
    to = static_cast<T>(value);
    return value >= static_cast<int64_t>(std::numeric_limits<T>::min());
  }

  const Json& array_;
  bool ok_;
  size_t next_ = 0;
};

Result<Image> Read(const std::vector<uint8_t>& bytes) {
  if (!HasSaneShape(bytes)) return Damaged("its structure is broken");
  const Json file = Json::from_cbor(bytes, /*strict=*/true, /*allow_exceptions=*/false);
  if (file.is_discarded() || !file.is_array() || file.size() != 2 || file[0] != kMagic)
    return Damaged("it does not begin as one");
  const Json& fields = file[1];
  if (!fields.is_array() || fields.empty() || !fields[0].is_number_unsigned()) return Damaged("it has no version");
  if (fields[0] != kVersion) {
    return Error{"the compiled script is of another version: " + fields[0].dump(), "compile the script again with this kawk", 0};
  }
  Image image;
  Reader reader(fields);
  Fields(reader, image);
  if (!reader.complete()) return Damaged("a field is missing or out of range");
  Status valid = ValidateImage(image);
  if (!valid) return Damaged(valid.error().message);
  return image;
}

}  // namespace

Result<Image> DeserializeImage(const std::vector<uint8_t>& bytes) {
  try {
    return Read(bytes);
  } catch (const std::exception& e) {  // nlohmann's, or memory that a hostile file asks for
    return Damaged(e.what());
  }
}

}  // namespace kawk::image
