// Images, records and map entries for tests, in a few words each.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "runtime/image/image.h"
#include "runtime/output.h"
#include "runtime/symbols.h"
#include "runtime/value.h"

namespace kawk {

using image::EventArg;
using image::EventKind;
using image::EventSpec;
using image::Field;
using image::FormatPiece;
using image::TypeIndex;
using image::ValueKind;
using image::ValueType;
using namespace std::string_literals;
using Data = std::vector<uint8_t>;

// Bytes of numbers and strings, one behind the other.
template <class T>
Data Pack(T value) {
  Data data(sizeof value);
  std::memcpy(data.data(), &value, sizeof value);
  return data;
}
inline Data Chars(std::string_view text) { return Data(text.begin(), text.end()); }
inline Data Padded(std::string_view text, size_t size) {
  Data data = Chars(text);
  data.resize(size);
  return data;
}
inline Data operator+(Data a, const Data& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

class Builder {
 public:
  Builder() { image.types.emplace_back(); }

  TypeIndex Add(ValueType type) {
    image.types.push_back(std::move(type));
    return static_cast<TypeIndex>(image.types.size() - 1);
  }
  TypeIndex Kind(ValueKind kind, uint32_t size, bool is_signed = false) {
    ValueType type;
    type.kind = kind;
    type.size = size;
    type.is_signed = is_signed;
    return Add(type);
  }
  TypeIndex Int(uint32_t size, bool is_signed) { return Kind(ValueKind::Int, size, is_signed); }
  TypeIndex String(uint32_t size, bool may_truncate = false) {
    ValueType type;
    type.kind = ValueKind::String;
    type.size = size;
    type.may_truncate = may_truncate;
    return Add(type);
  }
  TypeIndex Enum(uint32_t size, std::vector<image::Enumerator> enumerators) {
    ValueType type;
    type.kind = ValueKind::Enum;
    type.size = size;
    type.enumerators = std::move(enumerators);
    return Add(type);
  }
  TypeIndex Array(TypeIndex element, uint32_t count) {
    ValueType type;
    type.kind = ValueKind::Array;
    type.element = element;
    type.count = count;
    type.size = image.types[element].size * count;
    return Add(type);
  }
  // Fields one behind the other, without padding. Names may be missing.
  TypeIndex Fields(ValueKind kind, const std::vector<TypeIndex>& types, const std::vector<std::string>& names = {}) {
    ValueType type;
    type.kind = kind;
    for (size_t i = 0; i < types.size(); ++i) {
      Field field;
      field.name = i < names.size() ? names[i] : "";
      field.offset = type.size;
      field.type = types[i];
      type.fields.push_back(field);
      type.size += image.types[types[i]].size;
    }
    return Add(type);
  }
  TypeIndex Tuple(const std::vector<TypeIndex>& types) { return Fields(ValueKind::Tuple, types); }
  TypeIndex Hist(uint32_t bits) {
    ValueType type;
    type.kind = ValueKind::Hist;
    type.size = 8;
    type.hist_bits = bits;
    return Add(type);
  }
  TypeIndex Lhist(int64_t min, int64_t max, int64_t step) {
    ValueType type;
    type.kind = ValueKind::Lhist;
    type.size = 8;
    type.lhist_min = min;
    type.lhist_max = max;
    type.lhist_step = step;
    return Add(type);
  }

  // An event whose arguments have these types; its records are made by Record. Strings and buffers are of variable length.
  EventSpec& Event(EventKind kind, const std::vector<TypeIndex>& args) {
    EventSpec event;
    event.kind = kind;
    uint32_t offset = sizeof(image::RecordHeader);
    for (const TypeIndex type : args) {
      const bool variable = image.types[type].kind == ValueKind::String || image.types[type].kind == ValueKind::Buffer;
      event.args.push_back({type, offset, variable});
      offset += variable ? 4 : image.types[type].size;
    }
    event.fixed_size = offset;
    image.events.push_back(std::move(event));
    return image.events.back();
  }
  static Data Record(const EventSpec& event, const std::vector<Data>& args) {
    Data fixed = Pack<uint64_t>(0);
    Data tail;
    for (size_t i = 0; i < args.size(); ++i) {
      if (event.args[i].variable) {
        fixed = fixed + Pack(static_cast<uint32_t>(args[i].size()));
        tail = tail + args[i];
      } else {
        fixed = fixed + args[i];
      }
    }
    return fixed + tail;
  }

  image::Image image;
};

// Stack frames by hash.
class FakeStacks : public StackSource {
 public:
  std::vector<uint64_t> Frames(uint32_t, const image::StackKey& key) override { return frames[key.hash]; }
  std::map<uint64_t, std::vector<uint64_t>> frames;
};

// Standard error, while this lives.
class CapturedStderr {
 public:
  CapturedStderr() { testing::internal::CaptureStderr(); }
  std::string Text() { return testing::internal::GetCapturedStderr(); }
};

// What an Output for `image` writes while `use` drives it.
inline std::string Printed(const image::Image& image, OutputFormat format, const std::function<void(Output&)>& use,
                           RunOptions options = {}) {
  char path[] = "/tmp/kawk_output_XXXXXX";
  const int fd = mkstemp(path);
  EXPECT_GE(fd, 0);
  close(fd);
  options.output_path = path;
  options.format = format;
  {
    Symbols symbols(image.config);
    FakeStacks stacks;
    auto output = Output::Open(image, options, symbols, stacks, nullptr);
    EXPECT_TRUE(static_cast<bool>(output));
    use(**output);
    (*output)->Flush();
  }
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  std::remove(path);
  return text.str();
}

}  // namespace kawk
