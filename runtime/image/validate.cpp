// Whether all indices, offsets and sizes of an Image hold, so that nothing right of it needs to ask again. Sizes of maps and
// globals in the object are checked when it is loaded.
#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "runtime/image/buckets.h"
#include "runtime/image/image.h"

namespace kawk::image {
namespace {

constexpr uint32_t kLargestValue = 1 << 24;
constexpr uint32_t kLargestRecord = 1 << 24;
constexpr uint32_t kMostFrames = 4096;
constexpr uint32_t kMostBuckets = 1 << 16;
constexpr uint32_t kMostIntervals = 1000000;
constexpr uint32_t kMostHistBits = 5;
constexpr int kDeepestType = 64;

class Validator {
 public:
  explicit Validator(const Image& image) : image_(image) {}

  // The first complaint, or empty.
  std::string Run() {
    if (image_.version != kVersion) return "another version";
    if (image_.types.empty() || image_.types[0].kind != ValueKind::None) return "type 0 is not None";
    Each(image_.stack_maps, "stack map", [&](const StackMapSpec& map) { return CheckStackMap(map); });
    Each(image_.types, "type", [&](const ValueType& type) { return CheckType(type); });
    if (complaint_.empty()) CheckParts();
    Each(image_.maps, "map", [&](const MapSpec& map) { return CheckMap(map); });
    Each(image_.programs, "program",
         [&](const ProgramSpec& program) { return !program.object_name.empty() || program.attach.empty(); });
    Each(image_.events, "event", [&](const EventSpec& event) { return CheckEvent(event); });
    const auto& missing = image_.config.missing_probes;
    if (missing != "error" && missing != "warn" && missing != "ignore") Complain("missing_probes");
    if (image_.loss_offset % 8 != 0) Complain("loss_offset");
    return complaint_;
  }

 private:
  void Complain(std::string what) {
    if (complaint_.empty()) complaint_ = std::move(what);
  }
  template <class T, class Check>
  void Each(const std::vector<T>& list, const char* name, Check check) {
    for (size_t i = 0; i < list.size() && complaint_.empty(); ++i) {
      if (!check(list[i])) Complain(fmt::format("{} {}", name, i));
    }
  }

  bool IsType(TypeIndex type) const { return type < image_.types.size(); }
  bool CheckStackMap(const StackMapSpec& map) const {
    return !map.object_name.empty() && map.limit > 0 && map.limit <= kMostFrames;
  }

  bool CheckType(const ValueType& type) const {
    if (type.size > kLargestValue || !IsType(type.element)) return false;
    switch (type.kind) {
      case ValueKind::None: return true;
      case ValueKind::Bool: return type.size >= 1 && type.size <= 8;
      case ValueKind::Int:
      case ValueKind::Enum: return type.size == 1 || type.size == 2 || type.size == 4 || type.size == 8;
      case ValueKind::Pointer:
      case ValueKind::Timestamp:
      case ValueKind::KernelSymbol:
      case ValueKind::CgroupPath:
      case ValueKind::Username:
      case ValueKind::Count:
      case ValueKind::Sum: return type.size == 8;
      case ValueKind::String: return true;
      case ValueKind::Buffer: return type.size >= 4;
      case ValueKind::Inet: return type.size >= 20;
      case ValueKind::Mac: return type.size >= 6;
      case ValueKind::UserSymbol: return type.size == 16;
      case ValueKind::KernelStack:
      case ValueKind::UserStack: return type.size == sizeof(StackKey) && type.stack_map < image_.stack_maps.size();
      case ValueKind::Array: return uint64_t{type.count} * image_.types[type.element].size <= type.size;
      case ValueKind::Struct:
      case ValueKind::Tuple:
      case ValueKind::Record: return CheckFields(type);
      case ValueKind::Min:
      case ValueKind::Max:
      case ValueKind::Avg:
      case ValueKind::Stats: return type.size == 16;
      case ValueKind::Hist: return type.size == 8 && type.hist_bits <= kMostHistBits;
      case ValueKind::Lhist: return type.size == 8 && CheckLhist(type);
      case ValueKind::Tseries:
        return type.size == kSeriesSlot && type.series_interval > 0 && type.series_length > 0 &&
               type.series_length <= kMostIntervals;
    }
    UNREACHABLE("value kind");
  }

  bool CheckLhist(const ValueType& type) const {
    if (type.lhist_step <= 0 || type.lhist_max <= type.lhist_min) return false;
    const uint64_t range = static_cast<uint64_t>(type.lhist_max) - static_cast<uint64_t>(type.lhist_min);
    return range / static_cast<uint64_t>(type.lhist_step) < kMostBuckets;
  }

