// An Image as CBOR: an array of a magic word and one array per struct, its fields in the order of fields.h.
#include <nlohmann/json.hpp>

#include "runtime/image/fields.h"
#include "runtime/image/magic.h"

namespace kawk::image {
namespace {

using Json = nlohmann::json;

class Writer {
 public:
  template <class T>
  void operator()(const T& field) {
    fields_.push_back(Encode(field));
  }

  static Json Encode(const std::vector<uint8_t>& bytes) { return Json::binary(bytes); }
  template <class T>
  static Json Encode(const std::vector<T>& list) {
    Json array = Json::array();
    for (const T& element : list) array.push_back(Encode(element));
    return array;
  }
  template <class T>
  static Json Encode(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      return static_cast<uint64_t>(value);
    } else if constexpr (std::is_arithmetic_v<T> || std::same_as<T, std::string>) {
      return value;
    } else {
      Writer writer;
      Fields(writer, value);
      return std::move(writer.fields_);
    }
  }

 private:
  Json fields_ = Json::array();
};

}  // namespace

std::vector<uint8_t> SerializeImage(const Image& image) {
  const Json file = Json::array({kMagic, Writer::Encode(image)});
  return Json::to_cbor(file);
}

}  // namespace kawk::image
