#include "runtime/elf_symbols.h"

#include <bcc/bcc_elf.h>
#include <bcc/bcc_syms.h>
#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <functional>

namespace kawk {

namespace {

constexpr size_t kNotesBound = 1 << 16;
constexpr size_t kNamesBound = 256 << 20;
constexpr const char* kVdso = "[vdso]";

// The descriptor of an NT_GNU_BUILD_ID note among `notes`, in hex.
std::string BuildIdInNotes(const std::string& notes) {
  constexpr char kDigits[] = "0123456789abcdef";
  size_t at = 0;
  while (at + sizeof(Elf64_Nhdr) <= notes.size()) {
    Elf64_Nhdr note;
    std::memcpy(&note, notes.data() + at, sizeof note);
    const size_t name = at + sizeof note;
    const size_t description = name + ((size_t{note.n_namesz} + 3) & ~size_t{3});
    const size_t next = description + ((size_t{note.n_descsz} + 3) & ~size_t{3});
    if (description + note.n_descsz > notes.size()) break;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && notes.compare(name, 3, "GNU") == 0) {
      std::string hex;
      for (size_t i = 0; i < note.n_descsz; ++i) {
        const uint8_t byte = static_cast<uint8_t>(notes[description + i]);
        hex += kDigits[byte >> 4];
        hex += kDigits[byte & 15];
      }
      return hex;
    }
    at = next;
  }
  return "";
}

// Calls `use` with each program header of a 64-bit ELF file, and its descriptor.
void EachSegment(const std::string& path, const std::function<void(int, const Elf64_Phdr&)>& use) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return;
  Elf64_Ehdr header;
  if (pread(fd, &header, sizeof header, 0) == sizeof header && std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
      header.e_ident[EI_CLASS] == ELFCLASS64) {
    for (size_t i = 0; i < header.e_phnum; ++i) {
      Elf64_Phdr segment;
      const off_t at = static_cast<off_t>(header.e_phoff + i * sizeof segment);
      if (pread(fd, &segment, sizeof segment, at) != sizeof segment) break;
      use(fd, segment);
    }
  }
  close(fd);
}

std::string BuildIdIn(int fd, const Elf64_Phdr& segment) {
  if (segment.p_type != PT_NOTE || segment.p_filesz > kNotesBound) return "";
  std::string notes(segment.p_filesz, '\0');
  const ssize_t length = pread(fd, notes.data(), notes.size(), static_cast<off_t>(segment.p_offset));
  return length == static_cast<ssize_t>(notes.size()) ? BuildIdInNotes(notes) : "";
}

// Of two names for one address the one that fewer underscores begin, then the shorter.
bool Better(std::string_view a, std::string_view b) {
  const size_t ours = a.find_first_not_of('_'), theirs = b.find_first_not_of('_');
  if (ours != theirs) return ours < theirs;
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

}  // namespace

std::string ReadBuildId(const std::string& path) {
  std::string id;
  EachSegment(path, [&](int fd, const Elf64_Phdr& segment) {
    if (id.empty()) id = BuildIdIn(fd, segment);
  });
  return id;
}

ElfSymbols::ElfSymbols(const std::string& path) {
  const auto add = [](const char* name, uint64_t address, uint64_t size, void* self) {
    static_cast<ElfSymbols*>(self)->Add(name, address, size);
    return 0;
  };
  if (path == kVdso) {
    bcc_elf_foreach_vdso_sym(add, this);
    segments_.push_back({0, 1 << 16, 0});
  } else {
    ReadHeaders(path);
    if (segments_.empty()) return;
    bcc_symbol_option option{};
    option.use_debug_file = 1;
    option.check_debug_file_crc = 1;
    option.use_symbol_type = (1u << STT_FUNC) | (1u << STT_GNU_IFUNC);
    bcc_elf_foreach_sym(path.c_str(), add, &option, this);
  }
  Sort();
}

void ElfSymbols::ReadHeaders(const std::string& path) {
  EachSegment(path, [&](int fd, const Elf64_Phdr& segment) {
    if (segment.p_type == PT_LOAD) segments_.push_back({segment.p_offset, segment.p_filesz, segment.p_vaddr});
    if (build_id_.empty()) build_id_ = BuildIdIn(fd, segment);
  });
}

void ElfSymbols::Add(const char* name, uint64_t address, uint64_t size) {
  if (name == nullptr || *name == '\0' || address == 0 || names_.size() > kNamesBound) return;
  symbols_.push_back({address, size, static_cast<uint32_t>(names_.size())});
  names_.append(name, strlen(name) + 1);
}

void ElfSymbols::Sort() {
  std::ranges::sort(symbols_, [&](const Symbol& a, const Symbol& b) {
    if (a.address != b.address) return a.address < b.address;
    if ((a.size == 0) != (b.size == 0)) return b.size == 0;
    return Better(NameOf(a), NameOf(b));
  });
  const auto same = [](const Symbol& a, const Symbol& b) { return a.address == b.address; };
  symbols_.erase(std::unique(symbols_.begin(), symbols_.end(), same), symbols_.end());
  symbols_.shrink_to_fit();
}

FoundSymbol ElfSymbols::Find(uint64_t file_offset, bool demangle, RustDemangler rust) {
  const auto segment = std::ranges::find_if(
      segments_, [&](const Segment& s) { return file_offset >= s.offset && file_offset - s.offset < s.size; });
  if (segment == segments_.end()) return {};
  const uint64_t address = file_offset - segment->offset + segment->address;
  const auto after = std::ranges::upper_bound(symbols_, address, {}, &Symbol::address);
  if (after == symbols_.begin()) return {};
  const Symbol& symbol = *std::prev(after);
  // A symbol without a size (assembly) reaches to the next.
  if (symbol.size != 0 && address - symbol.address >= symbol.size) return {};
  if (!demangle) return {NameOf(symbol), address - symbol.address};
  const auto [known, fresh] = demangled_.try_emplace(symbol.name);
  if (fresh) known->second = Demangle(NameOf(symbol), rust);
  return {known->second, address - symbol.address};
}

}  // namespace kawk
