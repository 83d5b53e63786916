// BTF → types. Ids are translated once; a struct's members only when somebody asks for them, since from any struct of the
// kernel one comes to nearly all others.
#include <bpf/btf.h>

#include <algorithm>
#include <array>

#include "ast/type_source.h"
#include "base/check.h"
#include "host/kernel_btf.h"

namespace kawk {
namespace {

constexpr std::string_view kUserTag = "user";  // __attribute__((btf_type_tag("user"))): __user

std::string_view NameAt(const ::btf* btf, uint32_t offset) {
  const char* name = btf__name_by_offset(btf, offset);
  return name != nullptr ? std::string_view(name) : std::string_view();
}

bool IsModifier(const ::btf_type* type) {
  return btf_is_mod(type) || btf_is_typedef(type) || btf_kind(type) == BTF_KIND_TYPE_TAG;
}

// The type behind typedefs and qualifiers.
uint32_t Strip(const ::btf* btf, uint32_t id) {
  for (const ::btf_type* type = btf__type_by_id(btf, id); id != 0 && IsModifier(type); type = btf__type_by_id(btf, id))
    id = type->type;
  return id;
}

bool IsChar(const ::btf* btf, uint32_t id) {
  const ::btf_type* type = btf__type_by_id(btf, Strip(btf, id));
  return type != nullptr && btf_is_int(type) && type->size == 1 && NameAt(btf, type->name_off) == "char";
}

// Of what only has a size: structs do not say their alignment.
uint32_t AlignmentFor(uint32_t size) { return size % 8 == 0 ? 8 : size % 4 == 0 ? 4 : size % 2 == 0 ? 2 : 1; }

struct Keyword {
  std::string_view prefix;
  std::array<uint32_t, 2> kinds;
};
constexpr std::array kKeywords = {
    Keyword{"struct ", {BTF_KIND_STRUCT, 0}},
    Keyword{"union ", {BTF_KIND_UNION, 0}},
    Keyword{"enum ", {BTF_KIND_ENUM, BTF_KIND_ENUM64}},
};

}  // namespace

uint32_t TypeSource::KindOfVariable(const std::string& name) {
  const uint32_t variable = host_.FindBtfType(name, BTF_KIND_VAR);
  if (variable == 0) return 0;
  const btf_type* type = btf__type_by_id(host_.KernelBtf(), variable);
  do {
    type = btf__type_by_id(host_.KernelBtf(), type->type);
  } while (type != nullptr && IsModifier(type));
  return type == nullptr ? 0 : btf_kind(type);
}

const Type* TypeSource::FindInBtf(const std::string& name) {
  for (const Keyword& keyword : kKeywords) {
    if (!name.starts_with(keyword.prefix)) continue;
    for (const uint32_t kind : keyword.kinds) {
      const uint32_t id = kind == 0 ? 0 : host_.FindBtfType(name.substr(keyword.prefix.size()), kind);
      if (id != 0) return FromBtf({host_.KernelBtf(), id});
    }
    return nullptr;
  }
  // As in the peer, the keyword `struct` may be left out.
  for (const uint32_t kind : {BTF_KIND_TYPEDEF, BTF_KIND_STRUCT, BTF_KIND_UNION}) {
    const uint32_t id = host_.FindBtfType(name, kind);
    if (id != 0) return FromBtf({host_.KernelBtf(), id});
  }
  return nullptr;
}

const Type* TypeSource::FromBtf(BtfId of) {
  const ::btf* btf = of.btf;
  const uint32_t id = Strip(btf, of.id);
  if (id == 0) return types_.None();
  const ::btf* base = btf__base_btf(btf);
  if (base != nullptr && id < btf__type_cnt(base)) return FromBtf({base, id});
  of = {btf, id};
  const Type*& known = by_id_[of];
  if (known != nullptr) return known;
  const ::btf_type* type = btf__type_by_id(btf, id);
  switch (btf_kind(type)) {
    case BTF_KIND_INT: return known = MakeInt(of);
    case BTF_KIND_FLOAT: return known = types_.Int(type->size == 4 ? 32 : 64, false);
    case BTF_KIND_ENUM:
    case BTF_KIND_ENUM64: return known = MakeEnum(of);
    case BTF_KIND_PTR: return known = MakePointer({btf, type->type});
    case BTF_KIND_ARRAY: return known = MakeArray(of);
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION: return known = MakeStruct(of);
    case BTF_KIND_FWD: {
      const uint32_t full =
          host_.FindBtfType(std::string(NameAt(btf, type->name_off)), btf_kflag(type) ? BTF_KIND_UNION : BTF_KIND_STRUCT);
      return known = full != 0 ? FromBtf({host_.KernelBtf(), full}) : types_.None();
    }
    default: return known = types_.None();  // functions: only ever pointed to
  }
}

const Type* TypeSource::MakeInt(BtfId of) {
  const ::btf_type* type = btf__type_by_id(of.btf, of.id);
  const uint8_t encoding = btf_int_encoding(type);
  if ((encoding & BTF_INT_BOOL) != 0 && type->size == 1) return types_.Bool();
  if (type->size > 8) return types_.Array(types_.Int(64, false), type->size / 8);
  return types_.Int(type->size * 8, (encoding & BTF_INT_SIGNED) != 0);
}

const Type* TypeSource::MakeEnum(BtfId of) {
  const ::btf* btf = of.btf;
  const ::btf_type* type = btf__type_by_id(btf, of.id);
  EnumInfo* info = types_.NewEnum("enum " + std::string(NameAt(btf, type->name_off)));
  const bool is_signed = btf_kflag(type);
  for (uint32_t i = 0; i < btf_vlen(type); ++i) {
    if (btf_kind(type) == BTF_KIND_ENUM64) {
      const struct btf_enum64& row = btf_enum64(type)[i];
      info->values.emplace_back(NameAt(btf, row.name_off), static_cast<int64_t>(btf_enum64_value(&row)));
    } else {
      const struct btf_enum& row = btf_enum(type)[i];
      info->values.emplace_back(NameAt(btf, row.name_off),
                                is_signed ? int64_t{row.val} : int64_t{static_cast<uint32_t>(row.val)});
    }
  }
  return types_.Enum(info, type->size * 8, is_signed);
}

const Type* TypeSource::MakePointer(BtfId pointee) {
  const ::btf* btf = pointee.btf;
  AddressSpace space = AddressSpace::Kernel;
  for (uint32_t id = pointee.id; id != 0;) {
    const ::btf_type* type = btf__type_by_id(btf, id);
    if (!IsModifier(type)) break;
    if (btf_kind(type) == BTF_KIND_TYPE_TAG && NameAt(btf, type->name_off) == kUserTag) space = AddressSpace::User;
    id = type->type;
  }
  return types_.Pointer(FromBtf(pointee), space);
}

const Type* TypeSource::MakeArray(BtfId of) {
  const ::btf* btf = of.btf;
  const struct btf_array* array = btf_array(btf__type_by_id(btf, of.id));
  if (array->nelems > 0 && IsChar(btf, array->type)) return types_.String(array->nelems);
  return types_.Array(FromBtf({btf, array->type}), array->nelems);
}

const Type* TypeSource::MakeStruct(BtfId of) {
  const ::btf* btf = of.btf;
  const ::btf_type* type = btf__type_by_id(btf, of.id);
  const bool is_union = btf_is_union(type);
  StructInfo* info = types_.NewStruct((is_union ? "union " : "struct ") + std::string(NameAt(btf, type->name_off)));
  info->size = type->size;
  info->alignment = AlignmentFor(type->size);
  info->is_union = is_union;
  info->load = [this, of](std::vector<StructField>& fields) { LoadFields(of, fields); };
  return types_.Struct(info);
}

void TypeSource::LoadFields(BtfId of, std::vector<StructField>& fields) {
  const ::btf* btf = of.btf;
  const ::btf_type* type = btf__type_by_id(btf, of.id);
  for (uint32_t i = 0; i < btf_vlen(type); ++i) {
    const struct btf_member& member = btf_members(type)[i];
    StructField& field = fields.emplace_back();
    field.name = NameAt(btf, member.name_off);
    field.type = FromBtf({btf, member.type});
    const uint32_t bit = btf_member_bit_offset(type, i);
    field.bit_size = btf_member_bitfield_size(type, i);
    field.offset = bit / 8;
    if (field.bit_size == 0) continue;
    // Of the integers of the field's type, the one that it lies in; a packed one may cross their border.
    const uint32_t width = std::max(8u, SizeOfType(field.type) * 8);
    if (bit % width + field.bit_size <= width) field.offset = bit / width * (width / 8);
    field.bit_offset = bit - field.offset * 8;
  }
}

void TypeSource::IndexEnumerators() {
  if (std::exchange(indexed_, true)) return;
  const ::btf* btf = host_.KernelBtf();
  if (btf == nullptr) return;
  for (uint32_t id = 1; id < btf__type_cnt(btf); ++id) {
    const ::btf_type* type = btf__type_by_id(btf, id);
    const bool wide = btf_kind(type) == BTF_KIND_ENUM64;
    if (!wide && btf_kind(type) != BTF_KIND_ENUM) continue;
    for (uint32_t i = 0; i < btf_vlen(type); ++i) {
      const uint32_t name = wide ? btf_enum64(type)[i].name_off : btf_enum(type)[i].name_off;
      const int64_t narrow =
          btf_kflag(type) ? int64_t{btf_enum(type)[i].val} : int64_t{static_cast<uint32_t>(btf_enum(type)[i].val)};
      const int64_t value = wide ? static_cast<int64_t>(btf_enum64_value(&btf_enum64(type)[i])) : narrow;
      enumerators_.try_emplace(NameAt(btf, name), Enumerator{id, value});
    }
  }
}

// The parameters of a function as the kernel hands them to programs: in slots of 8 bytes.
const Type* TypeSource::Arguments(const std::string& struct_name, BtfId function, uint32_t skipped) {
  const ::btf* btf = function.btf;
  const ::btf_type* prototype = btf__type_by_id(btf, btf__type_by_id(btf, function.id)->type);
  CHECK(btf_is_func_proto(prototype));
  StructInfo* info = types_.NewStruct(struct_name);
  constexpr uint32_t kSlot = 8;
  for (uint32_t i = skipped; i < btf_vlen(prototype); ++i) {
    const struct btf_param& parameter = btf_params(prototype)[i];
    if (parameter.type == 0) break;  // `...`
    StructField& field = info->fields.emplace_back();
    field.name = NameAt(btf, parameter.name_off);
    field.type = FromBtf({btf, parameter.type});
    field.offset = info->size;
    info->size += std::max(kSlot, (SizeOfType(field.type) + kSlot - 1) / kSlot * kSlot);
  }
  info->alignment = kSlot;
  return types_.Struct(info);
}

TypeSource::BtfId TypeSource::FindFunction(const std::string& module, const std::string& name) {
  if (module.empty() || module == "vmlinux") return {host_.KernelBtf(), host_.FindBtfType(name, BTF_KIND_FUNC)};
  const ::btf* btf = host_.ModuleBtf(module);
  return {btf, btf == nullptr ? 0 : FindModuleFunction(btf, name)};
}

const Type* TypeSource::RawTracepointArgs(const std::string& module, const std::string& event) {
  const BtfId function = FindFunction(module, "__traceiter_" + event);
  if (function.id == 0) return nullptr;
  return Arguments("struct rawtracepoint:" + event + "_args", function, 1);  // the first is the tracepoint's own `void *__data`
}

const Type* TypeSource::FunctionArgs(const std::string& module, const std::string& function) {
  const BtfId found = FindFunction(module, function);
  return found.id == 0 ? nullptr : Arguments("struct " + function + "_args", found, 0);
}

TypeSource::ReturnValue TypeSource::FunctionResult(const std::string& module, const std::string& function) {
  const BtfId found = FindFunction(module, function);
  if (found.id == 0) return {};
  const uint32_t result = btf__type_by_id(found.btf, btf__type_by_id(found.btf, found.id)->type)->type;
  return {result == 0 ? types_.None() : FromBtf({found.btf, result}), FunctionArgs(module, function)->info->size};
}

}  // namespace kawk
