// The types of the language. A Type is interned by its TypeTable: equal types are the same pointer, and none can be built
// that makes no sense. Here, and only here, is said what a type's size, alignment and layout are.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace kawk {

enum class TypeKind : uint8_t {
  None,  // statements, void functions
  Bool,
  Int,
  String,
  Buffer,
  Inet,
  Mac,
  Timestamp,
  KernelSymbol,
  UserSymbol,
  KernelStack,
  UserStack,
  CgroupPath,
  Username,
  Pointer,
  Array,
  Struct,  // and union; members through StructInfo
  Enum,
  Tuple,
  Record,
  // Map values only:
  Count,
  Sum,
  Min,
  Max,
  Avg,
  Stats,
  Hist,
  Lhist,
  Tseries,
};

// Where the bytes behind a pointer (or of an object that is not loaded yet) are.
enum class AddressSpace : uint8_t { Bpf, Kernel, User, Context };

enum class StackMode : uint8_t { Bpftrace, Perf, Raw, BuildId };

// What tseries() keeps of the numbers of one interval.
enum class SeriesKind : uint8_t { Last, Avg, Max, Min, Sum };

struct Type;

struct StructField {
  std::string name;  // empty: anonymous member, whose fields are reached through it
  const Type* type = nullptr;
  uint32_t offset = 0;      // bytes
  uint32_t bit_offset = 0;  // bitfield: bits within the integer at offset
  uint32_t bit_size = 0;    // 0: not a bitfield
  bool data_loc = false;    // tracepoint __data_loc: type is what it leads to
  bool rel_data_loc = false;
};
struct StructInfo {
  std::string name;  // "struct task_struct", "union u", "struct tracepoint:syscalls:sys_enter_openat_args"
  uint32_t size = 0;
  uint32_t alignment = 1;
  bool is_union = false;
  mutable std::vector<StructField> fields;  // to be filled by who makes the struct; read it through Fields
  // Fills `fields` at their first use: a kernel struct leads to thousands of others.
  mutable std::function<void(std::vector<StructField>&)> load;

  const std::vector<StructField>& Fields() const {
    if (load) std::exchange(load, nullptr)(fields);
    return fields;
  }
  // The field of this name, also within anonymous members (their offsets added); null when there is none.
  const StructField* Find(std::string_view field) const;
  // Without those of anonymous members.
  std::vector<std::string> FieldNames() const;

 private:
  mutable std::map<std::string, StructField, std::less<>> inherited_;  // what Find made of anonymous members' fields
};
struct EnumInfo {
  std::string name;  // "enum foo"
  std::vector<std::pair<std::string, int64_t>> values;
};

struct Type {
  TypeKind kind = TypeKind::None;
  uint32_t bits = 0;                           // Int, Enum: 8, 16, 32, 64
  bool is_signed = false;                      // Int, Enum, Sum, Min, Max, Avg, Stats, Tseries
  uint64_t length = 0;                         // String: capacity with NUL; Buffer: capacity; Array: elements
  const Type* element = nullptr;               // Pointer: pointee (None: void*), Array: element
  AddressSpace space = AddressSpace::Kernel;   // Pointer
  std::vector<const Type*> members;            // Tuple, Record
  std::vector<std::string> names;              // Record
  const StructInfo* info = nullptr;            // Struct
  const EnumInfo* enumeration = nullptr;       // Enum
  std::string text;                            // Timestamp: strftime format; CgroupPath: filter
  StackMode stack_mode = StackMode::Bpftrace;  // KernelStack, UserStack
  uint32_t stack_limit = 0;
  uint32_t hist_bits = 0;
  int64_t lhist_min = 0, lhist_max = 0, lhist_step = 0;
  uint64_t series_interval = 0;  // Tseries: ns
  uint32_t series_length = 0;    // Tseries: intervals kept
  SeriesKind series_kind = SeriesKind::Last;

