// getopt() calls → the options of the script, each with what the command line says of it. Before types are inferred: the
// defaults are literals, and every option must be known before one on the command line is found to be unknown.
#include <fmt/format.h>

#include <algorithm>

#include "ast/attach_point.h"
#include "ast/passes/passes.h"
#include "ast/walk.h"

namespace kawk {
namespace {

using Value = ScriptOption::Value;

std::optional<Value> LiteralValue(const Expr* expr) {
  if (const BoolLit* literal = As<BoolLit>(expr)) return literal->value;
  if (const StrLit* literal = As<StrLit>(expr)) return literal->value;
  if (const IntLit* literal = As<IntLit>(expr)) return __int128{literal->value};
  const Unary* minus = As<Unary>(expr);
  const IntLit* digits = minus != nullptr && minus->op == UnaryOp::Minus ? As<IntLit>(minus->operand) : nullptr;
  if (digits == nullptr || digits->value > uint64_t{1} << 63) return std::nullopt;
  return -__int128{digits->value};
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::optional<Value> ReadBool(const std::string& text) {
  const std::string word = Lower(text);
  if (word == "true" || word == "1") return true;
  if (word == "false" || word == "0") return false;
  return std::nullopt;
}

std::optional<Value> ReadInteger(const std::string& text) {
  const bool negative = text.starts_with('-');
  const std::string digits = text.substr(negative ? 1 : 0);
  std::optional<uint64_t> number = ParseNumber(digits);
  if (!number) number = ParseDuration(digits);
  if (!number || (negative && *number > uint64_t{1} << 63)) return std::nullopt;
  return negative ? -__int128{*number} : __int128{*number};
}

// An option without `=` is `true`, which only a bool takes.
std::optional<Value> ReadValue(const Value& like, const NamedParameter& given) {
  if (std::holds_alternative<bool>(like)) return given.value ? ReadBool(*given.value) : true;
  if (!given.value) return std::nullopt;
  if (std::holds_alternative<std::string>(like)) return Value(*given.value);
  return ReadInteger(*given.value);
}

std::string_view KindOf(const Value& value) {
  return std::holds_alternative<bool>(value)          ? "true or false"
         : std::holds_alternative<std::string>(value) ? "a string"
                                                      : "an integer";
}

class Collector {
 public:
  Collector(const ScriptInput& input, Diagnostics& diagnostics) : input_(input), diagnostics_(diagnostics) {}

  void Add(const Call& call) {
    const StrLit* name = call.args.empty() ? nullptr : As<StrLit>(call.args[0]);
    if (name == nullptr || call.args.size() > 3) return;  // CheckRules says what is wrong
    std::optional<Value> fallback = false;
    if (call.args.size() > 1) fallback = LiteralValue(call.args[1]);
    if (!fallback) {
      diagnostics_.Emit(Diag::OptionDefault, call.args[1]->location);
      fallback = false;
    }
    const StrLit* description = call.args.size() > 2 ? As<StrLit>(call.args[2]) : nullptr;
    const auto same = [&](const ScriptOption& option) { return option.name == name->value; };
    auto known = std::find_if(options_.begin(), options_.end(), same);
    if (known == options_.end()) {
      known = options_.insert(known, {name->value, *fallback, *fallback, "", call.location});
      TakeValue(*known);
    } else if (known->fallback != *fallback) {
      diagnostics_.Emit(Diag::OptionDefaultsDiffer, call.location, name->value);
    }
    if (description != nullptr && known->description.empty()) known->description = description->value;
  }

  std::vector<ScriptOption> Finish() {
    for (const NamedParameter& given : input_.named) {
      if (given.name == kHelpOption) continue;
      const auto same = [&](const ScriptOption& option) { return option.name == given.name; };
      if (std::any_of(options_.begin(), options_.end(), same)) continue;
      std::vector<std::string> names;
      for (const ScriptOption& option : options_) names.push_back(option.name);
      std::string hint = DidYouMean(given.name, names);
      if (hint.empty() && !names.empty()) hint = fmt::format("its options are --{}", fmt::join(names, ", --"));
      diagnostics_.EmitWithHint(Diag::UnknownOption, Location{}, hint, given.name);
    }
    return std::move(options_);
  }

 private:
  void TakeValue(ScriptOption& option) {
    for (const NamedParameter& given : input_.named) {
      if (given.name != option.name) continue;
      const std::optional<Value> value = ReadValue(option.fallback, given);
      if (value) {
        option.value = *value;
      } else {
        diagnostics_.EmitWithHint(Diag::OptionValue, option.location, fmt::format("write `--{}=…`", option.name), option.name,
                                  KindOf(option.fallback), given.value ? fmt::format("`{}`", *given.value) : "nothing");
      }
    }
  }

  const ScriptInput& input_;
  Diagnostics& diagnostics_;
  std::vector<ScriptOption> options_;
};

}  // namespace

std::vector<ScriptOption> CollectOptions(const Ast& ast, const ScriptInput& input, Diagnostics& diagnostics) {
  Collector collector(input, diagnostics);
  Walker walker;
  walker.on_expr = [&](const Expr& expr) {
    const Call* call = As<Call>(&expr);
    const FunctionRow* row = call != nullptr ? FindFunction(call->name) : nullptr;
    if (row != nullptr && row->id == FunctionId::Getopt) collector.Add(*call);
  };
  for (const Probe& probe : ast.probes) walker.Walk(probe);
  return collector.Finish();
}

}  // namespace kawk
