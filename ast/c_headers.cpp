#include "ast/c_headers.h"

#include <algorithm>
#include <limits>

#include "ast/type_source.h"

namespace kawk {
namespace {

constexpr uint64_t kLargestSize = std::numeric_limits<int32_t>::max();  // bytes of a type

class Definer {
 public:
  Definer(const HeaderDeclarations& headers, TypeSource& source) : headers_(headers), source_(source), types_(source.types()) {}

  void Run() {
    // First all records without their fields: they point to each other.
    for (const HeaderRecord& record : headers_.records) {
      StructInfo* info = types_.NewStruct(record.name);
      info->is_union = record.is_union;
      info->size = static_cast<uint32_t>(std::min(record.size, kLargestSize));
      info->alignment = record.alignment;
      infos_.push_back(info);
    }
    for (const HeaderEnum& row : headers_.enums) {
      EnumInfo* info = types_.NewEnum(row.name);
      info->values = row.values;
      enums_.push_back(types_.Enum(info, row.bits, row.is_signed));
    }
    for (size_t i = 0; i < headers_.records.size(); ++i) AddFields(headers_.records[i], *infos_[i]);
    for (size_t i = 0; i < headers_.records.size(); ++i) Name(headers_.records[i].name, types_.Struct(infos_[i]));
    for (size_t i = 0; i < headers_.enums.size(); ++i) {
      Name(headers_.enums[i].name, enums_[i]);
      for (const auto& [name, value] : headers_.enums[i].values) {
        source_.DefineConstant(name, {.enumeration = enums_[i], .value = value});
      }
    }
    for (const auto& [name, type] : headers_.typedefs) source_.Define(name, TypeOf(type));
  }

 private:
  void Name(const std::string& name, const Type* type) {
    if (name.back() != ' ') source_.Define(name, type);
  }

  void AddFields(const HeaderRecord& record, StructInfo& info) {
    for (const HeaderField& row : record.fields) {
      StructField field{.name = row.name, .type = TypeOf(row.type)};
      field.offset = static_cast<uint32_t>(row.bit / 8);
      field.bit_size = row.bit_count;
      if (field.bit_size != 0) PlaceBits(row.bit, field);
      info.fields.push_back(std::move(field));
    }
  }

  // Of the integers of the field's type, the one that it lies in; a packed one may cross their border.
  static void PlaceBits(uint64_t bit, StructField& field) {
    const uint64_t width = std::max<uint64_t>(8, SizeOfType(field.type) * 8ull);
    if (bit % width + field.bit_size <= width) field.offset = static_cast<uint32_t>(bit / width * (width / 8));
    field.bit_offset = static_cast<uint32_t>(bit - field.offset * 8ull);
  }

  const Type* TypeOf(uint32_t index) {
    const HeaderType& row = headers_.types[index];
    switch (row.kind) {
      case HeaderType::Kind::None: return types_.None();
      case HeaderType::Kind::Bool: return types_.Bool();
      case HeaderType::Kind::Char: return types_.Int(8, row.is_signed);
      case HeaderType::Kind::Int: return types_.Int(row.size * 8, row.is_signed);
      case HeaderType::Kind::Opaque: return types_.Array(types_.Int(8, false), row.size);
      case HeaderType::Kind::Pointer: return types_.Pointer(TypeOf(row.of), AddressSpace::Kernel);
      case HeaderType::Kind::Array: return ArrayOf(row);
      case HeaderType::Kind::Record: return types_.Struct(infos_[row.of]);
      case HeaderType::Kind::Enum: return enums_[row.of];
    }
    return types_.None();
  }

  const Type* ArrayOf(const HeaderType& row) {
    if (headers_.types[row.of].kind == HeaderType::Kind::Char && row.count > 0) return types_.String(row.count);
    const Type* element = TypeOf(row.of);
    const bool fits = row.count <= kLargestSize / std::max(SizeOfType(element), 1u);
    return types_.Array(element, fits ? row.count : 0);
  }

  const HeaderDeclarations& headers_;
  TypeSource& source_;
  TypeTable& types_;
  std::vector<StructInfo*> infos_;
  std::vector<const Type*> enums_;
};

}  // namespace

void DefineHeaderTypes(const HeaderDeclarations& headers, TypeSource& source) { Definer(headers, source).Run(); }

}  // namespace kawk
