// ELF files for tests, byte by byte: small enough to reason about, and as wrong as a test wants them.
#pragma once

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace kawk {

struct ElfBuilder {
  struct Symbol {
    std::string name;
    uint64_t address;
    uint64_t size = 1;
    unsigned char type = STT_FUNC;
    unsigned char bind = STB_GLOBAL;
    uint16_t section = 1;
    uint16_t version = 1;  // only in a file with_versions
  };
  std::vector<Symbol> symbols;
  bool dynamic = false;        // .dynsym rather than .symtab
  bool with_versions = false;  // .gnu.version
  Elf64_Phdr segment = {.p_type = PT_LOAD,
                        .p_flags = PF_R | PF_X,
                        .p_offset = 0x1000,
                        .p_vaddr = 0x401000,
                        .p_paddr = 0,
                        .p_filesz = 0x1000,
                        .p_memsz = 0x2000,
                        .p_align = 0x1000};

  static void Append(std::string& bytes, const void* data, size_t size) { bytes.append(static_cast<const char*>(data), size); }

  std::string Build() const {
    std::string names(1, '\0');
    std::string table(sizeof(Elf64_Sym), '\0');
    std::string versions(sizeof(uint16_t), '\0');
    for (const Symbol& symbol : symbols) {
      Elf64_Sym entry{};
      entry.st_name = static_cast<Elf64_Word>(names.size());
      entry.st_info = static_cast<unsigned char>(ELF64_ST_INFO(symbol.bind, symbol.type));
      entry.st_shndx = symbol.section;
      entry.st_value = symbol.address;
      entry.st_size = symbol.size;
      Append(table, &entry, sizeof entry);
      Append(versions, &symbol.version, sizeof symbol.version);
      names += symbol.name + '\0';
    }
    const uint64_t table_at = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
    const uint64_t names_at = table_at + table.size();
    const uint64_t versions_at = names_at + names.size();
    const uint64_t sections_at = versions_at + versions.size();

    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_DYN;
    header.e_machine = EM_X86_64;
    header.e_version = EV_CURRENT;
    header.e_phoff = sizeof(Elf64_Ehdr);
    header.e_shoff = sections_at;
    header.e_ehsize = sizeof(Elf64_Ehdr);
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = 1;
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shnum = with_versions ? 4 : 3;

    Elf64_Shdr sections[4] = {};
    sections[1].sh_type = dynamic ? SHT_DYNSYM : SHT_SYMTAB;
    sections[1].sh_offset = table_at;
    sections[1].sh_size = table.size();
    sections[1].sh_link = 2;
    sections[1].sh_entsize = sizeof(Elf64_Sym);
    sections[2].sh_type = SHT_STRTAB;
    sections[2].sh_offset = names_at;
    sections[2].sh_size = names.size();
    sections[3].sh_type = SHT_GNU_versym;
    sections[3].sh_offset = versions_at;
    sections[3].sh_size = versions.size();
    sections[3].sh_link = 1;
    sections[3].sh_entsize = sizeof(uint16_t);

    std::string bytes;
    Append(bytes, &header, sizeof header);
    Append(bytes, &segment, sizeof segment);
    bytes += table + names + versions;
    Append(bytes, sections, sizeof(Elf64_Shdr) * header.e_shnum);
    return bytes;
  }
};

}  // namespace kawk
