// Types: interning, the one place that says what a type's size and layout are, and the arithmetic of integer types. A type
// is interned under the text of all its parts, so equal types are one pointer; structs and enums are told apart by the
// address of their info, since two of them may share a name.
#include "ast/types.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/check.h"

namespace kawk {
namespace {

// Bytes of a stack key, an internet address, a kernel symbol …: what runtime/image/kinds.def says.
constexpr uint32_t kStackKeySize = 16;
constexpr uint32_t kInetSize = 20;
constexpr uint32_t kMacSize = 6;
constexpr uint32_t kUserSymbolSize = 16;
constexpr uint32_t kBufferHeader = 4;
constexpr uint32_t kSeriesSlot = 40;  // tseries: see runtime/image/buckets.h
constexpr uint32_t kPairSlot = 16;    // min, max, avg, stats: a value and a second u64

uint32_t RoundUp(uint32_t value, uint32_t alignment) { return (value + alignment - 1) / alignment * alignment; }

std::string Key(const Type& t) {
  std::string key =
      fmt::format("{}:{}:{}:{}:{}:{}:{}:{}:{}:{}:{}:{}:{}:{}:{}:{}:{}:{}|", static_cast<int>(t.kind), t.bits, t.is_signed,
                  t.length, fmt::ptr(t.element), static_cast<int>(t.space), fmt::ptr(t.info), fmt::ptr(t.enumeration),
                  static_cast<int>(t.stack_mode), t.stack_limit, t.hist_bits, t.lhist_min, t.lhist_max, t.lhist_step, t.text,
                  t.series_interval, t.series_length, static_cast<int>(t.series_kind));
  for (const Type* member : t.members) key += fmt::format("{},", fmt::ptr(member));
  for (const std::string& name : t.names) key += name + ",";
  return key;
}

}  // namespace

std::vector<std::string> StructInfo::FieldNames() const {
  std::vector<std::string> names;
  for (const StructField& field : Fields()) {
    if (!field.name.empty()) names.push_back(field.name);
  }
  return names;
}

const StructField* StructInfo::Find(std::string_view field) const {
  if (field.empty()) return nullptr;
  for (const StructField& own : Fields()) {
    if (own.name == field) return &own;
  }
  if (auto known = inherited_.find(field); known != inherited_.end()) return &known->second;
  for (const StructField& own : fields) {
    if (!own.name.empty() || own.type == nullptr || !own.type->is(TypeKind::Struct)) continue;
    if (const StructField* inner = own.type->info->Find(field)) {
      StructField& copy = inherited_[std::string(field)] = *inner;
      copy.offset += own.offset;
      return &copy;
    }
  }
  return nullptr;
}

uint32_t SizeOfType(const Type* type) {
  switch (type->kind) {
    case TypeKind::None: return 0;
    case TypeKind::Bool: return 1;
    case TypeKind::Int:
    case TypeKind::Enum: return type->bits / 8;
    case TypeKind::String: return static_cast<uint32_t>(type->length);
    case TypeKind::Buffer: return kBufferHeader + static_cast<uint32_t>(type->length);
    case TypeKind::Inet: return kInetSize;
    case TypeKind::Mac: return kMacSize;
    case TypeKind::UserSymbol: return kUserSymbolSize;
    case TypeKind::KernelStack:
    case TypeKind::UserStack: return kStackKeySize;
    case TypeKind::Array: return static_cast<uint32_t>(type->length) * SizeOfType(type->element);
    case TypeKind::Struct: return type->info->size;
    case TypeKind::Tuple:
    case TypeKind::Record:
      if (type->members.empty()) return 0;
      return RoundUp(MemberOffsets(type).back() + SizeOfType(type->members.back()), AlignOfType(type));
    case TypeKind::Min:
    case TypeKind::Max:
    case TypeKind::Avg:
    case TypeKind::Stats: return kPairSlot;
    case TypeKind::Timestamp:
    case TypeKind::KernelSymbol:
    case TypeKind::CgroupPath:
    case TypeKind::Username:
    case TypeKind::Pointer:
    case TypeKind::Count:
    case TypeKind::Sum:
    case TypeKind::Hist:
    case TypeKind::Lhist: return 8;
    case TypeKind::Tseries: return kSeriesSlot;
  }
  UNREACHABLE("type kind");
}

uint32_t AlignOfType(const Type* type) {
  switch (type->kind) {
    case TypeKind::None:
    case TypeKind::Bool:
    case TypeKind::String:
    case TypeKind::Mac: return 1;
    case TypeKind::Int:
    case TypeKind::Enum: return type->bits / 8;
    case TypeKind::Buffer:
    case TypeKind::Inet: return 4;
    case TypeKind::Array: return AlignOfType(type->element);
    case TypeKind::Struct: return std::max(type->info->alignment, 1u);
    case TypeKind::Tuple:
    case TypeKind::Record: {
      uint32_t alignment = 1;
      for (const Type* member : type->members) alignment = std::max(alignment, AlignOfType(member));
      return alignment;
    }
    case TypeKind::Timestamp:
    case TypeKind::KernelSymbol:
    case TypeKind::UserSymbol:
    case TypeKind::KernelStack:
    case TypeKind::UserStack:
    case TypeKind::CgroupPath:
    case TypeKind::Username:
    case TypeKind::Pointer:
    case TypeKind::Count:
    case TypeKind::Sum:
    case TypeKind::Min:
    case TypeKind::Max:
    case TypeKind::Avg:
    case TypeKind::Stats:
    case TypeKind::Hist:
    case TypeKind::Lhist:
    case TypeKind::Tseries: return 8;
  }
  UNREACHABLE("type kind");
}

std::vector<uint32_t> MemberOffsets(const Type* type) {
  std::vector<uint32_t> offsets;
  uint32_t end = 0;
  for (const Type* member : type->members) {
    offsets.push_back(RoundUp(end, AlignOfType(member)));
    end = offsets.back() + SizeOfType(member);
  }
  return offsets;
}

TypeTable::TypeTable() {
  none_ = Intern(Type{.kind = TypeKind::None});
  bool_ = Intern(Type{.kind = TypeKind::Bool, .bits = 8});
}

const Type* TypeTable::Intern(Type type) {
  const Type*& known = by_key_[Key(type)];
  if (known == nullptr) {
    types_.push_back(std::make_unique<Type>(std::move(type)));
    known = types_.back().get();
  }
  return known;
}

const Type* TypeTable::Int(uint32_t bits, bool is_signed) {
  CHECK(bits == 8 || bits == 16 || bits == 32 || bits == 64);
  return Intern(Type{.kind = TypeKind::Int, .bits = bits, .is_signed = is_signed});
}

const Type* TypeTable::String(uint64_t capacity) {
  return Intern(Type{.kind = TypeKind::String, .length = std::max<uint64_t>(capacity, 1)});
}

const Type* TypeTable::Buffer(uint64_t capacity) { return Intern(Type{.kind = TypeKind::Buffer, .length = capacity}); }

const Type* TypeTable::Pointer(const Type* pointee, AddressSpace space) {
  return Intern(Type{.kind = TypeKind::Pointer, .bits = 64, .element = pointee, .space = space});
}

const Type* TypeTable::Array(const Type* element, uint64_t count) {
  return Intern(Type{.kind = TypeKind::Array, .length = count, .element = element});
}

const Type* TypeTable::Tuple(std::vector<const Type*> members) {
  return Intern(Type{.kind = TypeKind::Tuple, .members = std::move(members)});
}

const Type* TypeTable::Record(std::vector<std::string> names, std::vector<const Type*> members) {
  CHECK(names.size() == members.size());
  return Intern(Type{.kind = TypeKind::Record, .members = std::move(members), .names = std::move(names)});
}

const Type* TypeTable::Stack(bool user, StackMode mode, uint32_t limit) {
  return Intern(Type{.kind = user ? TypeKind::UserStack : TypeKind::KernelStack, .stack_mode = mode, .stack_limit = limit});
}

const Type* TypeTable::Aggregate(TypeKind kind, bool is_signed) {
  CHECK(kind >= TypeKind::Count && kind < TypeKind::Hist);
  return Intern(Type{.kind = kind, .bits = 64, .is_signed = is_signed});
}

const Type* TypeTable::Hist(uint32_t bits) { return Intern(Type{.kind = TypeKind::Hist, .hist_bits = bits}); }

const Type* TypeTable::Lhist(int64_t min, int64_t max, int64_t step) {
  return Intern(Type{.kind = TypeKind::Lhist, .lhist_min = min, .lhist_max = max, .lhist_step = step});
}

const Type* TypeTable::Tseries(bool is_signed, uint64_t interval, uint32_t length, SeriesKind kind) {
  return Intern(Type{.kind = TypeKind::Tseries,
                     .bits = 64,
                     .is_signed = is_signed,
                     .series_interval = interval,
                     .series_length = length,
                     .series_kind = kind});
}

const Type* TypeTable::Plain(TypeKind kind) { return Intern(Type{.kind = kind}); }

const Type* TypeTable::CgroupPath(std::string filter) {
  return Intern(Type{.kind = TypeKind::CgroupPath, .text = std::move(filter)});
}

const Type* TypeTable::Timestamp(std::string format) {
  return Intern(Type{.kind = TypeKind::Timestamp, .text = std::move(format)});
}

const Type* TypeTable::Struct(const StructInfo* info) { return Intern(Type{.kind = TypeKind::Struct, .info = info}); }

const Type* TypeTable::Enum(const EnumInfo* info, uint32_t bits, bool is_signed) {
  return Intern(Type{.kind = TypeKind::Enum, .bits = bits, .is_signed = is_signed, .enumeration = info});
}

StructInfo* TypeTable::NewStruct(std::string name) {
  structs_.push_back(std::make_unique<StructInfo>());
  structs_.back()->name = std::move(name);
  return structs_.back().get();
}

EnumInfo* TypeTable::NewEnum(std::string name) {
  enums_.push_back(std::make_unique<EnumInfo>());
  enums_.back()->name = std::move(name);
  return enums_.back().get();
}

const Type* TypeTable::Named(std::string_view name) {
  struct Row {
    std::string_view name;
    TypeKind kind;
    uint32_t bits;
    bool is_signed;
  };
  static constexpr std::array kRows = {
      Row{"void", TypeKind::None, 0, false},         Row{"bool", TypeKind::Bool, 0, false},
      Row{"int8", TypeKind::Int, 8, true},           Row{"int16", TypeKind::Int, 16, true},
      Row{"int32", TypeKind::Int, 32, true},         Row{"int64", TypeKind::Int, 64, true},
      Row{"uint8", TypeKind::Int, 8, false},         Row{"uint16", TypeKind::Int, 16, false},
      Row{"uint32", TypeKind::Int, 32, false},       Row{"uint64", TypeKind::Int, 64, false},
      Row{"inet", TypeKind::Inet, 0, false},         Row{"mac_address", TypeKind::Mac, 0, false},
      Row{"macaddr", TypeKind::Mac, 0, false},       Row{"ksym", TypeKind::KernelSymbol, 0, false},
      Row{"usym", TypeKind::UserSymbol, 0, false},   Row{"ksym_t", TypeKind::KernelSymbol, 0, false},
      Row{"usym_t", TypeKind::UserSymbol, 0, false}, Row{"username", TypeKind::Username, 0, false},
  };
  for (const Row& row : kRows) {
    if (row.name != name) continue;
    if (row.kind == TypeKind::None) return None();
    if (row.kind == TypeKind::Bool) return Bool();
    return row.kind == TypeKind::Int ? Int(row.bits, row.is_signed) : Plain(row.kind);
  }
  return nullptr;
}

TypeKind TypeTable::SizedKind(std::string_view name) {
  if (name == "string") return TypeKind::String;
  return name == "buffer" ? TypeKind::Buffer : TypeKind::None;
}

const Type* TypeTable::AggregateInt(const Type* aggregate) {
  switch (aggregate->kind) {
    case TypeKind::Count: return Int(64, false);
    case TypeKind::Sum:
    case TypeKind::Min:
    case TypeKind::Max:
    case TypeKind::Avg: return Int(64, aggregate->is_signed);
    default: return nullptr;
  }
}

const Type* TypeTable::Literal(uint64_t value, bool negative) {
  const auto number = static_cast<int64_t>(value);
  if (!negative && number < 0) return Int(64, false);
  if (number >= INT8_MIN && number <= INT8_MAX) return Int(8, true);
  if (number >= INT16_MIN && number <= INT16_MAX) return Int(16, true);
  if (number >= INT32_MIN && number <= INT32_MAX) return Int(32, true);
  return Int(64, true);
}

const Type* TypeTable::Common(const Type* a, const Type* b, bool* lossy) {
  if (a == b) return a;
  const uint32_t a_bits = std::max(a->bits, 8u);
  const uint32_t b_bits = std::max(b->bits, 8u);
  if (a->is_signed == b->is_signed) return Int(std::max(a_bits, b_bits), a->is_signed);
  const uint32_t signed_bits = a->is_signed ? a_bits : b_bits;
  const uint32_t unsigned_bits = a->is_signed ? b_bits : a_bits;
  if (unsigned_bits < signed_bits) return Int(signed_bits, true);
  if (unsigned_bits < 64) return Int(unsigned_bits * 2, true);
  if (lossy != nullptr) *lossy = true;
  return Int(64, true);
}

}  // namespace kawk
