#include "ast/passes/arguments.h"

#include <fmt/format.h>

namespace kawk {
namespace {

struct ClassRow {
  ParamClass value;
  std::string_view text;
};
constexpr ClassRow kClassTexts[] = {
    {kMap, "a map"},      {kConstInt, "a constant integer"},
    {kInt, "an integer"}, {kLiteral, "a string literal"},
    {kStr, "a string"},   {kBool, "a bool"},
    {kPtr, "a pointer"},  {kStack, "a stack"},
    {kAny, "a value"},    {kType, "a type"},
};

// `a map or a value`
std::string Describe(uint16_t classes) {
  std::string text;
  for (const ClassRow& row : kClassTexts) {
    if ((classes & row.value) == 0) continue;
    if (!text.empty()) text += " or ";
    text += row.text;
  }
  return text;
}

// `print(value, [top], [div])`
std::string Usage(std::string_view name, const Signature& signature) {
  std::string usage = fmt::format("{}(", name);
  for (size_t i = 0; i < signature.params.size(); ++i) {
    const Param& param = signature.params[i];
    if (i > 0) usage += ", ";
    usage += param.optional ? fmt::format("[{}]", param.name) : param.name;
  }
  if (signature.variadic) usage += ", …";
  return usage + ")";
}

}  // namespace

std::string Plural(size_t count) { return fmt::format("{} argument{}", count, count == 1 ? "" : "s"); }

bool CheckArity(const Call& call, const Signature& signature, Diagnostics& diagnostics) {
  size_t least = 0;
  for (const Param& param : signature.params) least += param.optional ? 0 : 1;
  const size_t most = signature.params.size();
  const size_t given = call.args.size();
  if (given >= least && (signature.variadic || given <= most)) return true;
  const std::string wanted = signature.variadic ? "at least " + Plural(least)
                             : most == 0        ? "no arguments"
                             : least == most    ? Plural(most)
                             : least == 0       ? "at most " + Plural(most)
                                                : fmt::format("{} to {}", least, Plural(most));
  diagnostics.EmitWithHint(Diag::ArgumentCount, call.location, "write `" + Usage(call.name, signature) + "`", call.name, wanted,
                           given);
  return false;
}

uint16_t ClassesOf(const Expr& arg, const Typed& typed) {
  const ExprInfo& info = typed.Info(&arg);
  const Type* type = info.type;
  uint16_t classes = As<MapRef>(&arg) != nullptr ? kMap : 0;
  if (type == nullptr || type->is(TypeKind::None)) return classes;
  classes |= kAny;
  if (type->is(TypeKind::Int) || type->is(TypeKind::Enum) || typed.types->AggregateInt(type) != nullptr) classes |= kInt;
  if (type->is(TypeKind::Bool)) classes |= kBool | kInt;
  if ((classes & kInt) != 0 && info.integer) classes |= kConstInt;
  if (type->is(TypeKind::String)) classes |= kStr;
  if (type->is(TypeKind::String) && info.string) classes |= kLiteral;
  if (type->is(TypeKind::Pointer) || type->is(TypeKind::Array)) classes |= kPtr;  // an array stands for its address
  if (type->IsStack()) classes |= kStack;
  return classes;
}

bool CheckClasses(const Call& call, const Signature& signature, const Typed& typed, Diagnostics& diagnostics) {
  bool fits = true;
  for (size_t i = 0; i < call.args.size(); ++i) {
    const Expr& arg = *call.args[i];
    const Type* type = typed.TypeOf(&arg);
    const uint16_t is = ClassesOf(arg, typed);
    if (type == nullptr && is == 0) continue;  // an error was reported for it
    const uint16_t wanted = i < signature.params.size() ? signature.params[i].classes : uint16_t{kAny};
    if ((is & wanted) != 0) continue;
    fits = false;
    const std::string name = i < signature.params.size() ? signature.params[i].name : "value";
    diagnostics.Emit(Diag::ArgumentClass, arg.location, call.name, Describe(wanted), name,
                     As<MapRef>(&arg) != nullptr && type == nullptr ? "a map" : ToString(type));
  }
  return fits;
}

}  // namespace kawk
