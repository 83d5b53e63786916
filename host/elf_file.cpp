// ELF through libelf, which reads both classes and byte orders. Files may be hostile: libelf checks offsets against the
// file's size, but allocates for as many sections as the header claims, so the header is checked before it sees the file,
// and section data is bounded before it is asked for.
#include "host/elf_file.h"

#include <elf.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <tuple>

#include "base/demangle.h"
#include "host/elf_open.h"
#include "host/files.h"

namespace kawk {
namespace {

constexpr uint64_t kMaxSections = 1u << 20;
constexpr uint64_t kMaxSegments = 1u << 16;
constexpr uint64_t kMaxTableBytes = 512u << 20;  // of one symbol or string table
constexpr int kMaxTables = 16;                   // .symtab, .dynsym; more are a trick
constexpr size_t kMaxNameBytes = 64 * 1024;      // C++ names are long, but not that long
constexpr size_t kMaxAllNameBytes = 256u << 20;  // names may overlap, so the file's size does not bound them
constexpr size_t kMaxSymbols = 4'000'000;        // of one file, and over all cached files

Error BadElf(const std::string& path, const char* what) { return Error{fmt::format("`{}`: {}", path, what), "", EINVAL}; }

template <class T>
T ByteOrder(T value, bool swap) {
  if (!swap) return value;
  if constexpr (sizeof(T) == 2) return __builtin_bswap16(value);
  if constexpr (sizeof(T) == 4) return __builtin_bswap32(value);
  return __builtin_bswap64(value);
}

// Counts beyond 16 bits stand in the first section header; that is where a hostile file claims billions.
template <class Header, class Section>
bool CountsAreSane(int fd, bool swap) {
  Header header;
  if (!ReadAt(fd, 0, &header, sizeof header)) return false;
  const uint64_t section_table = ByteOrder(header.e_shoff, swap);
  if (section_table == 0) return true;
  Section first;
  // A section table behind the end of the file only costs the symbols; libelf copes with it.
  if (!ReadAt(fd, section_table, &first, sizeof first)) return true;
  if (header.e_shnum == 0 && ByteOrder(first.sh_size, swap) > kMaxSections) return false;
  return ByteOrder(header.e_phnum, swap) != PN_XNUM || ByteOrder(first.sh_info, swap) <= kMaxSegments;
}

Status CheckHeader(const std::string& path, int fd) {
  unsigned char ident[EI_NIDENT];
  if (!ReadAt(fd, 0, ident, sizeof ident) || std::memcmp(ident, ELFMAG, SELFMAG) != 0) return BadElf(path, "not an ELF file");
  const bool swap = ident[EI_DATA] != (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB);
  const bool sane = ident[EI_CLASS] == ELFCLASS64 ? CountsAreSane<Elf64_Ehdr, Elf64_Shdr>(fd, swap)
                                                  : CountsAreSane<Elf32_Ehdr, Elf32_Shdr>(fd, swap);
  if (!sane) return BadElf(path, "malformed ELF header");
  return Ok{};
}

// A symbol before duplicates are removed, with its place in the loader's order of choice.
struct RankedSymbol {
  ElfSymbol symbol;
  int rank = 0;
};

int RankOf(const GElf_Sym& symbol, bool hidden_version) {
  if (hidden_version) return 3;
  switch (GELF_ST_BIND(symbol.st_info)) {
    case STB_GLOBAL: return 0;
    case STB_WEAK: return 1;
    default: return 2;
  }
}

// The NUL-terminated name at `at`, or empty when it is malformed.
std::string_view NameAt(const Elf_Data* strings, size_t at) {
  if (at >= strings->d_size) return {};
  const char* begin = static_cast<const char*>(strings->d_buf) + at;
  const size_t limit = std::min<size_t>(strings->d_size - at, kMaxNameBytes);
  const size_t length = ::strnlen(begin, limit);
  return length == limit ? std::string_view() : std::string_view(begin, length);
}

// The SHT_GNU_versym data of the file; its entries go with those of .dynsym.
Elf_Data* VersionData(Elf* elf) {
  Elf_Scn* section = nullptr;
  while ((section = elf_nextscn(elf, section)) != nullptr) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) != nullptr && header.sh_type == SHT_GNU_versym) return BoundedData(section);
  }
  return nullptr;
}

// What a file's symbol tables have given so far.
struct Found {
  std::vector<RankedSymbol> symbols;
  size_t name_bytes = 0;
  bool full() const { return symbols.size() >= kMaxSymbols || name_bytes >= kMaxAllNameBytes; }
};

