// Types of the language → value types of the Image, which tell the runtime how to read and print bytes.
#include "base/check.h"
#include "codegen/module.h"

namespace kawk {
namespace {

image::ValueKind KindOf(TypeKind kind) {
  switch (kind) {
    case TypeKind::None: return image::ValueKind::None;
    case TypeKind::Bool: return image::ValueKind::Bool;
    case TypeKind::Int: return image::ValueKind::Int;
    case TypeKind::String: return image::ValueKind::String;
    case TypeKind::Buffer: return image::ValueKind::Buffer;
    case TypeKind::Inet: return image::ValueKind::Inet;
    case TypeKind::Mac: return image::ValueKind::Mac;
    case TypeKind::Timestamp: return image::ValueKind::Timestamp;
    case TypeKind::KernelSymbol: return image::ValueKind::KernelSymbol;
    case TypeKind::UserSymbol: return image::ValueKind::UserSymbol;
    case TypeKind::KernelStack: return image::ValueKind::KernelStack;
    case TypeKind::UserStack: return image::ValueKind::UserStack;
    case TypeKind::CgroupPath: return image::ValueKind::CgroupPath;
    case TypeKind::Username: return image::ValueKind::Username;
    case TypeKind::Pointer: return image::ValueKind::Pointer;
    case TypeKind::Array: return image::ValueKind::Array;
    case TypeKind::Struct: return image::ValueKind::Struct;
    case TypeKind::Enum: return image::ValueKind::Enum;
    case TypeKind::Tuple: return image::ValueKind::Tuple;
    case TypeKind::Record: return image::ValueKind::Record;
    case TypeKind::Count: return image::ValueKind::Count;
    case TypeKind::Sum: return image::ValueKind::Sum;
    case TypeKind::Min: return image::ValueKind::Min;
    case TypeKind::Max: return image::ValueKind::Max;
    case TypeKind::Avg: return image::ValueKind::Avg;
    case TypeKind::Stats: return image::ValueKind::Stats;
    case TypeKind::Hist: return image::ValueKind::Hist;
    case TypeKind::Lhist: return image::ValueKind::Lhist;
    case TypeKind::Tseries: return image::ValueKind::Tseries;
  }
  UNREACHABLE("type kind");
}

}  // namespace

image::TypeIndex ModuleBuilder::TypeOf(const Type* type) {
  if (type == nullptr || type->is(TypeKind::None)) return 0;
  const auto known = type_index_.find(type);
  if (known != type_index_.end()) return known->second;
  const auto index = static_cast<image::TypeIndex>(image_.types.size());
  type_index_[type] = index;
  image_.types.emplace_back();  // reserved first: a type may be reached from within itself
  image::ValueType lowered = Lower(type);
  image_.types[index] = std::move(lowered);
  return index;
}

// Members of anonymous structs and unions stand among the others, as scripts name them.
void ModuleBuilder::AppendFields(const Type* type, uint32_t offset, std::vector<image::Field>& fields) {
  for (const StructField& field : type->info->Fields()) {
    if (field.name.empty() && field.type->is(TypeKind::Struct)) {
      AppendFields(field.type, offset + field.offset, fields);
    } else {
      fields.push_back({field.name, offset + field.offset, TypeOf(field.type), field.bit_offset, field.bit_size});
    }
  }
}

image::ValueType ModuleBuilder::Lower(const Type* type) {
  image::ValueType out;
  out.kind = KindOf(type->kind);
  out.size = SizeOfType(type);
  out.is_signed = type->is_signed;
  out.text = type->text;
  out.may_truncate = type->is(TypeKind::String) && type->length == typed_.config.max_strlen + 1;
  out.stack_mode = static_cast<image::StackMode>(type->stack_mode);
  out.stack_limit = type->stack_limit;
  out.hist_bits = type->hist_bits;
  out.lhist_min = type->lhist_min;
  out.lhist_max = type->lhist_max;
  out.lhist_step = type->lhist_step;
  out.series_interval = type->series_interval;
  out.series_length = type->series_length;
  out.series_kind = static_cast<image::SeriesKind>(type->series_kind);
  if (type->IsStack()) out.stack_map = StackMap(type->is(TypeKind::UserStack), type->stack_limit);
  if (type->is(TypeKind::Array)) {
    out.element = TypeOf(type->element);
    out.count = static_cast<uint32_t>(type->length);
  }
  if (type->is(TypeKind::Tuple) || type->is(TypeKind::Record)) {
    const std::vector<uint32_t> offsets = MemberOffsets(type);
    for (size_t i = 0; i < type->members.size(); ++i) {
      out.fields.push_back({type->is(TypeKind::Record) ? type->names[i] : "", offsets[i], TypeOf(type->members[i])});
    }
  }
  if (type->is(TypeKind::Struct)) {
    out.name = type->info->name;
    AppendFields(type, 0, out.fields);
  }
  if (type->is(TypeKind::Enum)) {
    out.name = type->enumeration->name;
    for (const auto& [name, value] : type->enumeration->values) out.enumerators.push_back({name, value});
  }
  return out;
}

}  // namespace kawk
