// Types of programs that are traced, by their debug information. All their memory is of user space.
#include <algorithm>

#include "ast/type_source.h"
#include "base/check.h"

namespace kawk {
namespace {

bool IsWidth(uint64_t bytes) { return bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8; }

}  // namespace

const Type* TypeSource::FindInProgram(const std::string& name) {
  const Result<DebugInfo*> info = host_.OpenDebugInfo(program_);
  const uint32_t number = info ? (*info)->FindType(name) : 0;
  return number == 0 ? nullptr : FromDebug(**info, number);
}

const Type* TypeSource::FromDebug(DebugInfo& program, uint32_t number) {
  if (number == 0) return types_.None();
  const auto known = by_number_.find({&program, number});
  if (known != by_number_.end()) return known->second;
  by_number_[{&program, number}] = types_.None();  // of a type that is made of itself
  const DebugType type = program.Type(number);
  const auto keep = [&](const Type* made) { return by_number_[{&program, number}] = made; };
  const auto bytes = [&](uint64_t size) { return types_.Array(types_.Int(8, false), size); };
  switch (type.kind) {
    case DebugType::Kind::None: return keep(types_.None());
    case DebugType::Kind::Bool: return keep(type.size == 1 ? types_.Bool() : bytes(type.size));
    case DebugType::Kind::Int:
    case DebugType::Kind::Float:
      if (IsWidth(type.size)) return keep(types_.Int(static_cast<uint32_t>(type.size) * 8, type.is_signed));
      return keep(type.size == 16 ? types_.Array(types_.Int(64, false), 2) : bytes(type.size));
    case DebugType::Kind::Pointer: return keep(types_.Pointer(FromDebug(program, type.element), AddressSpace::User));
    case DebugType::Kind::Array: {
      const Type* element = FromDebug(program, type.element);
      const bool is_text = type.count > 0 && program.Type(type.element).is_char;
      return keep(is_text ? types_.String(type.count) : types_.Array(element, type.count));
    }
    case DebugType::Kind::Struct:
    case DebugType::Kind::Union: return keep(DebugStruct(program, type));
    case DebugType::Kind::Enum: {
      if (!IsWidth(type.size)) return keep(bytes(type.size));
      EnumInfo* info = types_.NewEnum("enum " + type.name);
      info->values = type.enumerators;
      return keep(types_.Enum(info, static_cast<uint32_t>(type.size) * 8, type.is_signed));
    }
  }
  UNREACHABLE("kind of a type in debug information");
}

// Fields are translated when they are first asked for: a struct may lead back to itself.
const Type* TypeSource::DebugStruct(DebugInfo& program, const DebugType& type) {
  const bool is_union = type.kind == DebugType::Kind::Union;
  StructInfo* info = types_.NewStruct((is_union ? "union " : "struct ") + type.name);
  info->size = static_cast<uint32_t>(std::min<uint64_t>(type.size, UINT32_MAX));
  info->alignment = type.size % 8 == 0 ? 8 : type.size % 4 == 0 ? 4 : type.size % 2 == 0 ? 2 : 1;
  info->is_union = is_union;
  info->load = [this, &program, declared = type.fields](std::vector<StructField>& fields) {
    for (const DebugType::Field& from : declared) {
      StructField& field = fields.emplace_back();
      field.name = from.name;
      field.type = FromDebug(program, from.type);
      field.offset = from.offset;
      field.bit_size = from.bit_size;
      field.bit_offset = from.bit_offset;
    }
  };
  return types_.Struct(info);
}

const Type* TypeSource::DebugArguments(DebugInfo& program, const std::string& name,
                                       const std::vector<const DebugParameter*>& parameters) {
  StructInfo* info = types_.NewStruct("struct " + name + "_args");
  info->alignment = 8;
  for (const DebugParameter* parameter : parameters) {
    StructField& field = info->fields.emplace_back();
    field.name = parameter->name;
    field.type = FromDebug(program, parameter->type);
    field.offset = info->size;
    constexpr uint32_t kSlot = 8;
    info->size += std::max(kSlot, (SizeOfType(field.type) + kSlot - 1) / kSlot * kSlot);
  }
  return types_.Struct(info);
}

}  // namespace kawk
