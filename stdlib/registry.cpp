// The tables of registry.h, made from the .def rows, and the indexes from names to rows. Rows stand in the order of their
// enum, so a row by id is one array access; names are looked up in hash maps built at the first use.
#include "stdlib/registry.h"

#include <iterator>
#include <string>
#include <unordered_map>

#include "base/check.h"

namespace kawk {
namespace {

using NameIndex = std::unordered_map<std::string_view, size_t>;

void AddName(NameIndex& index, std::string_view name, size_t row) {
  CHECK(!name.empty());
  const bool is_new = index.emplace(name, row).second;
  CHECK(is_new);  // two rows of one table claim the same name
}

// Adds each of the comma-separated `names`.
void AddNames(NameIndex& index, std::string_view names, size_t row) {
  while (!names.empty()) {
    const size_t comma = names.find(',');
    std::string_view name = names.substr(0, comma);
    while (!name.empty() && name.front() == ' ') name.remove_prefix(1);
    while (!name.empty() && name.back() == ' ') name.remove_suffix(1);
    AddName(index, name, row);
    if (comma == std::string_view::npos) return;
    names.remove_prefix(comma + 1);
  }
}

template <class Row>
NameIndex IndexByName(const std::vector<Row>& rows) {
  NameIndex index;
  for (size_t i = 0; i < rows.size(); ++i) AddName(index, rows[i].name, i);
  return index;
}

NameIndex IndexProbes() {
  NameIndex index = IndexByName(AllProbes());
  for (size_t i = 0; i < AllProbes().size(); ++i) AddNames(index, AllProbes()[i].aliases, i);
  return index;
}

template <class Row>
const Row* FindIn(const std::vector<Row>& rows, const NameIndex& index, std::string_view name) {
  const auto found = index.find(name);
  return found == index.end() ? nullptr : &rows[found->second];
}

}  // namespace

const std::vector<FunctionRow>& AllFunctions() {
  static const std::vector<FunctionRow> rows = {
#define FUNCTION(id, name, signature, effect, flags, doc) {FunctionId::id, name, signature, Effect::effect, flags, doc},
#include "stdlib/functions.def"
  };
  return rows;
}

const std::vector<LibraryMacro>& AllLibraryMacros() {
  static const std::vector<LibraryMacro> rows = {
#include "stdlib_macros.inc"  // by make_macros.py
  };
  return rows;
}

const LibraryMacro* FindLibraryMacro(std::string_view name) {
  static const NameIndex index = IndexByName(AllLibraryMacros());
  return FindIn(AllLibraryMacros(), index, name);
}

const std::vector<BuiltinRow>& AllBuiltins() {
  static const std::vector<BuiltinRow> rows = {
#define BUILTIN(id, name, type, probes, doc) {BuiltinId::id, name, type, probes, doc},
#include "stdlib/builtins.def"
  };
  return rows;
}

const std::vector<ProbeRow>& AllProbes() {
  static const std::vector<ProbeRow> rows = {
#define PROBE(id, name, aliases, flags, syntax, doc) {ProbeKind::id, name, aliases, flags, syntax, doc},
#include "stdlib/probes.def"
  };
  return rows;
}

const FunctionRow& Row(FunctionId id) { return AllFunctions().at(static_cast<size_t>(id)); }
const BuiltinRow& Row(BuiltinId id) { return AllBuiltins().at(static_cast<size_t>(id)); }
const ProbeRow& Row(ProbeKind kind) { return AllProbes().at(static_cast<size_t>(kind)); }

const FunctionRow* FindFunction(std::string_view name) {
  static const NameIndex index = IndexByName(AllFunctions());
  return FindIn(AllFunctions(), index, name);
}

const BuiltinRow* FindBuiltin(std::string_view name) {
  static const NameIndex index = IndexByName(AllBuiltins());
  return FindIn(AllBuiltins(), index, name);
}

const ProbeRow* FindProbe(std::string_view name_or_alias) {
  static const NameIndex index = IndexProbes();
  return FindIn(AllProbes(), index, name_or_alias);
}

}  // namespace kawk
