#include "runtime/process_symbols.h"

#include <bcc/bcc_syms.h>
#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>

namespace kawk {

namespace {

constexpr size_t kNamesBound = 32768;
constexpr int64_t kSecond = 1000000000;

int64_t MonotonicNow() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

void* NewCache(uint32_t pid) {
  bcc_symbol_option option{};
  option.use_debug_file = 1;
  option.check_debug_file_crc = 1;
  option.lazy_symbolize = 1;
  option.use_symbol_type = (1u << STT_FUNC) | (1u << STT_GNU_IFUNC);
  return bcc_symcache_new(static_cast<int>(pid), &option);
}

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

}  // namespace

uint64_t ProcessStart(uint32_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string stat;
  std::getline(file, stat, '\0');
  // The command may hold blanks and parentheses; field 3 follows the last one.
  size_t at = stat.rfind(')');
  if (at == std::string::npos) return 0;
  for (int field = 2; field < 22 && at != std::string::npos; ++field) at = stat.find(' ', at + 1);
  return at == std::string::npos ? 0 : strtoull(stat.c_str() + at + 1, nullptr, 10);
}

std::string ReadBuildId(const std::string& path) {
  constexpr size_t kNotesBound = 1 << 16;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return "";
  std::string id;
  Elf64_Ehdr header;
  if (pread(fd, &header, sizeof header, 0) == sizeof header && std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
      header.e_ident[EI_CLASS] == ELFCLASS64) {
    for (size_t i = 0; i < header.e_phnum && id.empty(); ++i) {
      Elf64_Phdr segment;
      const off_t at = static_cast<off_t>(header.e_phoff + i * sizeof segment);
      if (pread(fd, &segment, sizeof segment, at) != sizeof segment) break;
      if (segment.p_type != PT_NOTE || segment.p_filesz > kNotesBound) continue;
      std::string notes(segment.p_filesz, '\0');
      const ssize_t length = pread(fd, notes.data(), notes.size(), static_cast<off_t>(segment.p_offset));
      if (length == static_cast<ssize_t>(notes.size())) id = BuildIdInNotes(notes);
    }
  }
  close(fd);
  return id;
}

ProcessSymbols::ProcessSymbols(uint32_t pid, bool demangle)
    : pid_(pid),
      demangle_(demangle),
      started_(ProcessStart(pid)),
      checked_ns_(MonotonicNow()),
      refreshed_ns_(checked_ns_),
      cache_(started_ == 0 ? nullptr : NewCache(pid)) {}

ProcessSymbols::~ProcessSymbols() {
  if (cache_ != nullptr) bcc_free_symcache(cache_, static_cast<int>(pid_));
}

bool ProcessSymbols::StillSame() {
  const int64_t now = MonotonicNow();
  if (now - checked_ns_ < kSecond) return true;
  checked_ns_ = now;
  const uint64_t started = ProcessStart(pid_);
  return started == 0 || started == started_;  // gone: what we have is the best there is
}

bool ProcessSymbols::ResolveOnce(uint64_t address, UserName& name) {
  bcc_symbol symbol{};
  const int failed =
      demangle_ ? bcc_symcache_resolve(cache_, address, &symbol) : bcc_symcache_resolve_no_demangle(cache_, address, &symbol);
  const char* text = demangle_ ? symbol.demangle_name : symbol.name;
  if (symbol.module != nullptr) name.module = symbol.module;
  if (failed == 0 && text != nullptr) {
    name.name = text;
    name.offset = symbol.offset;
  }
  if (failed == 0 && demangle_) bcc_symbol_free_demangle_name(&symbol);
  return !name.name.empty();
}

UserName ProcessSymbols::Resolve(uint64_t address) {
  UserName name;
  if (cache_ == nullptr || ResolveOnce(address, name)) return name;
  // A library loaded, or code compiled, since: look again, but not more than once a second, and never when the process
  // is gone, for that would forget what we know of it.
  const int64_t now = MonotonicNow();
  if (now - refreshed_ns_ < kSecond || ProcessStart(pid_) != started_) return name;
  refreshed_ns_ = now;
  bcc_symcache_refresh(cache_);
  ResolveOnce(address, name);
  return name;
}

const UserName& ProcessSymbols::Lookup(uint64_t address) {
  const auto known = names_.find(address);
  if (known != names_.end()) return known->second;
  if (names_.size() >= kNamesBound) names_.clear();
  return names_.emplace(address, Resolve(address)).first->second;
}

void ProcessSymbols::ReadMappings() {
  FILE* maps = fopen(("/proc/" + std::to_string(pid_) + "/maps").c_str(), "re");
  if (maps == nullptr) return;
  mappings_.clear();
  char line[4096 + 128];
  while (fgets(line, sizeof line, maps) != nullptr) {
    Mapping mapping{};
    int path = 0;
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %*s %*s %n", &mapping.start, &mapping.end, &mapping.file_offset,
               &path) < 3)
      continue;
    if (path == 0 || line[path] != '/') continue;
    mapping.path.assign(line + path, strcspn(line + path, "\n"));
    mappings_.push_back(std::move(mapping));
  }
  fclose(maps);
}

std::string ProcessSymbols::BuildId(uint64_t address) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    for (const Mapping& mapping : mappings_) {
      if (address < mapping.start || address >= mapping.end) continue;
      const auto [entry, fresh] = build_ids_.try_emplace(mapping.path);
      if (fresh) entry->second = ReadBuildId("/proc/" + std::to_string(pid_) + "/root" + mapping.path);
      if (fresh && entry->second.empty()) entry->second = ReadBuildId(mapping.path);
      if (entry->second.empty()) return "";
      char offset[24];
      snprintf(offset, sizeof offset, " 0x%" PRIx64, address - mapping.start + mapping.file_offset);
      return entry->second + offset;
    }
    if (attempt == 0) ReadMappings();
  }
  return "";
}

}  // namespace kawk
