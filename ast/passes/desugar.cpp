// Several spellings of one thing become one: `pid()` is the value `pid`, `comm(pid)` is `comm_of(pid)`, and
// `config.max_strlen` is what it stands for.
#include <type_traits>
#include <utility>

#include "ast/passes/passes.h"
#include "ast/rewrite.h"
#include "stdlib/registry.h"

namespace kawk {
namespace {

class Desugarer {
 public:
  Desugarer(Ast& ast, const Config& config, Diagnostics& diagnostics) : ast_(ast), config_(config), diagnostics_(diagnostics) {}

  void Run() {
    const Rewriter rewriter{.on_expr = [this](Expr*& place) { return Replace(place); }};
    for (Probe& probe : ast_.probes) {
      rewriter.Rewrite(probe.predicate);
      rewriter.Rewrite(probe.body);
    }
  }

 private:
  // Puts something else in place of an expression; false when its children need no look.
  bool Replace(Expr*& place) {
    if (const Ident* ident = As<Ident>(place)) return ReplaceName(place, *ident);
    if (const Call* call = As<Call>(place)) return ReplaceCall(place, *call);
    const Member* member = As<Member>(place);
    const Ident* base = member != nullptr ? As<Ident>(member->base) : nullptr;
    if (base == nullptr || base->name != "config") return true;
    place = ConfigField(*member);
    return false;
  }

  bool ReplaceName(Expr*& place, const Ident& ident) {
    if (ident.name == "config") {
      place = WholeConfig(ident.location);
    }
    return false;
  }

  bool ReplaceCall(Expr*& place, const Call& call) {
    if (call.name == "comm" && call.args.size() == 1) {
      static_cast<Call*>(place)->name = Row(FunctionId::CommOf).name;
      return true;
    }
    if (!call.args.empty() || FindBuiltin(call.name) == nullptr) return true;
    Ident* ident = ast_.New<Ident>(call.location);
    ident->name = call.name;
    place = ident;
    return false;
  }

  Expr* ConfigField(const Member& member) {
    Expr* value = nullptr;
    std::vector<std::string> names;
#define CONFIG(id, type, default_value, values, doc)                    \
  if (member.name == #id) value = Literal(member.location, config_.id); \
  names.emplace_back(#id);
#include "stdlib/config.def"
    if (value != nullptr) return value;
    diagnostics_.EmitWithHint(Diag::UnknownConfigKey, member.name_location, DidYouMean(member.name, names), member.name);
    return ast_.New<IntLit>(member.location);  // something that nobody complains about
  }

  Expr* WholeConfig(const Location& location) {
    RecordExpr* record = ast_.New<RecordExpr>(location);
#define CONFIG(id, type, default_value, values, doc) \
  record->names.emplace_back(#id);                   \
  record->elements.push_back(Literal(location, config_.id));
#include "stdlib/config.def"
    return record;
  }

  template <class T>
  Expr* Literal(const Location& location, const T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      BoolLit* literal = ast_.New<BoolLit>(location);
      literal->value = value;
      return literal;
    } else if constexpr (std::is_same_v<T, std::string>) {
      StrLit* literal = ast_.New<StrLit>(location);
      literal->value = value;
      return literal;
    } else {
      IntLit* literal = ast_.New<IntLit>(location);
      literal->value = value;
      return literal;
    }
  }

  Ast& ast_;
  const Config& config_;
  Diagnostics& diagnostics_;
};

}  // namespace

void Desugar(Ast& ast, const Config& config, Diagnostics& diagnostics) { Desugarer(ast, config, diagnostics).Run(); }

}  // namespace kawk
