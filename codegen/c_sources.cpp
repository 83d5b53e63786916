#include "codegen/c_sources.h"

#include <fmt/format.h>
#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/IR/DebugInfoMetadata.h>
#include <llvm/IR/Module.h>
#include <llvm/Linker/Linker.h>

#include <set>

#include "codegen/program.h"

namespace kawk {
namespace {

Result<std::unique_ptr<llvm::Module>> ReadBitcode(llvm::LLVMContext& context, const std::vector<uint8_t>& bitcode) {
  const llvm::MemoryBufferRef buffer({reinterpret_cast<const char*>(bitcode.data()), bitcode.size()}, "bitcode");
  llvm::Expected<std::unique_ptr<llvm::Module>> module = llvm::parseBitcodeFile(buffer, context);
  if (module) return std::move(*module);
  return Error{"cannot read what clang made: " + llvm::toString(module.takeError()), "clang 19 or older is needed"};
}

// A type of C as the language writes it; empty for what a call cannot pass.
std::string TypeText(const llvm::DIType* type) {
  if (type == nullptr) return "void";
  if (const auto* basic = llvm::dyn_cast<llvm::DIBasicType>(type)) {
    const bool is_signed = basic->getSignedness() == llvm::DIBasicType::Signedness::Signed;
    if (basic->getEncoding() == llvm::dwarf::DW_ATE_boolean) return "bool";
    if (!basic->getSignedness() || basic->getSizeInBits() > 64) return "";
    return fmt::format("{}int{}", is_signed ? "" : "u", basic->getSizeInBits());
  }
  if (const auto* derived = llvm::dyn_cast<llvm::DIDerivedType>(type)) {
    if (derived->getTag() != llvm::dwarf::DW_TAG_pointer_type) return TypeText(derived->getBaseType());
    const llvm::DIType* pointee = derived->getBaseType();
    while (const auto* inner = llvm::dyn_cast_or_null<llvm::DIDerivedType>(pointee)) {
      if (inner->getTag() == llvm::dwarf::DW_TAG_pointer_type) break;
      pointee = inner->getBaseType();
    }
    const auto* body = llvm::dyn_cast_or_null<llvm::DICompositeType>(pointee);
    const bool named = body != nullptr && !body->getName().empty() && body->getTag() != llvm::dwarf::DW_TAG_array_type;
    const char* tag = named && body->getTag() == llvm::dwarf::DW_TAG_union_type ? "union" : "struct";
    if (named) return fmt::format("{} {} *", tag, body->getName().str());
    const std::string text = body != nullptr ? "" : TypeText(pointee);
    return (text.empty() ? "void" : text) + " *";
  }
  const auto* composite = llvm::dyn_cast<llvm::DICompositeType>(type);
  const bool is_enum = composite != nullptr && composite->getTag() == llvm::dwarf::DW_TAG_enumeration_type;
  return is_enum ? fmt::format("uint{}", composite->getSizeInBits()) : "";
}

// The names that debug info has for the parameters.
std::vector<std::string> ParameterNames(const llvm::DISubprogram& subprogram, size_t count) {
  std::vector<std::string> names(count);
  for (const llvm::DINode* node : subprogram.getRetainedNodes()) {
    const auto* variable = llvm::dyn_cast<llvm::DILocalVariable>(node);
    if (variable != nullptr && variable->getArg() > 0 && variable->getArg() <= count) {
      names[variable->getArg() - 1] = variable->getName().str();
    }
  }
  return names;
}

std::optional<CFunction> Describe(const llvm::Function& function) {
  const llvm::DISubprogram* subprogram = function.getSubprogram();
  if (function.isDeclaration() || function.hasLocalLinkage() || function.hasSection() || subprogram == nullptr)
    return std::nullopt;
  const llvm::DITypeRefArray types = subprogram->getType()->getTypeArray();
  if (types.size() == 0 || function.isVarArg() || function.arg_size() != types.size() - 1) return std::nullopt;
  CFunction described{function.getName().str(), TypeText(types[0]), {}};
  const std::vector<std::string> names = ParameterNames(*subprogram, types.size() - 1);
  for (unsigned i = 1; i < types.size(); ++i) described.params.push_back({names[i - 1], TypeText(types[i])});
  if (described.result.empty()) return std::nullopt;
  for (const CFunction::Param& param : described.params) {
    if (param.type.empty() || param.type == "void") return std::nullopt;
  }
  return described;
}

}  // namespace

Result<std::vector<CFunction>> DescribeFunctions(const std::vector<uint8_t>& bitcode) {
  llvm::LLVMContext context;
  Result<std::unique_ptr<llvm::Module>> module = ReadBitcode(context, bitcode);
  if (!module) return module.error();
  std::vector<CFunction> functions;
  for (const llvm::Function& function : **module) {
    if (std::optional<CFunction> described = Describe(function)) functions.push_back(std::move(*described));
  }
  return functions;
}

Status LinkC(llvm::Module& module, const std::vector<uint8_t>& bitcode) {
  Result<std::unique_ptr<llvm::Module>> part = ReadBitcode(module.getContext(), bitcode);
  if (!part) return part.error();
  std::set<std::string> names;
  for (llvm::Function& function : **part) {
    function.removeFnAttr("target-cpu");  // else nothing of it could be inlined
    if (!function.isDeclaration() && !function.hasSection()) names.insert(function.getName().str());
  }
  if (llvm::GlobalVariable* license = (*part)->getNamedGlobal("LICENSE")) license->eraseFromParent();
  if (llvm::Linker::linkModules(module, std::move(*part))) return Error{"two imported files define the same function", ""};
  for (const std::string& name : names) {
    llvm::Function* function = module.getFunction(name);
    // The verifier looks at a static function with what its callers pass.
    if (function != nullptr && !function->isDeclaration()) function->setLinkage(llvm::GlobalValue::InternalLinkage);
  }
  return Ok{};
}

Value Program::CallC(const Call& call) {
  const CFunctionInfo& info = typed().c_functions[static_cast<size_t>(typed().Info(&call).c_function)];
  llvm::Function* function = module_.module().getFunction(info.name);
  CHECK(function != nullptr && function->arg_size() == call.args.size());
  std::vector<llvm::Value*> args;
  for (unsigned i = 0; i < call.args.size(); ++i) {
    const Type* from = ValueTypeOf(call.args[i]);
    llvm::Value* value = from->IsScalar() ? Scalar(call.args[i], info.params[i]) : Evaluate(call.args[i]).v;
    llvm::Type* wanted = function->getArg(i)->getType();
    if (wanted->isPointerTy() && value->getType()->isIntegerTy()) value = ir_.CreateIntToPtr(value, wanted);
    args.push_back(value);
  }
  llvm::CallInst* result = ir_.CreateCall(function, args);
  result->setAttributes(function->getAttributes());
  ForgetAll();  // it may have written to what it was given the address of
  if (info.result->is(TypeKind::None)) return {nullptr, info.result};
  return {info.result->is(TypeKind::Pointer) ? AsInteger(result) : result, info.result};
}

}  // namespace kawk