  bool CheckFields(const ValueType& type) const {
    return std::all_of(type.fields.begin(), type.fields.end(), [&](const Field& field) {
      if (!IsType(field.type)) return false;
      const uint64_t size = image_.types[field.type].size;
      if (field.offset > type.size || size > type.size - field.offset) return false;
      return field.bit_size == 0 ||
             (field.bit_size <= 64 && field.bit_offset <= 64 && field.bit_offset + field.bit_size <= size * 8);
    });
  }

  // No type may hold itself, nor more parts than its bytes could: printing a value follows its type.
  void CheckParts() {
    parts_.assign(image_.types.size(), 0);
    for (TypeIndex i = 0; i < image_.types.size(); ++i) {
      if (Parts(i, 0) > kLargestValue) return Complain(fmt::format("type {}", i));
    }
  }
  // How many parts a value has that are printed by themselves; more than kLargestValue when there is no end to it.
  uint64_t Parts(TypeIndex index, int depth) {
    if (parts_[index] != 0) return parts_[index];
    if (depth > kDeepestType) return kLargestValue + 1;
    const ValueType& type = image_.types[index];
    uint64_t parts = 1;
    if (type.kind == ValueKind::Array)
      parts += type.count * std::min<uint64_t>(Parts(type.element, depth + 1), kLargestValue + 1);
    if (type.kind == ValueKind::Struct || type.kind == ValueKind::Tuple || type.kind == ValueKind::Record) {
      for (const Field& field : type.fields) {
        parts += Parts(field.type, depth + 1);
        if (parts > kLargestValue) return parts;  // going on would take long
      }
    }
    parts_[index] = parts;
    return parts;
  }

  static bool IsAggregate(ValueKind kind) { return kind >= ValueKind::Count && kind <= ValueKind::Tseries; }

  bool CheckMap(const MapSpec& map) const {
    if (!IsType(map.key) || !IsType(map.value)) return false;
    const bool splits = !map.short_object_name.empty();
    if (splits && (image_.types[map.key].kind != ValueKind::String || image_.types[map.key].size <= kShortKeyBytes)) return false;
    const bool scalar = image_.types[map.key].kind == ValueKind::None;
    const bool aggregate = IsAggregate(image_.types[map.value].kind);
    switch (map.storage) {
      case MapStorage::Global:
        return scalar && !aggregate && map.global_offset % 8 == 0 && map.global_offset >= sizeof(ProgramState);
      case MapStorage::PerCpuArray: return scalar && aggregate && !map.object_name.empty();
      case MapStorage::Hash: return !scalar && !map.object_name.empty();
      case MapStorage::PerCpuHash: return !scalar && !map.object_name.empty();
    }
    UNREACHABLE("map storage");
  }

  bool CheckEvent(const EventSpec& event) const {
    if (event.probe >= image_.programs.size()) return false;
    if (event.fixed_size < sizeof(RecordHeader) || event.fixed_size > kLargestRecord) return false;
    const bool of_map =
        event.kind == EventKind::PrintMap || event.kind == EventKind::ClearMap || event.kind == EventKind::ZeroMap;
    if (of_map && event.map >= image_.maps.size()) return false;
    for (const EventArg& arg : event.args) {
      if (!IsType(arg.type) || arg.offset < sizeof(RecordHeader)) return false;
      const ValueKind kind = image_.types[arg.type].kind;
      if (arg.variable && kind != ValueKind::String && kind != ValueKind::Buffer) return false;
      const uint32_t size = arg.variable ? sizeof(uint32_t) : image_.types[arg.type].size;
      if (arg.offset > event.fixed_size || size > event.fixed_size - arg.offset) return false;
    }
    return std::all_of(event.format.begin(), event.format.end(), [&](const FormatPiece& piece) {
      const auto args = static_cast<int64_t>(event.args.size());
      return piece.conversion.empty() || (piece.arg < args && piece.width_arg < args && piece.precision_arg < args);
    });
  }

  const Image& image_;
  std::string complaint_;
  std::vector<uint64_t> parts_;  // 0: not counted yet
};

}  // namespace

Status ValidateImage(const Image& image) {
  std::string complaint = Validator(image).Run();
  if (!complaint.empty()) return Error{"bad " + complaint, "", 0};
  return Ok{};
}

}  // namespace kawk::image
