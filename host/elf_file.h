// Function symbols and segments of ELF files.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "host/host.h"

struct Elf;

namespace kawk {

// A PT_LOAD segment.
struct ElfSegment {
  uint64_t address = 0;
  uint64_t offset = 0;
  uint64_t size = 0;  // bytes in the file
};

struct ElfFile {
  std::vector<ElfSegment> segments;
  // Defined functions that stand in the file, sorted by name; of several with one name, the one that the loader would
  // choose stands first (default version, then global, weak, local).
  std::vector<ElfSymbol> symbols;
};

std::vector<ElfSegment> ReadSegments(Elf* elf);
Result<ElfFile> ReadElf(const std::string& path);
// The file offset of an address of the symbol table, by the segments.
Result<uint64_t> OffsetOf(const std::vector<ElfSegment>& segments, uint64_t address);

// Any defined symbol of this name; its file_offset is not set.
Result<ElfSymbol> ReadElfSymbol(const std::string& path, const std::string& name);
// The address of what stands at this offset in the file.
Result<uint64_t> AddressOf(const std::vector<ElfSegment>& segments, uint64_t offset);

// Files read so far.
class ElfCache {
 public:
  Result<std::vector<ElfSymbol>> MatchSymbols(const std::string& path, const std::string& pattern);
  Result<std::vector<ElfSymbol>> MatchDemangled(const std::string& path, const std::string& pattern);
  Result<uint64_t> FileOffset(const std::string& path, uint64_t address);
  Result<ElfObject> FindObject(const std::string& path, const std::string& name, uint64_t file_offset);

 private:
  Result<const ElfFile*> Read(const std::string& path);
  std::map<std::string, ElfFile> files_;
  size_t symbols_ = 0;  // in all of files_
};

}  // namespace kawk
