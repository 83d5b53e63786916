#include "codegen/key_classes.h"

#include "ast/walk.h"
#include "runtime/image/image.h"

namespace kawk {
namespace {

bool HasLongKeys(const MapInfo& map) {
  if (map.key == nullptr || map.value == nullptr || map.decl != nullptr) return false;
  if (map.value->is(TypeKind::Hist) || map.value->is(TypeKind::Lhist) || map.value->is(TypeKind::Tseries)) return false;
  return map.key->is(TypeKind::String) && map.key->length > image::kShortKeyBytes;
}

}  // namespace

std::vector<bool> SplitMaps(const Typed& typed) {
  std::vector<bool> split(typed.maps.size());
  std::vector<int> reads(typed.maps.size());  // elements in expressions, other than what is assigned to
  for (size_t i = 0; i < split.size(); ++i) split[i] = HasLongKeys(typed.maps[i]);
  const auto map_of = [&](const Expr* expr) {
    const Index* index = As<Index>(expr);
    const MapRef* ref = As<MapRef>(index != nullptr ? index->base : expr);
    return ref != nullptr ? typed.Info(ref).map : -1;
  };
  Walker walker;
  walker.on_expr = [&](const Expr& expr) {
    const Unary* unary = As<Unary>(&expr);
    const int pointed = unary != nullptr && unary->op == UnaryOp::AddressOf ? map_of(unary->operand) : -1;
    if (pointed >= 0) split[static_cast<size_t>(pointed)] = false;
    const int read = As<Index>(&expr) != nullptr ? map_of(&expr) : -1;
    if (read >= 0) ++reads[static_cast<size_t>(read)];
  };
  walker.on_stmt = [&](const Stmt& stmt) {
    const ForIn* loop = As<ForIn>(&stmt);
    const int walked = loop != nullptr ? map_of(loop->iterable) : -1;
    if (walked >= 0) split[static_cast<size_t>(walked)] = false;
    const Assign* assign = As<Assign>(&stmt);
    const int written = assign != nullptr && As<Index>(assign->target) != nullptr ? map_of(assign->target) : -1;
    if (written >= 0) --reads[static_cast<size_t>(written)];
  };
  for (const ProbeUnit& unit : typed.units) walker.Walk(*unit.probe);
  for (size_t i = 0; i < split.size(); ++i) {
    if (split[i] && typed.maps[i].value->IsAggregate() && reads[i] > 0) split[i] = false;
  }
  return split;
}

}  // namespace kawk