void ReadSymbols(Elf* elf, Elf_Scn* section, const GElf_Shdr& header, const std::vector<ElfSegment>& segments, Found& found) {
  Elf_Data* table = BoundedData(section);
  Elf_Data* strings = BoundedData(elf_getscn(elf, header.sh_link));
  const size_t entry_size = gelf_fsize(elf, ELF_T_SYM, 1, EV_CURRENT);
  if (table == nullptr || strings == nullptr || entry_size == 0) return;
  Elf_Data* versions = header.sh_type == SHT_DYNSYM ? VersionData(elf) : nullptr;
  const size_t count = std::min<size_t>(table->d_size / entry_size, INT32_MAX);
  for (size_t i = 0; i < count && !found.full(); ++i) {
    GElf_Sym symbol;
    if (gelf_getsym(table, static_cast<int>(i), &symbol) == nullptr) break;
    const int type = GELF_ST_TYPE(symbol.st_info);
    if ((type != STT_FUNC && type != STT_GNU_IFUNC) || symbol.st_shndx == SHN_UNDEF) continue;
    std::string_view name = NameAt(strings, symbol.st_name);
    // .symtab spells versions out: `f@@V` is the default one, `f@V` a hidden one.
    const size_t at = name.find('@');
    bool hidden = at != std::string_view::npos && name.substr(at, 2) != "@@";
    name = name.substr(0, at);
    GElf_Versym version = 0;
    if (versions != nullptr && gelf_getversym(versions, static_cast<int>(i), &version) != nullptr) hidden = version & 0x8000;
    if (name.empty()) continue;
    Result<uint64_t> offset = OffsetOf(segments, symbol.st_value);
    if (!offset) continue;  // not in the file, so nothing can be probed there
    found.symbols.push_back({{std::string(name), symbol.st_value, *offset, symbol.st_size}, RankOf(symbol, hidden)});
    found.name_bytes += name.size();
  }
}

// Sorts, and keeps one of each name and address.
std::vector<ElfSymbol> Merge(std::vector<RankedSymbol> ranked) {
  const auto by_address = [](const RankedSymbol& s) { return std::tie(s.symbol.name, s.symbol.address, s.rank); };
  const auto by_choice = [](const RankedSymbol& s) { return std::tie(s.symbol.name, s.rank, s.symbol.address); };
  std::sort(ranked.begin(), ranked.end(), [&](const auto& a, const auto& b) { return by_address(a) < by_address(b); });
  const auto end = std::unique(ranked.begin(), ranked.end(), [](const RankedSymbol& a, const RankedSymbol& b) {
    return a.symbol.address == b.symbol.address && a.symbol.name == b.symbol.name;
  });
  ranked.erase(end, ranked.end());
  std::sort(ranked.begin(), ranked.end(), [&](const auto& a, const auto& b) { return by_choice(a) < by_choice(b); });
  std::vector<ElfSymbol> symbols;
  symbols.reserve(ranked.size());
  for (RankedSymbol& candidate : ranked) symbols.push_back(std::move(candidate.symbol));
  return symbols;
}

}  // namespace

Elf_Data* BoundedData(Elf_Scn* section) {
  GElf_Shdr header;
  if (section == nullptr || gelf_getshdr(section, &header) == nullptr) return nullptr;
  if (header.sh_type == SHT_NOBITS || header.sh_size == 0 || header.sh_size > kMaxTableBytes) return nullptr;
  Elf_Data* data = elf_getdata(section, nullptr);
  return data == nullptr || data->d_buf == nullptr ? nullptr : data;
}

Result<OpenElf> OpenElfFile(const std::string& path) {
  Result<FileDescriptor> fd = OpenRegular(path);
  if (!fd) return fd.error();
  Status header_ok = CheckHeader(path, fd->get());
  if (!header_ok) return header_ok.error();
  elf_version(EV_CURRENT);
  // Not mapped: a file that is truncated meanwhile would kill us with SIGBUS.
  OpenElf file{std::move(*fd), {}};
  file.elf.reset(elf_begin(file.fd.get(), ELF_C_READ, nullptr));
  if (file.elf == nullptr || elf_kind(file.elf.get()) != ELF_K_ELF) return BadElf(path, "malformed ELF file");
  return file;
}

std::vector<ElfSegment> ReadSegments(Elf* elf) {
  std::vector<ElfSegment> segments;
  size_t count = 0;
  if (elf_getphdrnum(elf, &count) != 0) return segments;
  for (size_t i = 0; i < std::min<size_t>(count, kMaxSegments); ++i) {
    GElf_Phdr header;
    if (gelf_getphdr(elf, static_cast<int>(i), &header) == nullptr) break;
    if (header.p_type != PT_LOAD || header.p_filesz == 0) continue;
    segments.push_back({header.p_vaddr, header.p_offset, header.p_filesz});
  }
  return segments;
}

Result<uint64_t> OffsetOf(const std::vector<ElfSegment>& segments, uint64_t address) {
  for (const ElfSegment& segment : segments) {
    if (address >= segment.address && address - segment.address < segment.size) {
      return address - segment.address + segment.offset;
    }
  }
  return Error{fmt::format("address {:#x} is in no segment of the file", address), "", EINVAL};
}

