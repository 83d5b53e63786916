// Functions of imported C: their types, and whether calls fit them.
#include <fmt/format.h>

#include "ast/cdecl_parser.h"
#include "ast/passes/check.h"
#include "ast/passes/passes.h"

namespace kawk {
namespace {

const Type* TypeOfC(const std::string& text, TypeSource& source) {
  TypeTable& types = source.types();
  if (text == "void") return types.None();
  const Type* type = CParser(LexC(text), source).TypeName();
  if (type == nullptr && text.ends_with('*'))
    type = types.Pointer(types.None(), AddressSpace::Kernel);  // of a struct unknown here
  return type != nullptr ? type : types.Int(64, true);
}

std::string Usage(const CFunctionInfo& function) {
  std::string usage = function.name + "(";
  for (size_t i = 0; i < function.params.size(); ++i) {
    usage += fmt::format("{}{} {}", i > 0 ? ", " : "", ToString(function.params[i]), function.names[i]);
  }
  return usage + ")";
}

}  // namespace

std::vector<CFunctionInfo> ResolveCFunctions(const ScriptInput& input, TypeSource& source) {
  std::vector<CFunctionInfo> functions;
  for (const CFunction& function : input.c_functions) {
    CFunctionInfo& info = functions.emplace_back();
    info.name = function.name;
    info.result = TypeOfC(function.result, source);
    for (const CFunction::Param& param : function.params) {
      info.names.push_back(param.name.empty() ? fmt::format("{}", info.names.size() + 1) : param.name);
      info.params.push_back(TypeOfC(param.type, source));
    }
  }
  return functions;
}

void CallChecker::CheckC(const Call& call, const CFunctionInfo& function) {
  if (call.args.size() != function.params.size()) {
    const std::string wanted = fmt::format("{} argument{}", function.params.size(), function.params.size() == 1 ? "" : "s");
    diagnostics_.EmitWithHint(Diag::ArgumentCount, call.location, "write `" + Usage(function) + "`", call.name, wanted,
                              call.args.size());
    return;
  }
  for (size_t i = 0; i < call.args.size(); ++i) {
    const Type* type = typed_.TypeOf(call.args[i]);
    if (type == nullptr) continue;
    const Type* wanted = function.params[i];
    const bool text = wanted->is(TypeKind::Pointer) && SizeOfType(wanted->element) <= 1 && type->is(TypeKind::String);
    const bool number = type->IsInteger() || typed_.types->AggregateInt(type) != nullptr;
    if (text || (wanted->is(TypeKind::Pointer) ? type->is(TypeKind::Pointer) : number)) continue;
    diagnostics_.EmitWithHint(Diag::ArgumentClass, call.args[i]->location, "write `" + Usage(function) + "`", call.name,
                              ToString(wanted), function.names[i], ToString(type));
  }
}

}  // namespace kawk
