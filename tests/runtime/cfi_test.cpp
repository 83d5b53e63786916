// Unwinding rules, held against those of elfutils for the same files: this program, the C library, and what the machine has.
#include "runtime/cfi.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>

namespace kawk {
namespace {

using image::UnwindRow;
using image::UnwindRule;

std::vector<uint8_t> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string LibraryPath() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (const size_t at = line.find('/'); at != std::string::npos && line.find("/libc.so") != std::string::npos)
      return line.substr(at);
  }
  return "";
}

// elfutils' rules of one file.
class Reference {
 public:
  explicit Reference(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    elf_version(EV_CURRENT);
    elf_ = elf_begin(fd_, ELF_C_READ_MMAP, nullptr);
    cfi_ = elf_ != nullptr ? dwarf_getcfi_elf(elf_) : nullptr;
  }
  ~Reference() {
    elf_end(elf_);
    close(fd_);
  }
  Reference(const Reference&) = delete;
  Reference& operator=(const Reference&) = delete;
  bool ok() const { return cfi_ != nullptr; }

  // "rsp+16 rbp@-16", or "?" for what our rows have no word for.
  std::string At(uint64_t address) const {
    Dwarf_Frame* frame = nullptr;
    if (dwarf_cfi_addrframe(cfi_, address, &frame) != 0) return "none";
    std::string text = Describe(frame);
    free(frame);
    return text;
  }

 private:
  static std::string Describe(Dwarf_Frame* frame) {
    Dwarf_Op* ops = nullptr;
    size_t count = 0;
    bool signal = false;
    dwarf_frame_info(frame, nullptr, nullptr, &signal);
    if (signal) return "signal";
    Dwarf_Op memory[3];
    Dwarf_Op* found = nullptr;
    size_t found_count = 0;
    if (dwarf_frame_register(frame, 16, memory, &found, &found_count) != 0) return "?";
    if (found_count == 0 && found == nullptr) return "end";  // undefined: nobody called
    const bool below_cfa =
        found_count == 2 && found[0].atom == DW_OP_call_frame_cfa && static_cast<int64_t>(found[1].number) == -8;
    if (!below_cfa) return "?";
    if (dwarf_frame_cfa(frame, &ops, &count) != 0 || count == 0) return "?";
    std::string text = Cfa(ops, count);
    if (text == "?") return text;
    if (dwarf_frame_register(frame, 6, memory, &found, &found_count) != 0) return "?";
    if (found_count == 0) return text;  // undefined or unchanged: both leave it
    if (found_count == 1 && found[0].atom == DW_OP_call_frame_cfa) return text + " rbp@0";
    if (found_count == 2 && found[0].atom == DW_OP_call_frame_cfa && found[1].atom == DW_OP_plus_uconst) {
      return text + " rbp@" + std::to_string(static_cast<int64_t>(found[1].number));
    }
    return found[0].atom == DW_OP_breg6 && found[0].number == 0 ? text + " rbp@rbp" : "?";
  }
  static std::string Cfa(const Dwarf_Op* ops, size_t count) {
    const bool rsp = ops[0].atom == DW_OP_breg7, rbp = ops[0].atom == DW_OP_breg6;
    if (ops[0].atom == DW_OP_bregx) {
      if (count != 1 || (ops[0].number != 6 && ops[0].number != 7)) return "?";
      return (ops[0].number == 7 ? "rsp+" : "rbp+") + std::to_string(static_cast<int64_t>(ops[0].number2));
    }
    if (!rsp && !rbp) return "?";
    const auto offset = std::to_string(static_cast<int64_t>(ops[0].number));
    if (count == 1) return (rsp ? "rsp+" : "rbp+") + offset;
    if (rbp && count == 2 && ops[1].atom == DW_OP_deref) return "[rbp+" + offset + "]";
    if (rsp && count == 3 && ops[1].atom == DW_OP_deref && ops[2].atom == DW_OP_plus_uconst && ops[2].number == 8)
      return "[rsp+" + offset + "]+8";
    return count == 9 && ops[1].atom == DW_OP_breg16 ? "plt" : "?";
  }

  int fd_;
  Elf* elf_ = nullptr;
  Dwarf_CFI* cfi_ = nullptr;
};

std::string Describe(const UnwindRow& row) {
  std::string text;
  const std::string offset = std::to_string(row.offset * 8);
  switch (row.rule) {
    case UnwindRule::Unknown: return "none";
    case UnwindRule::End: return "end";
    case UnwindRule::Signal: return "signal";
    case UnwindRule::Plt: return "plt";
    case UnwindRule::Rsp: text = "rsp+" + offset; break;
    case UnwindRule::Rbp: text = "rbp+" + offset; break;
    case UnwindRule::AtRsp: text = "[rsp+" + offset + "]+8"; break;
    case UnwindRule::AtRbp: text = "[rbp+" + offset + "]"; break;
  }
  if (row.saved == image::kSavedAtRbp) return text + " rbp@rbp";
  return row.saved == 0 ? text : text + " rbp@" + std::to_string(row.saved * 8);
}

void Compare(const std::string& path, size_t least_rows) {
  const CfiTable table = ReadCfi(ReadFile(path));
  const Reference reference(path);
  ASSERT_TRUE(reference.ok()) << path;
  ASSERT_GT(table.rows.size(), least_rows) << path;
  size_t told = 0, differences = 0;
  for (size_t i = 0; i + 1 < table.rows.size(); ++i) {
    // Where a row begins, and just before the next.
    for (const uint64_t at : {table.base + table.rows[i].start, table.base + table.rows[i + 1].start - 1}) {
      const std::string expected = reference.At(at), got = Describe(table.rows[i]);
      if (expected == "?") {
        EXPECT_EQ(got, "end") << path << " at " << std::hex << at;
      } else {
        ++told;
        if (expected != got && ++differences < 10)
          ADD_FAILURE() << path << " at " << std::hex << at << ": " << got << ", not " << expected;
      }
    }
  }
  EXPECT_GT(told, least_rows);
}

TEST(Cfi, RulesAreThoseOfElfutils) {
  Compare("/proc/self/exe", 10000);
  Compare(LibraryPath(), 10000);
}

TEST(Cfi, SegmentsAreThere) {
  const CfiTable table = ReadCfi(ReadFile("/proc/self/exe"));
  ASSERT_GE(table.segments.size(), 2U);
  EXPECT_EQ(table.segments[0].offset, 0U);
}

TEST(Cfi, DamagedFilesHaveNoRules) {
  EXPECT_TRUE(ReadCfi({}).rows.empty());
  std::vector<uint8_t> file = ReadFile("/proc/self/exe");
  file.resize(file.size() < 4096 ? file.size() : 4096);
  EXPECT_TRUE(ReadCfi(file).rows.empty());  // its sections are gone
}

// Whatever bytes stand there, reading them ends, and within bounds (under ASan).
TEST(Cfi, BytesOfAnyKind) {
  const std::vector<uint8_t> whole = ReadFile(LibraryPath());
  uint64_t random = 42;
  for (int round = 0; round < 20; ++round) {
    std::vector<uint8_t> file = whole;
    for (int i = 0; i < 20000; ++i) {
      random = random * 6364136223846793005 + 1442695040888963407;
      file[(random >> 20) % file.size()] = static_cast<uint8_t>(random >> 56);
    }
    file[0] = 0x7f;
    const CfiTable table = ReadCfi(file);
    for (size_t i = 1; i < table.rows.size(); ++i) ASSERT_LT(table.rows[i - 1].start, table.rows[i].start);
  }
}

}  // namespace
}  // namespace kawk