Result<ElfFile> ReadElf(const std::string& path) {
  Result<OpenElf> opened = OpenElfFile(path);
  if (!opened) return opened.error();
  const auto& elf = opened->elf;
  ElfFile file;
  file.segments = ReadSegments(elf.get());
  Found found;
  int tables = 0;
  Elf_Scn* section = nullptr;
  while (tables < kMaxTables && (section = elf_nextscn(elf.get(), section)) != nullptr) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr) continue;
    if (header.sh_type != SHT_SYMTAB && header.sh_type != SHT_DYNSYM) continue;
    ++tables;
    ReadSymbols(elf.get(), section, header, file.segments, found);
  }
  if (found.full()) return BadElf(path, "too many symbols");
  file.symbols = Merge(std::move(found.symbols));
  return file;
}

Result<uint64_t> AddressOf(const std::vector<ElfSegment>& segments, uint64_t offset) {
  for (const ElfSegment& segment : segments) {
    if (offset >= segment.offset && offset - segment.offset < segment.size) return offset - segment.offset + segment.address;
  }
  return Error{fmt::format("offset {:#x} is in no segment of the file", offset), "", EINVAL};
}

Result<ElfSymbol> ReadElfSymbol(const std::string& path, const std::string& name) {
  Result<OpenElf> opened = OpenElfFile(path);
  if (!opened) return opened.error();
  const auto& elf = opened->elf;
  Elf_Scn* section = nullptr;
  while ((section = elf_nextscn(elf.get(), section)) != nullptr) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr) continue;
    if (header.sh_type != SHT_SYMTAB && header.sh_type != SHT_DYNSYM) continue;
    Elf_Data* table = BoundedData(section);
    Elf_Data* strings = BoundedData(elf_getscn(elf.get(), header.sh_link));
    const size_t entry_size = gelf_fsize(elf.get(), ELF_T_SYM, 1, EV_CURRENT);
    if (table == nullptr || strings == nullptr || entry_size == 0) continue;
    const size_t count = std::min<size_t>(table->d_size / entry_size, INT32_MAX);
    for (size_t i = 0; i < count; ++i) {
      GElf_Sym symbol;
      if (gelf_getsym(table, static_cast<int>(i), &symbol) == nullptr) break;
      if (symbol.st_shndx == SHN_UNDEF || GELF_ST_TYPE(symbol.st_info) > STT_FUNC) continue;
      if (NameAt(strings, symbol.st_name) == name) return ElfSymbol{name, symbol.st_value, 0, symbol.st_size};
    }
  }
  return Error{fmt::format("`{}` has no symbol `{}`", path, name), "", ENOENT};
}

Result<ElfObject> ElfCache::FindObject(const std::string& path, const std::string& name, uint64_t file_offset) {
  Result<const ElfFile*> file = Read(path);
  if (!file) return file.error();
  Result<uint64_t> from = AddressOf((*file)->segments, file_offset);
  if (!from) return from.error();
  Result<ElfSymbol> symbol = ReadElfSymbol(path, name);
  if (!symbol) return symbol.error();
  return ElfObject{static_cast<int64_t>(symbol->address - *from), symbol->size};
}

Result<const ElfFile*> ElfCache::Read(const std::string& path) {
  const auto known = files_.find(path);
  if (known != files_.end()) return &known->second;
  Result<ElfFile> file = ReadElf(path);
  if (!file) return file.error();
  // A wildcard over all of PATH must not keep every symbol of the machine.
  if (symbols_ + file->symbols.size() > kMaxSymbols) {
    files_.clear();
    symbols_ = 0;
  }
  symbols_ += file->symbols.size();
  return &(files_[path] = *std::move(file));
}

Result<std::vector<ElfSymbol>> ElfCache::MatchSymbols(const std::string& path, const std::string& pattern) {
  Result<const ElfFile*> file = Read(path);
  if (!file) return file.error();
  const std::vector<ElfSymbol>& symbols = (*file)->symbols;
  std::vector<ElfSymbol> matches;
  if (HasWildcard(pattern)) {
    std::copy_if(symbols.begin(), symbols.end(), std::back_inserter(matches),
                 [&](const ElfSymbol& symbol) { return MatchesPattern(pattern, symbol.name); });
    return matches;
  }
  auto at = std::lower_bound(symbols.begin(), symbols.end(), pattern,
                             [](const ElfSymbol& symbol, const std::string& name) { return symbol.name < name; });
  for (; at != symbols.end() && at->name == pattern; ++at) matches.push_back(*at);
  return matches;
}

Result<std::vector<ElfSymbol>> ElfCache::MatchDemangled(const std::string& path, const std::string& pattern) {
  Result<const ElfFile*> file = Read(path);
  if (!file) return file.error();
  std::vector<ElfSymbol> matches;
  for (const ElfSymbol& symbol : (*file)->symbols) {
    const std::string name = Demangle(symbol.name, nullptr);
    if (MatchesPattern(pattern, name) || MatchesPattern(pattern, WithoutParameters(name))) matches.push_back(symbol);
  }
  return matches;
}

Result<uint64_t> ElfCache::FileOffset(const std::string& path, uint64_t address) {
  Result<const ElfFile*> file = Read(path);
  if (!file) return file.error();
  Result<uint64_t> offset = OffsetOf((*file)->segments, address);
  if (!offset) return Error{fmt::format("`{}`: {}", path, offset.error().message), "", EINVAL};
  return offset;
}

}  // namespace kawk
