// Opens what has a program's DWARF: itself, or a file that its build id or its debug link names. Everything that the file
// says is bounded: depth, counts and sizes.
#include "host/dwarf_file.h"

#include <elfutils/libdwelf.h>
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

#include "host/files.h"

namespace kawk {
namespace {

constexpr size_t kMaxCheckedBytes = 1u << 30;  // of a file whose checksum is to be compared

std::string Hex(const unsigned char* bytes, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += fmt::format("{:02x}", bytes[i]);
  return text;
}

std::string BuildId(Elf* elf) {
  const void* bytes = nullptr;
  const ssize_t count = dwelf_elf_gnu_build_id(elf, &bytes);
  return count > 1 ? Hex(static_cast<const unsigned char*>(bytes), static_cast<size_t>(count)) : "";
}

bool HasDebugInfo(Elf* elf) {
  size_t names = 0;
  if (elf_getshdrstrndx(elf, &names) != 0) return false;
  Elf_Scn* section = nullptr;
  while ((section = elf_nextscn(elf, section)) != nullptr) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr || header.sh_type == SHT_NOBITS) continue;
    const char* name = elf_strptr(elf, names, header.sh_name);
    if (name != nullptr && (std::string_view(name) == ".debug_info" || std::string_view(name) == ".zdebug_info")) return true;
  }
  return false;
}

bool HasChecksum(const std::string& path, uint32_t wanted) {
  const Result<std::string> bytes = ReadFile(path, kMaxCheckedBytes);
  if (!bytes) return false;
  return crc32(0, reinterpret_cast<const Bytef*>(bytes->data()), static_cast<uInt>(bytes->size())) == wanted;
}

struct Candidate {
  std::string path;
  std::optional<uint32_t> checksum;  // where no build id tells
};

std::vector<Candidate> CandidatesFor(const std::string& path, Elf* elf, const std::vector<std::string>& folders) {
  std::vector<Candidate> candidates;
  std::vector<std::string> roots = folders;
  roots.emplace_back("/usr/lib/debug");
  const std::string id = BuildId(elf);
  const size_t slash = path.rfind('/');
  const std::string folder = path.substr(0, slash);
  const std::string name = path.substr(slash + 1);
  for (const std::string& root : roots) {
    if (!id.empty()) candidates.push_back({fmt::format("{}/.build-id/{}/{}.debug", root, id.substr(0, 2), id.substr(2)), {}});
  }
  GElf_Word checksum = 0;
  const char* link = dwelf_elf_gnu_debuglink(elf, &checksum);
  const std::string linked = link != nullptr && std::string_view(link).find('/') == std::string_view::npos ? link : "";
  const std::optional<uint32_t> sum = id.empty() ? std::optional<uint32_t>(checksum) : std::nullopt;
  if (!linked.empty()) {
    candidates.push_back({folder + "/.debug/" + linked, sum});
    if (linked != name) candidates.push_back({folder + "/" + linked, sum});
    for (const std::string& root : roots) {
      candidates.push_back({fmt::format("{}{}/{}", root, folder, linked), sum});
      candidates.push_back({fmt::format("{}/{}", root, linked), sum});
    }
  }
  for (const std::string& root : folders) {
    if (!id.empty()) candidates.push_back({fmt::format("{}/{}.debug", root, name), {}});
    if (!id.empty()) candidates.push_back({fmt::format("{}/{}", root, name), {}});
  }
  return candidates;
}

// The separate debug file that belongs to the program, if there is one.
std::optional<OpenElf> FindSeparate(const std::string& path, Elf* elf, const std::vector<std::string>& folders) {
  const std::string id = BuildId(elf);
  for (const Candidate& candidate : CandidatesFor(path, elf, folders)) {
    if (!IsRegular(candidate.path)) continue;
    Result<OpenElf> opened = OpenElfFile(candidate.path);
    if (!opened || !HasDebugInfo(opened->elf.get())) continue;
    const bool belongs = candidate.checksum ? HasChecksum(candidate.path, *candidate.checksum) : BuildId(opened->elf.get()) == id;
    if (belongs) return std::move(*opened);
  }
  return std::nullopt;
}

}  // namespace

Result<std::unique_ptr<DwarfFile>> DwarfFile::Open(const std::string& path, const std::vector<std::string>& folders) {
  Result<OpenElf> program = OpenElfFile(path);
  if (!program) return program.error();
  std::unique_ptr<DwarfFile> file(new DwarfFile);
  file->program_ = std::move(*program);
  Elf* from = file->program_.elf.get();
  if (!HasDebugInfo(from)) {
    std::optional<OpenElf> separate = FindSeparate(path, from, folders);
    if (!separate) {
      return Error{fmt::format("`{}` has no debug information", path),
                   "compile it with -g, or install its debug symbols; --debuginfo FOLDER says where such files are", ENOENT};
    }
    file->separate_ = std::move(*separate);
    from = file->separate_.elf.get();
  }
  file->dwarf_.reset(dwarf_begin_elf(from, DWARF_C_READ, nullptr));
  if (file->dwarf_ == nullptr) return Error{fmt::format("`{}`: {}", path, dwarf_errmsg(-1)), "", EINVAL};
  file->cfi_.reset(dwarf_getcfi_elf(file->program_.elf.get()));
  return file;
}

bool IsScope(Dwarf_Die& die) {
  const int tag = dwarf_tag(&die);
  return tag == DW_TAG_namespace || tag == DW_TAG_class_type || tag == DW_TAG_structure_type || tag == DW_TAG_union_type ||
         tag == DW_TAG_module;
}

