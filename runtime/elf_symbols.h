// The functions of one ELF file (with those of its separate debug file), by libbcc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/demangle.h"

namespace kawk {

struct FoundSymbol {
  std::string_view name;  // empty: none
  uint64_t offset = 0;
};

class ElfSymbols {
 public:
  // The path of a file, or "[vdso]". What is no ELF file has no symbols.
  explicit ElfSymbols(const std::string& path);

  // The function at this offset in the file. The name stays valid as long as this does.
  FoundSymbol Find(uint64_t file_offset, bool demangle, RustDemangler rust);
  // In hex; empty: none.
  const std::string& build_id() const { return build_id_; }
  size_t bytes() const { return names_.size() + symbols_.size() * sizeof(Symbol); }

 private:
  struct Symbol {
    uint64_t address, size;
    uint32_t name;  // in names_
  };
  struct Segment {
    uint64_t offset, size, address;
  };
  void ReadHeaders(const std::string& path);
  void Add(const char* name, uint64_t address, uint64_t size);
  void Sort();
  const char* NameOf(const Symbol& symbol) const { return names_.data() + symbol.name; }

  std::vector<Segment> segments_;
  std::vector<Symbol> symbols_;  // by address; one of those that begin at the same
  std::string names_;
  std::string build_id_;
  std::unordered_map<uint32_t, std::string> demangled_;  // by name
};

// The GNU build id of an ELF file in hex, or empty.
std::string ReadBuildId(const std::string& path);

}  // namespace kawk
