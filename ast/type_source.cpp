// Names → types: the script's, the language's, C's, and last the kernel's.
#include "ast/type_source.h"

#include <utility>

#include "ast/c_integers.h"
#include "stdlib/constants.h"

namespace kawk {

const Type* TypeSource::Find(const std::string& name) {
  if (const auto found = known_.find(name); found != known_.end()) return found->second;
  const Type* type = types_.Named(name);
  if (type == nullptr) type = CInteger(name, types_);
  if (type != nullptr) return known_[name] = type;
  if (!program_.empty() && (type = FindInProgram(name)) != nullptr) return type;
  if (const auto found = of_kernel_.find(name); found != of_kernel_.end()) return found->second;
  type = FindInBtf(name);
  if (type == nullptr && ReadMissing()) return Find(name);
  of_kernel_[name] = type;
  return type;
}

const CMacro* TypeSource::FindMacro(const std::string& name) const {
  const auto found = macros_.find(name);
  return found == macros_.end() ? nullptr : &found->second;
}

bool TypeSource::KnowsValue(const std::string& name) const {
  return constants_.contains(name) || macros_.contains(name) || FindHeaderConstant(name);
}

void TypeSource::Define(const std::string& name, const Type* type) {
  const Type*& known = known_[name];
  if (fill_only_ && known == nullptr) known = FindInBtf(name);
  if (!fill_only_ || known == nullptr) known = type;
}

void TypeSource::DefineConstant(const std::string& name, NamedConstant constant) {
  if (!fill_only_ || !KnowsValue(name)) constants_[name] = std::move(constant);
}

void TypeSource::DefineMacro(const std::string& name, CMacro macro) {
  if (!fill_only_ || !KnowsValue(name)) macros_[name] = std::move(macro);
}

bool TypeSource::ReadMissing() {
  if (!on_missing_) return false;
  header_problem_ = std::exchange(on_missing_, nullptr)();
  return true;
}

std::optional<NamedConstant> TypeSource::FindConstant(const std::string& name) {
  if (const auto found = constants_.find(name); found != constants_.end()) return found->second;
  if (const std::optional<int64_t> value = FindHeaderConstant(name)) return NamedConstant{.value = *value};
  IndexEnumerators();
  const auto found = enumerators_.find(name);
  if (found == enumerators_.end() && ReadMissing()) return FindConstant(name);
  if (found == enumerators_.end()) return std::nullopt;
  const Type* type = FromBtf({host_.KernelBtf(), found->second.type});
  const bool wide = !type->is_signed && type->bits == 64;
  NamedConstant constant{.enumeration = type, .value = found->second.value};
  if (wide) constant.value = static_cast<uint64_t>(found->second.value);
  constants_[name] = constant;
  return constant;
}

}  // namespace kawk
