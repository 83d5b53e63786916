// `let @m = lruhash(100);`: what is declared against what the script does with the map.
#include <array>

#include "ast/passes/passes.h"

namespace kawk {
namespace {

struct MapTypeRow {
  std::string_view name;
  bool per_cpu;  // for aggregates
  bool lru;
};
constexpr std::array kMapTypes = {
    MapTypeRow{"hash", false, false},
    MapTypeRow{"lruhash", false, true},
    MapTypeRow{"percpuhash", true, false},
    MapTypeRow{"percpulruhash", true, true},
};

const MapTypeRow* FindMapType(std::string_view name) {
  for (const MapTypeRow& row : kMapTypes) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

std::string Listed() {
  std::string list;
  for (const MapTypeRow& row : kMapTypes) list += (list.empty() ? "" : ", ") + std::string(row.name);
  return list;
}

std::optional<uint64_t> EntriesOf(const Expr* size, TypeSource& source) {
  if (const IntLit* literal = As<IntLit>(size)) return literal->value;
  const Ident* name = As<Ident>(size);
  const std::optional<NamedConstant> constant = name != nullptr ? source.FindConstant(name->name) : std::nullopt;
  if (!constant || constant->string || constant->value < 1) return std::nullopt;
  return static_cast<uint64_t>(constant->value);
}

}  // namespace

void ApplyMapDecls(const Ast& ast, TypeSource& source, Typed& typed, Diagnostics& diagnostics) {
  for (const MapDecl& decl : ast.map_decls) {
    const MapTypeRow* row = FindMapType(decl.map_type);
    const std::optional<uint64_t> size = EntriesOf(decl.max_entries, source);
    if (row == nullptr)
      diagnostics.EmitWithHint(Diag::BadMapType, decl.map_type_location, "types of maps are " + Listed(), decl.map_type);
    if (!size || *size == 0 || *size > UINT32_MAX) {
      diagnostics.Emit(Diag::BadMapSize, decl.max_entries != nullptr ? decl.max_entries->location : decl.location);
    }
    if (row == nullptr || !size) continue;
    for (MapInfo& map : typed.maps) {
      if (map.decl != &decl || map.value == nullptr) continue;
      map.max_entries = *size;
      map.lru = row->lru;
      if (map.key == nullptr || map.value->IsAggregate() == row->per_cpu) continue;
      diagnostics.EmitWithHint(Diag::MapTypeMismatch, map.decl->location,
                               row->per_cpu ? "per-CPU maps hold aggregates such as count()" : "aggregates need a per-CPU map",
                               map.name, row->name, ToString(map.value));
    }
  }
}

}  // namespace kawk
