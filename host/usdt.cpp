// The notes of sections named .note.stapsdt: three addresses (the place, what the note believes .stapsdt.base to be, the
// semaphore), then provider, name and arguments as strings.
#include "host/usdt.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <tuple>

#include "host/elf_file.h"
#include "host/elf_open.h"

namespace kawk {
namespace {

constexpr uint32_t kNoteType = 3;
constexpr std::string_view kOwner = "stapsdt";
constexpr size_t kMaxProbes = 200'000;

struct Sections {
  std::vector<Elf_Scn*> notes;
  std::vector<Elf_Scn*> symbols;
  uint64_t base = 0;  // address of .stapsdt.base, which a prelinker moves; 0: none
};

Sections FindSections(Elf* elf) {
  Sections sections;
  size_t names = 0;
  if (elf_getshdrstrndx(elf, &names) != 0) return sections;
  Elf_Scn* section = nullptr;
  while ((section = elf_nextscn(elf, section)) != nullptr) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr) continue;
    if (header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM) sections.symbols.push_back(section);
    const char* name = elf_strptr(elf, names, header.sh_name);
    if (name == nullptr) continue;
    if (header.sh_type == SHT_NOTE && std::strcmp(name, ".note.stapsdt") == 0) sections.notes.push_back(section);
    if (std::strcmp(name, ".stapsdt.base") == 0) sections.base = header.sh_addr;
  }
  return sections;
}

// The address of a symbol of any type; nothing when there is none.
std::optional<uint64_t> FindAddress(Elf* elf, const Sections& sections, const std::string& wanted) {
  for (Elf_Scn* section : sections.symbols) {
    GElf_Shdr header;
    Elf_Data* table = BoundedData(section);
    const size_t entry = gelf_fsize(elf, ELF_T_SYM, 1, EV_CURRENT);
    if (table == nullptr || entry == 0 || gelf_getshdr(section, &header) == nullptr) continue;
    for (size_t i = 0; i < table->d_size / entry; ++i) {
      GElf_Sym symbol;
      if (gelf_getsym(table, static_cast<int>(i), &symbol) == nullptr) break;
      const char* name = symbol.st_shndx == SHN_UNDEF ? nullptr : elf_strptr(elf, header.sh_link, symbol.st_name);
      if (name != nullptr && wanted == name) return symbol.st_value;
    }
  }
  return std::nullopt;
}

std::string_view TakeString(std::string_view& bytes) {
  const size_t end = std::min(bytes.find('\0'), bytes.size());
  const std::string_view text = bytes.substr(0, end);
  bytes.remove_prefix(std::min(end + 1, bytes.size()));
  return text;
}

class NoteReader {
 public:
  NoteReader(Elf* elf, const Sections& sections) : elf_(elf), sections_(sections), segments_(ReadSegments(elf)) {}

  // Whether the note was one of a probe that can be attached to.
  bool Read(std::string_view description, UsdtProbe& probe) const {
    const size_t width = gelf_getclass(elf_) == ELFCLASS32 ? 4 : 8;
    uint64_t words[3];  // place, base, semaphore
    if (description.size() < 3 * width) return false;
    for (size_t i = 0; i < 3; ++i) {
      words[i] = 0;
      std::memcpy(&words[i], description.data() + i * width, width);
    }
    description.remove_prefix(3 * width);
    const uint64_t moved = sections_.base != 0 ? sections_.base - words[1] : 0;
    const uint64_t place = words[0] + moved;
    const Result<uint64_t> offset = OffsetOf(segments_, place);
    if (!offset) return false;
    probe.file_offset = *offset;
    if (words[2] != 0) {
      const Result<uint64_t> semaphore = OffsetOf(segments_, words[2] + moved);
      if (!semaphore) return false;
      probe.semaphore_offset = *semaphore;
    }
    probe.provider = TakeString(description);
    probe.name = TakeString(description);
    probe.argument_text = TakeString(description);
    if (width == 8) ReadArguments(place, probe);
    return !probe.name.empty();
  }

 private:
  // Symbols become distances from the place, which hold wherever the file is loaded.
  void ReadArguments(uint64_t place, UsdtProbe& probe) const {
    std::optional<ParsedUsdtArguments> parsed = ParseUsdtArguments(probe.argument_text);
    if (!parsed) return;
    for (const UsdtSymbol& symbol : parsed->symbols) {
      const std::optional<uint64_t> address = FindAddress(elf_, sections_, symbol.name);
      if (!address) return;
      parsed->arguments[symbol.argument].value += static_cast<int64_t>(*address - place);
    }
    probe.arguments = std::move(parsed->arguments);
  }

  Elf* elf_;
  const Sections& sections_;
  std::vector<ElfSegment> segments_;
};

void ReadSection(Elf_Scn* section, const NoteReader& reader, std::vector<UsdtProbe>& probes) {
  Elf_Data* data = BoundedData(section);
  if (data == nullptr) return;
  const std::string_view bytes(static_cast<const char*>(data->d_buf), data->d_size);
  GElf_Nhdr note;
  size_t name_at = 0;
  size_t description_at = 0;
  for (size_t at = 0; probes.size() < kMaxProbes;) {
    at = gelf_getnote(data, at, &note, &name_at, &description_at);
    if (at == 0) return;
    if (note.n_type != kNoteType || name_at > bytes.size() || !bytes.substr(name_at).starts_with(kOwner)) continue;
    if (description_at > bytes.size() || note.n_descsz > bytes.size() - description_at) continue;
    UsdtProbe probe;
    if (reader.Read(bytes.substr(description_at, note.n_descsz), probe)) probes.push_back(std::move(probe));
  }
}

}  // namespace

Result<std::vector<UsdtProbe>> ReadUsdt(const std::string& path) {
  Result<OpenElf> file = OpenElfFile(path);
  if (!file) return file.error();
  const Sections sections = FindSections(file->elf.get());
  std::vector<UsdtProbe> probes;
  if (sections.notes.empty()) return probes;
  const NoteReader reader(file->elf.get(), sections);
  for (Elf_Scn* section : sections.notes) ReadSection(section, reader, probes);
  const auto order = [](const UsdtProbe& p) { return std::tie(p.provider, p.name, p.file_offset); };
  std::sort(probes.begin(), probes.end(), [&](const UsdtProbe& a, const UsdtProbe& b) { return order(a) < order(b); });
  return probes;
}

Result<std::vector<UsdtProbe>> UsdtCache::Match(const std::string& path, const std::string& provider, const std::string& name) {
  auto known = files_.find(path);
  if (known == files_.end()) {
    Result<std::vector<UsdtProbe>> probes = ReadUsdt(path);
    if (!probes) return probes.error();
    known = files_.emplace(path, std::move(*probes)).first;
  }
  std::vector<UsdtProbe> matches;
  for (const UsdtProbe& probe : known->second) {
    if (MatchesPattern(provider, probe.provider) && MatchesPattern(name, probe.name)) matches.push_back(probe);
  }
  return matches;
}

}  // namespace kawk