  bool is(TypeKind k) const { return kind == k; }
  bool IsInteger() const { return kind == TypeKind::Int || kind == TypeKind::Enum || kind == TypeKind::Bool; }
  bool IsAggregate() const { return kind >= TypeKind::Count; }
  // Kept as several elements a key: a bucket each, or an interval.
  bool IsBucketed() const { return kind == TypeKind::Hist || kind == TypeKind::Lhist || kind == TypeKind::Tseries; }
  bool IsPerCpu() const { return IsAggregate(); }
  bool IsStack() const { return kind == TypeKind::KernelStack || kind == TypeKind::UserStack; }
  // Held in an LLVM register rather than in memory.
  bool IsScalar() const { return IsInteger() || kind == TypeKind::Pointer; }
};

// Bytes in memory: of a value in a map, key, tuple or record. Aggregates: one CPU's slot (Hist, Lhist: one bucket; Tseries: one
// interval).
uint32_t SizeOfType(const Type* type);
uint32_t AlignOfType(const Type* type);
// Offsets of a tuple's or record's members; natural alignment, in order.
std::vector<uint32_t> MemberOffsets(const Type* type);
// As -d types and messages show it: "uint64", "string[16]", "(uint32,string[16])", "struct foo *".
std::string ToString(const Type* type);
// The call that makes an aggregate of this kind: "count()".
std::string AggregateName(TypeKind kind);

// Makes and owns types. Pointers stay valid for its lifetime.
class TypeTable {
 public:
  TypeTable();
  const Type* None() const { return none_; }
  const Type* Bool() const { return bool_; }
  const Type* Int(uint32_t bits, bool is_signed);
  const Type* String(uint64_t capacity);
  const Type* Buffer(uint64_t capacity);
  const Type* Pointer(const Type* pointee, AddressSpace space);
  const Type* Array(const Type* element, uint64_t count);
  const Type* Tuple(std::vector<const Type*> members);
  const Type* Record(std::vector<std::string> names, std::vector<const Type*> members);
  const Type* Stack(bool user, StackMode mode, uint32_t limit);
  const Type* Aggregate(TypeKind kind, bool is_signed);
  const Type* Hist(uint32_t bits);
  const Type* Lhist(int64_t min, int64_t max, int64_t step);
  const Type* Tseries(bool is_signed, uint64_t interval, uint32_t length, SeriesKind kind);
  const Type* Plain(TypeKind kind);  // kinds without payload: Inet, Mac, KernelSymbol, UserSymbol
  const Type* Timestamp(std::string format);
  const Type* CgroupPath(std::string filter);
  const Type* Struct(const StructInfo* info);
  const Type* Enum(const EnumInfo* info, uint32_t bits, bool is_signed);
  // Makes a StructInfo that the caller fills in (so that types can be recursive); owned here.
  StructInfo* NewStruct(std::string name);
  EnumInfo* NewEnum(std::string name);

  // A type of the language by its bare name: "int8" … "uint64", "bool", "void" (None), "inet" …; null when there is none.
  const Type* Named(std::string_view name);
  // String or Buffer for the names that are types only with a length behind them (`string[64]`); else None.
  static TypeKind SizedKind(std::string_view name);
  // The integer (of 64 bits) that an aggregate is where a number is wanted; null for those that have none.
  const Type* AggregateInt(const Type* aggregate);

  // The type of an integer literal: the smallest signed type that holds it (uint64 above INT64_MAX). A negative one is
  // given as its two's complement bits.
  const Type* Literal(uint64_t value, bool negative);
  // The type in which a binary operation on two integers is done, or that holds values of both: the larger size; on a
  // sign mismatch the next wider signed type; int64 when there is none (*lossy set).
  const Type* Common(const Type* a, const Type* b, bool* lossy = nullptr);

 private:
  const Type* Intern(Type type);
  std::vector<std::unique_ptr<Type>> types_;
  std::map<std::string, const Type*> by_key_;
  std::vector<std::unique_ptr<StructInfo>> structs_;
  std::vector<std::unique_ptr<EnumInfo>> enums_;
  const Type* none_ = nullptr;
  const Type* bool_ = nullptr;
};

}  // namespace kawk
