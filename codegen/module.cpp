// Maps become variables in the section .maps whose debug types libbpf reads (a struct of pointers, the sizes coded as array
// lengths); the globals are one struct in .bss so that the Image can name offsets in it.
#include "codegen/module.h"

#include <linux/bpf.h>
#include <linux/btf.h>
#include <llvm/BinaryFormat/Dwarf.h>

#include "ast/walk.h"
#include "base/check.h"
#include "codegen/key_classes.h"
#include "codegen/object.h"
#include "runtime/image/buckets.h"
#include "runtime/image/unwind.h"

namespace kawk {
namespace {

constexpr uint64_t kStackMapEntries = 65536;

// By index of the map: whether some clear() or zero() names it.
std::vector<bool> ClearedMaps(const Typed& typed) {
  std::vector<bool> cleared(typed.maps.size());
  Walker walker;
  walker.on_expr = [&](const Expr& expr) {
    const auto* call = As<Call>(&expr);
    if (call == nullptr || call->args.empty()) return;
    const std::optional<FunctionId> function = typed.Info(call).function;
    if (function != FunctionId::Clear && function != FunctionId::Zero) return;
    if (const auto* map = As<MapRef>(call->args[0])) cleared[typed.Info(map).map] = true;
  };
  for (const ProbeUnit& unit : typed.units) walker.Walk(*unit.probe);
  return cleared;
}

constexpr uint32_t kUsualBuckets = 16;
constexpr uint64_t kMostElements = 1 << 20;

std::string ObjectName(const std::string& map) { return map == "@" ? "AT_" : "AT_" + map.substr(1); }
uint32_t RoundUp(uint32_t n, uint32_t to) { return (n + to - 1) / to * to; }

}  // namespace

image::MapStorage StorageOf(const MapInfo& map) {
  if (map.key == nullptr) return map.value->IsAggregate() ? image::MapStorage::PerCpuArray : image::MapStorage::Global;
  return map.value->IsAggregate() ? image::MapStorage::PerCpuHash : image::MapStorage::Hash;
}

uint32_t BucketsOf(const Type* type) {
  if (type->is(TypeKind::Hist)) return image::HistBuckets(type->hist_bits);
  if (type->is(TypeKind::Tseries)) return type->series_length;
  return image::LhistBuckets(type->lhist_min, type->lhist_max, type->lhist_step);
}

uint32_t PaddedKeySize(const Type* key) { return RoundUp(SizeOfType(key), 8); }

ModuleBuilder::ModuleBuilder(const Typed& typed, const SourceMap& sources, const GenerateOptions& options)
    : typed_(typed), options_(options) {
  module_ = std::make_unique<llvm::Module>("kawk", context_);
  PrepareModule(*module_);
  module_->addModuleFlag(llvm::Module::Warning, "Debug Info Version", llvm::DEBUG_METADATA_VERSION);
  debug_ = std::make_unique<llvm::DIBuilder>(*module_);
  for (uint32_t i = 0; i < sources.size(); ++i) {
    // With the text inside, line info works for scripts that are no file.
    files_.push_back(debug_->createFile(sources.name(i), "", std::nullopt, sources.text(i)));
  }
  compile_unit_ = debug_->createCompileUnit(llvm::dwarf::DW_LANG_C, files_[0], "kawk", true, "", 0);
  image_.types.push_back({});  // None
  for (uint32_t file = 0; file < sources.size(); ++file) image_.sources.push_back({sources.name(file), sources.text(file)});
  const kawk::Config& config = typed.config;
  image_.config = {.ring_pages = config.perf_rb_pages,
                   .max_cat_bytes = config.max_cat_bytes,
                   .print_maps_on_exit = config.print_maps_on_exit,
                   .missing_probes = config.missing_probes,
                   .trunc_trailer = config.str_trunc_trailer,
                   .cpp_demangle = config.cpp_demangle,
                   .lazy_symbolication = config.lazy_symbolication,
                   .log_size = config.log_size};
  auto* license = llvm::ConstantDataArray::getString(context_, config.license);
  auto* variable =
      new llvm::GlobalVariable(*module_, license->getType(), true, llvm::GlobalValue::ExternalLinkage, license, "LICENSE");
  variable->setSection("license");
  MakeGlobals();
  MakeMaps();
}

llvm::DIType* ModuleBuilder::DebugInt(uint32_t bits, bool is_signed) {
  const std::string name = (is_signed ? "s" : "u") + std::to_string(bits);
  return debug_->createBasicType(name, bits, is_signed ? llvm::dwarf::DW_ATE_signed : llvm::dwarf::DW_ATE_unsigned);
}

llvm::DIType* ModuleBuilder::DebugBytes(uint64_t size) {
  auto* byte = debug_->createBasicType("u8", 8, llvm::dwarf::DW_ATE_unsigned);
  return debug_->createArrayType(size * 8, 8, byte,
                                 debug_->getOrCreateArray({debug_->getOrCreateSubrange(0, static_cast<int64_t>(size))}));
}

llvm::DIType* ModuleBuilder::DebugMembers(const Type* type) {
  const std::vector<uint32_t> offsets = MemberOffsets(type);
  std::vector<llvm::Metadata*> members;
  for (size_t i = 0; i < type->members.size(); ++i) {
    const Type* member = type->members[i];
    const std::string name = type->is(TypeKind::Record) ? type->names[i] : "f" + std::to_string(i);
    members.push_back(debug_->createMemberType(compile_unit_, name, files_[0], 0, SizeOfType(member) * 8ull, 0, offsets[i] * 8ull,
                                               llvm::DINode::FlagZero, Debug(member)));
  }
  return debug_->createStructType(compile_unit_, "", files_[0], 0, SizeOfType(type) * 8ull, 0, llvm::DINode::FlagZero, nullptr,
                                  debug_->getOrCreateArray(members));
}

llvm::DIType* ModuleBuilder::Debug(const Type* type) {
  switch (type->kind) {
    case TypeKind::Bool: return DebugInt(8, false);
    case TypeKind::Int:
    case TypeKind::Enum: return DebugInt(type->bits, type->is_signed);
    case TypeKind::Pointer: return DebugInt(64, false);
    case TypeKind::Tuple:
    case TypeKind::Record: return type->members.empty() ? DebugBytes(SizeOfType(type)) : DebugMembers(type);
    case TypeKind::Count:
    case TypeKind::Hist:
    case TypeKind::Lhist: return DebugInt(64, false);
    case TypeKind::Sum: return DebugInt(64, type->is_signed);
    default: return DebugBytes(SizeOfType(type));
  }
}

void ModuleBuilder::MakeGlobals() {
  struct Part {
    std::string name;
    llvm::DIType* type;
    uint32_t offset, size;
  };
  std::vector<Part> parts;
  uint32_t offset = sizeof(image::ProgramState);
  parts.push_back({"state", DebugBytes(offset), 0, offset});
  image_.loss_offset = offset;
  const uint32_t losses = static_cast<uint32_t>(typed_.units.size()) * image::kLossCauses * 8;
  parts.push_back({"losses", DebugBytes(losses), offset, losses});
  offset += losses;
  if (options_.read_warnings) {
    read_warnings_offset_ = offset;
    const uint32_t bytes = static_cast<uint32_t>(typed_.units.size()) * 8;
    parts.push_back({"read_warnings", DebugBytes(bytes), offset, bytes});
    offset += bytes;
  }
  const std::vector<bool> cleared = ClearedMaps(typed_);
  for (size_t i = 0; i < typed_.maps.size(); ++i) {
    const MapInfo& map = typed_.maps[i];
    image::MapSpec spec;
    spec.has_epochs = cleared[i];
    if (spec.has_epochs) {
      spec.epoch_offset = offset;
      parts.push_back(
          {ObjectName(map.name) + "_epoch", DebugBytes(sizeof(image::EpochState)), offset, sizeof(image::EpochState)});
      offset += sizeof(image::EpochState);
    }
    spec.name = map.name;
    spec.storage = StorageOf(map);
    spec.key = map.key != nullptr ? TypeOf(map.key) : 0;
    spec.value = TypeOf(map.value);
    if (spec.storage == image::MapStorage::Global) {
      offset = RoundUp(offset, 8);
      spec.global_offset = offset;
      const uint32_t value = RoundUp(SizeOfType(map.value), 8);
      if (spec.has_epochs) {
        const uint32_t copies = image::kEpochCopies * (value + 8);
        parts.push_back({ObjectName(map.name), DebugBytes(copies), offset, copies});
        offset += copies;
      } else {
        parts.push_back({ObjectName(map.name), Debug(map.value), offset, SizeOfType(map.value)});
        parts.push_back({ObjectName(map.name) + "_set", DebugInt(64, false), offset + value, 8});
        offset += value + 8;
      }
    }
    image_.maps.push_back(spec);
  }
  std::vector<llvm::Metadata*> members;
  for (const Part& part : parts) {
    if (part.size == 0) continue;
    members.push_back(debug_->createMemberType(compile_unit_, part.name, files_[0], 0, part.size * 8ull, 0, part.offset * 8ull,
                                               llvm::DINode::FlagZero, part.type));
  }
  auto* type = debug_->createStructType(compile_unit_, "kawk_globals", files_[0], 0, offset * 8ull, 64, llvm::DINode::FlagZero,
                                        nullptr, debug_->getOrCreateArray(members));
  auto* storage = llvm::ArrayType::get(llvm::Type::getInt8Ty(context_), offset);
  globals_ = new llvm::GlobalVariable(*module_, storage, false, llvm::GlobalValue::ExternalLinkage,
                                      llvm::ConstantAggregateZero::get(storage), "kawk_globals");
  globals_->setSection(".bss");
  globals_->setAlignment(llvm::Align(8));
  globals_->setDSOLocal(true);
  globals_->addDebugInfo(debug_->createGlobalVariableExpression(compile_unit_, "kawk_globals", "", files_[0], 0, type, false));
}

llvm::Constant* ModuleBuilder::Global(uint32_t offset) {
  auto* i8 = llvm::Type::getInt8Ty(context_);
  return llvm::ConstantExpr::getGetElementPtr(i8, globals_, llvm::ConstantInt::get(llvm::Type::getInt64Ty(context_), offset));
}

uint32_t ModuleBuilder::LossOffset(uint32_t program, image::LossCause cause) const {
  return image_.loss_offset + (program * image::kLossCauses + static_cast<uint32_t>(cause)) * 8;
}

llvm::GlobalVariable* ModuleBuilder::MakeMap(const std::string& name, uint32_t type, llvm::DIType* key, llvm::DIType* value,
                                             uint64_t max_entries, uint32_t flags) {
  auto* integer = debug_->createBasicType("int", 32, llvm::dwarf::DW_ATE_signed);
  std::vector<llvm::Metadata*> members;
  auto add = [&](const char* member, llvm::DIType* pointee) {
    members.push_back(debug_->createMemberType(compile_unit_, member, files_[0], 0, 64, 64, members.size() * 64,
                                               llvm::DINode::FlagZero, debug_->createPointerType(pointee, 64)));
  };
  auto add_number = [&](const char* member, uint64_t number) {
    auto* range = debug_->getOrCreateSubrange(0, static_cast<int64_t>(number));
    add(member, debug_->createArrayType(number * 32, 32, integer, debug_->getOrCreateArray({range})));
  };
  add_number("type", type);
  add_number("max_entries", max_entries);
  if (flags != 0) add_number("map_flags", flags);
  if (key != nullptr) add("key", key);
  if (value != nullptr) add("value", value);
  const uint64_t size = members.size() * 8;
  auto* definition = debug_->createStructType(compile_unit_, "", files_[0], 0, size * 8, 64, llvm::DINode::FlagZero, nullptr,
                                              debug_->getOrCreateArray(members));
  auto* storage = llvm::ArrayType::get(llvm::Type::getInt64Ty(context_), members.size());
  auto* variable = new llvm::GlobalVariable(*module_, storage, false, llvm::GlobalValue::ExternalLinkage,
                                            llvm::ConstantAggregateZero::get(storage), name);
  variable->setSection(".maps");
  variable->setAlignment(llvm::Align(8));
  variable->setDSOLocal(true);
  variable->addDebugInfo(debug_->createGlobalVariableExpression(compile_unit_, name, "", files_[0], 0, definition, false));
  return variable;
}

void ModuleBuilder::MakeMaps() {
  const std::vector<bool> split = SplitMaps(typed_);
  short_map_variables_.resize(typed_.maps.size());
  for (size_t i = 0; i < typed_.maps.size(); ++i) {
    const MapInfo& map = typed_.maps[i];
    image::MapSpec& spec = image_.maps[i];
    map_variables_.push_back(nullptr);
    if (spec.storage == image::MapStorage::Global) continue;
    spec.object_name = ObjectName(map.name);
    spec.max_entries = map.max_entries != 0 ? map.max_entries : typed_.config.max_map_keys;
    const bool bucketed = map.value->IsBucketed();
    llvm::DIType* value = Debug(map.value);
    if (spec.storage == image::MapStorage::PerCpuArray) {
      // A slot is followed by its `set` word; a histogram has a slot per bucket and needs none.
      spec.max_entries = (bucketed ? BucketsOf(map.value) : 1) * (spec.has_epochs ? image::kEpochCopies : 1);
      if (!bucketed) value = DebugBytes(SizeOfType(map.value) + 8);
      map_variables_[i] = MakeMap(spec.object_name, BPF_MAP_TYPE_PERCPU_ARRAY, DebugInt(32, false), value, spec.max_entries);
      continue;
    }
    llvm::DIType* key = Debug(map.key);
    const uint32_t epoch_bytes = spec.has_epochs ? 8 : 0;
    if (bucketed || spec.has_epochs)
      key = DebugBytes(epoch_bytes + (bucketed ? PaddedKeySize(map.key) + 8 : SizeOfType(map.key)));
    if (spec.has_epochs) spec.max_entries *= 2;  // the old epoch's elements are there until the runtime has deleted them
    uint32_t flags = 0;
    if (bucketed) {
      // A key has several elements, mostly few of those it may have: made when they are needed.
      spec.max_entries = std::min<uint64_t>(spec.max_entries * std::min(BucketsOf(map.value), kUsualBuckets), kMostElements);
      if (!map.lru) flags = BPF_F_NO_PREALLOC;
    }
    const bool per_cpu = spec.storage == image::MapStorage::PerCpuHash;
    const uint32_t shared_type = map.lru ? BPF_MAP_TYPE_LRU_HASH : BPF_MAP_TYPE_HASH;
    const uint32_t per_cpu_type = map.lru ? BPF_MAP_TYPE_LRU_PERCPU_HASH : BPF_MAP_TYPE_PERCPU_HASH;
    const uint32_t type = per_cpu ? per_cpu_type : shared_type;
    map_variables_[i] = MakeMap(spec.object_name, type, key, value, spec.max_entries, flags);
    if (!split[i]) continue;
    spec.short_object_name = spec.object_name + "_short";
    llvm::DIType* short_key = DebugBytes(epoch_bytes + image::kShortKeyBytes);
    short_map_variables_[i] = MakeMap(spec.short_object_name, type, short_key, value, spec.max_entries, flags);
  }
}

llvm::GlobalVariable* ModuleBuilder::Ring() {
  image_.uses_ring = true;
  if (ring_ == nullptr) ring_ = MakeMap(image::kRingMap, BPF_MAP_TYPE_RINGBUF, nullptr, nullptr, 4096);
  return ring_;
}

llvm::GlobalVariable* ModuleBuilder::Packets() {
  llvm::DIType* number = DebugInt(32, false);
  if (packets_ == nullptr) packets_ = MakeMap(image::kPacketMap, BPF_MAP_TYPE_PERF_EVENT_ARRAY, number, number, 0);
  return packets_;
}

llvm::GlobalVariable* ModuleBuilder::UnwindProcesses() {
  if (unwind_processes_ == nullptr) {
    unwind_processes_ = MakeMap(image::kUnwindProcessMap, BPF_MAP_TYPE_HASH, DebugInt(32, false),
                                DebugBytes(sizeof(image::UnwindProcess)), image::kUnwindProcesses, BPF_F_NO_PREALLOC);
  }
  return unwind_processes_;
}

llvm::GlobalVariable* ModuleBuilder::UnwindTables() {
  llvm::DIType* number = DebugInt(32, false);
  if (unwind_tables_ == nullptr) {
    unwind_tables_ = MakeMap(image::kUnwindTableMap, BPF_MAP_TYPE_ARRAY_OF_MAPS, number, number, image::kUnwindTables);
  }
  return unwind_tables_;
}

llvm::GlobalVariable* ModuleBuilder::Scratch() {
  if (scratch_ == nullptr) {
    // Its debug type, and so its value size, is known only when all programs are: see Finish.
    auto* storage = llvm::ArrayType::get(llvm::Type::getInt64Ty(context_), 1);
    scratch_ =
        new llvm::GlobalVariable(*module_, storage, false, llvm::GlobalValue::ExternalLinkage, nullptr, "kawk_scratch_later");
  }
  return scratch_;
}

llvm::GlobalVariable* ModuleBuilder::KernelVariable(const std::string& name) {
  llvm::GlobalVariable*& variable = kernel_variables_[name];
  if (variable != nullptr) return variable;
  variable = new llvm::GlobalVariable(*module_, llvm::Type::getInt64Ty(context_), true, llvm::GlobalValue::ExternalLinkage,
                                      nullptr, name);
  variable->setSection(".ksyms");
  // libbpf wants a type of the same kind, and looks no deeper.
  const uint32_t kind = typed_.source->KindOfVariable(name);
  llvm::DIType* type = DebugInt(64, false);
  if (kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION) {
    type = kind == BTF_KIND_STRUCT ? debug_->createStructType(compile_unit_, "kawk_ksym", files_[0], 0, 0, 8,
                                                              llvm::DINode::FlagZero, nullptr, debug_->getOrCreateArray({}))
                                   : debug_->createUnionType(compile_unit_, "kawk_ksym", files_[0], 0, 0, 8,
                                                             llvm::DINode::FlagZero, debug_->getOrCreateArray({}));
  } else if (kind == BTF_KIND_PTR) {
    type = debug_->createPointerType(nullptr, 64);
  } else if (kind == BTF_KIND_ARRAY) {
    type = DebugBytes(8);
  }
  variable->addDebugInfo(debug_->createGlobalVariableExpression(compile_unit_, name, "", files_[0], 0, type,
                                                                /*IsLocalToUnit=*/false, /*isDefined=*/false));
  return variable;
}

uint32_t ModuleBuilder::StackMap(bool user, uint32_t limit) {
  for (uint32_t i = 0; i < image_.stack_maps.size(); ++i) {
    if (image_.stack_maps[i].user == user && image_.stack_maps[i].limit == limit) return i;
  }
  const std::string name = (user ? "ustack_" : "kstack_") + std::to_string(limit);
  stack_variables_.push_back(
      MakeMap(name, BPF_MAP_TYPE_HASH, DebugInt(64, false), DebugBytes(8ull * limit), kStackMapEntries, BPF_F_NO_PREALLOC));
  image_.stack_maps.push_back({name, limit, user});
  return static_cast<uint32_t>(image_.stack_maps.size() - 1);
}

FunctionFrame ModuleBuilder::MakeFunction(const std::string& name, FunctionKind kind, const Location& at) {
  struct Parameter {
    const char* name;
    llvm::Type* type;
    llvm::DIType* debug;
  };
  llvm::Type* pointer = llvm::PointerType::get(context_, 0);
  llvm::DIType* debug_pointer = debug_->createPointerType(nullptr, 64);
  std::vector<Parameter> parameters;
  if (kind == FunctionKind::LoopBody) parameters.push_back({"index", llvm::Type::getInt32Ty(context_), DebugInt(32, false)});
  if (kind == FunctionKind::MapBody) {
    for (const char* name : {"map", "key", "value"}) parameters.push_back({name, pointer, debug_pointer});
  }
  const bool body = kind == FunctionKind::LoopBody || kind == FunctionKind::MapBody;
  parameters.push_back({body ? "frame" : "ctx", pointer, debug_pointer});
  if (kind == FunctionKind::Unit) parameters.push_back({"target", llvm::Type::getInt64Ty(context_), DebugInt(64, false)});

  std::vector<llvm::Type*> types;
  std::vector<llvm::Metadata*> debug_types{DebugInt(64, true)};
  for (const Parameter& parameter : parameters) {
    types.push_back(parameter.type);
    debug_types.push_back(parameter.debug);
  }
  const bool internal = kind != FunctionKind::Program;
  auto* type = llvm::FunctionType::get(llvm::Type::getInt64Ty(context_), types, false);
  const auto linkage = internal ? llvm::GlobalValue::InternalLinkage : llvm::GlobalValue::ExternalLinkage;
  auto* function = llvm::Function::Create(type, linkage, name, *module_);
  function->addFnAttr(llvm::Attribute::NoUnwind);
  if (internal) {
    function->addFnAttr(llvm::Attribute::NoInline);  // each has a stack of its own
  } else {
    function->setSection("kawk/" + name);
  }
  llvm::DIFile* file = files_[at.file];
  auto flags = llvm::DISubprogram::SPFlagDefinition | llvm::DISubprogram::SPFlagOptimized;
  // The verifier checks a static function with what its callers pass, a global one on its own.
  if (internal) flags |= llvm::DISubprogram::SPFlagLocalToUnit;
  auto* signature = debug_->createSubroutineType(debug_->getOrCreateTypeArray(debug_types));
  auto* subprogram = debug_->createFunction(file, name, name, file, at.begin.line, signature, at.begin.line,
                                            llvm::DINode::FlagPrototyped, flags);
  // BTF has a name for every parameter only where debug info has a variable for it.
  for (size_t i = 0; i < parameters.size(); ++i) {
    const auto number = static_cast<unsigned>(i + 1);
    debug_->createParameterVariable(subprogram, parameters[i].name, number, file, at.begin.line, parameters[i].debug, true);
  }
  function->setSubprogram(subprogram);
  return {function, subprogram};
}

llvm::Constant* ModuleBuilder::Bytes(const std::string& bytes) {
  auto* data = llvm::ConstantDataArray::getString(context_, bytes, false);
  auto* variable = new llvm::GlobalVariable(*module_, data->getType(), true, llvm::GlobalValue::InternalLinkage, data, "bytes");
  variable->setSection(".rodata");
  variable->setAlignment(llvm::Align(8));
  variable->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
  return variable;
}

uint32_t ModuleBuilder::AddEvent(image::EventSpec event) {
  Ring();
  image_.events.push_back(std::move(event));
  return static_cast<uint32_t>(image_.events.size() - 1);
}

void ModuleBuilder::Finish() {
  if (scratch_ != nullptr) {
    image_.uses_scratch = true;
    auto* value = DebugBytes(RoundUp(scratch_bytes_, 8) + 8);
    llvm::GlobalVariable* map = MakeMap(image::kScratchMap, BPF_MAP_TYPE_ARRAY, DebugInt(32, false), value, image::kScratchSlots);
    scratch_->replaceAllUsesWith(map);
    scratch_->eraseFromParent();
  }
  debug_->finalize();
}

}  // namespace kawk