std::string NameOf(Dwarf_Die& die) {
  const char* name = dwarf_diename(&die);
  return name != nullptr ? name : "";
}

uint64_t NumberAttribute(Dwarf_Die& die, unsigned attribute, uint64_t otherwise) {
  Dwarf_Attribute found;
  Dwarf_Word value = 0;
  if (dwarf_attr_integrate(&die, attribute, &found) == nullptr || dwarf_formudata(&found, &value) != 0) return otherwise;
  return value;
}

// --- functions ---

namespace {

struct FoundFunction {
  uint64_t begin, end;
  Dwarf_Die die;
};

void CollectFunctions(Dwarf_Die& scope, int depth, std::vector<FoundFunction>& found) {
  constexpr int kDeepest = 16;
  ForEachChild(scope, [&](Dwarf_Die& child) {
    if (IsScope(child) && depth < kDeepest) CollectFunctions(child, depth + 1, found);
    if (dwarf_tag(&child) != DW_TAG_subprogram) return;
    ptrdiff_t offset = 0;
    Dwarf_Addr base = 0, begin = 0, end = 0;
    while ((offset = dwarf_ranges(&child, offset, &base, &begin, &end)) > 0) found.push_back({begin, end, child});
  });
}

}  // namespace

bool DwarfFile::UnitOf(uint64_t address, Dwarf_Die& unit) {
  if (dwarf_addrdie(dwarf_.get(), address, &unit) != nullptr) return true;
  bool known = false;  // clang writes no table of addresses
  ForEachUnit(dwarf_.get(), [&](Dwarf_Die& candidate) {
    if (dwarf_haspc(&candidate, address) <= 0) return true;
    unit = candidate;
    known = true;
    return false;
  });
  return known;
}

const std::vector<DwarfFile::Range>& DwarfFile::RangesOf(Dwarf_Die& unit) {
  const auto [known, is_new] = ranges_.try_emplace(dwarf_dieoffset(&unit));
  if (!is_new) return known->second;
  std::vector<FoundFunction> found;
  CollectFunctions(unit, 0, found);
  for (const FoundFunction& function : found) known->second.push_back({function.begin, function.end, function.die});
  std::sort(known->second.begin(), known->second.end(), [](const Range& a, const Range& b) { return a.begin < b.begin; });
  return known->second;
}

std::optional<Dwarf_Die> DwarfFile::FunctionDie(uint64_t address) {
  Dwarf_Die unit;
  if (!UnitOf(address, unit)) return std::nullopt;
  const std::vector<Range>& ranges = RangesOf(unit);
  auto at = std::upper_bound(ranges.begin(), ranges.end(), address, [](uint64_t a, const Range& r) { return a < r.begin; });
  if (at == ranges.begin()) return std::nullopt;
  --at;
  if (at->end <= address) return std::nullopt;
  return at->function;
}

DebugParameter DwarfFile::Parameter(Dwarf_Die& die) {
  DebugParameter parameter;
  parameter.name = NameOf(die);
  Dwarf_Die type;
  const bool typed = TypeOf(die, type);
  parameter.text = TypeText(typed ? &type : nullptr);
  parameter.type = TypeNumberOf(die);
  return parameter;
}

std::optional<DebugFunction> DwarfFile::FunctionAt(uint64_t address) {
  constexpr size_t kMost = 256;
  std::optional<Dwarf_Die> die = FunctionDie(address);
  if (!die) return std::nullopt;
  DebugFunction function;
  function.name = NameOf(*die);
  std::vector<Dwarf_Die> dies;
  ForEachChild(*die, [&](Dwarf_Die& child) {
    if (dwarf_tag(&child) == DW_TAG_formal_parameter && dies.size() < kMost) dies.push_back(child);
  });
  for (Dwarf_Die& parameter : dies) function.parameters.push_back(Parameter(parameter));
  Dwarf_Addr entry = 0;
  const bool at_entry = dwarf_entrypc(&*die, &entry) == 0 && entry == address;
  const PlaceQuery query{*die, address, at_entry, cfi_.get()};
  std::vector<std::pair<Dwarf_Die, DebugParameter*>> by_convention;
  std::vector<bool> moved(dies.size());
  for (size_t i = 0; i < dies.size(); ++i) {
    DebugParameter& parameter = function.parameters[i];
    bool later = false;
    parameter.pieces = PlaceByLocation(query, dies[i], SizeOfNumber(parameter.type), later);
    moved[i] = later;
    if (!parameter.pieces.empty()) continue;
    const bool is_float = Type(parameter.type).kind == DebugType::Kind::Float;
    parameter.why_not = is_float ? kFloatParameter : "the compiler has optimised it away there";
  }
  // Where the compiler says nothing of the entry, the calling convention does; but it need not be kept by functions that
  // nobody outside their file calls, and then only as a whole: all parameters count.
  const bool is_plain = NumberAttribute(*die, DW_AT_external, 0) != 0;
  std::vector<DebugParameter> conventional = function.parameters;
  for (size_t i = 0; i < dies.size(); ++i) by_convention.emplace_back(dies[i], &conventional[i]);
  if (at_entry) PlaceByConvention(*die, by_convention);
  for (size_t i = 0; at_entry && i < dies.size(); ++i) {
    if (moved[i] || (is_plain && function.parameters[i].pieces.empty())) function.parameters[i] = conventional[i];
  }
  return function;
}

}  // namespace kawk
