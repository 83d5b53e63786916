// What a program has found out already, so that it asks once: ids of the task, keys in memory, elements of maps. Something is
// known where the code that found it has surely run: code under a condition, and loops, forget at their end what they learnt.
// A map element that is read again without a write of this program between gives the value of the first look: as if both
// had looked at the same moment.
#include <fmt/format.h>

#include "base/check.h"
#include "codegen/program.h"

namespace kawk {
namespace {

// Whether the builtin says the same throughout one run of a program.
bool IsSteady(BuiltinId id) {
  switch (id) {
    case BuiltinId::Pid:
    case BuiltinId::Tid:
    case BuiltinId::PidCurrNs:
    case BuiltinId::TidCurrNs:
    case BuiltinId::PidInit:
    case BuiltinId::TidInit:
    case BuiltinId::Uid:
    case BuiltinId::Gid:
    case BuiltinId::Comm:
    case BuiltinId::Cpu:
    case BuiltinId::Curtask:
    case BuiltinId::Cgroup:
    case BuiltinId::Arg0:
    case BuiltinId::Arg1:
    case BuiltinId::Arg2:
    case BuiltinId::Arg3:
    case BuiltinId::Arg4:
    case BuiltinId::Arg5: return true;
    default: return false;
  }
}

std::string ReadOf(int map) { return fmt::format("read {};", map); }
std::string KeyIn(int map) { return fmt::format("key {};", map); }
std::string NameOf(int variable) { return fmt::format("variable {};", variable); }

}  // namespace

const Program::Known* Program::Recall(const std::string& what) const {
  if (what.empty()) return nullptr;
  for (const Known& known : known_) {
    if (known.what == what) return &known;
  }
  return nullptr;
}

void Program::Remember(const std::string& what, llvm::Value* value, llvm::Value* other) {
  if (!what.empty()) known_.push_back({what, value, other});
}

void Program::Forget(const std::string& part) {
  for (Known& known : known_) {
    if (known.what.find(part) != std::string::npos) known.what.clear();
  }
}

void Program::ForgetVariable(int variable) { Forget(NameOf(variable)); }

void Program::ForgetMap(int map) {
  Forget(ReadOf(map));
  if (module_.HasEpochs(map)) Forget(KeyIn(map));
}

llvm::Value* Program::Once(const std::string& what, const std::function<llvm::Value*()>& find) {
  if (const Known* known = Recall(what)) return known->value;
  llvm::Value* value = find();
  Remember(what, value);
  return value;
}

// A text that is the same for expressions with the same value, which no other part of the program changes unseen; empty:
// there is no such text.
std::string Program::SteadyText(const Expr* expr) const {
  const ExprInfo& info = typed().Info(expr);
  const std::string type = ToString(info.type);
  if (info.integer) return fmt::format("{} {};", type, *info.integer);
  if (info.string) return fmt::format("'{}';", *info.string);
  if (info.builtin) {
    const bool steady = As<Ident>(expr) != nullptr || (As<Call>(expr) != nullptr && As<Call>(expr)->args.empty());
    return steady && IsSteady(*info.builtin) ? fmt::format("builtin {};", static_cast<int>(*info.builtin)) : "";
  }
  if (As<ScratchVar>(expr) != nullptr) return info.type->IsScalar() ? NameOf(info.variable) : "";
  if (const auto* member = As<Member>(expr)) {
    const bool field = typed().Info(member->base).builtin == BuiltinId::Args && info.type->IsScalar();
    return field ? "field " + member->name + ";" : "";
  }
  if (const auto* tuple = As<TupleExpr>(expr)) {
    std::string text = "(";
    for (const Expr* element : tuple->elements) {
      const std::string part = SteadyText(element);
      if (part.empty()) return "";
      text += part;
    }
    return text + ")";
  }
  if (const auto* cast = As<Cast>(expr)) {
    const std::string operand = SteadyText(cast->operand);
    return operand.empty() || !info.type->IsScalar() ? "" : fmt::format("{} of {}", type, operand);
  }
  return "";
}

std::string Program::KeyText(const Target& target) const {
  const std::string key = target.key != nullptr ? SteadyText(target.key) : "";
  return key.empty() ? "" : KeyIn(target.map) + key;
}

std::string Program::ReadText(const Target& target) const {
  const std::string key = target.key != nullptr ? SteadyText(target.key) : "";
  return key.empty() ? "" : ReadOf(target.map) + key;
}

}  // namespace kawk
