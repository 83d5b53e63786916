#include "runtime/unwind_tables.h"

#include <bpf/bpf.h>
#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "runtime/user_symbols.h"

namespace kawk {

using image::UnwindProcess;
using image::UnwindRange;
using image::UnwindRow;

namespace {

constexpr uint64_t kRowsBound = 32 << 20;  // of all tables: 256 MB
constexpr uint64_t kFileBound = 8ull << 30;

// A file's bytes, without reading what nobody looks at.
class MappedBytes {
 public:
  explicit MappedBytes(const std::string& path) {
    const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat info;
    if (!fd || fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_size <= 0) return;
    const auto size = static_cast<uint64_t>(info.st_size);
    if (size > kFileBound) return;
    void* memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
    if (memory != MAP_FAILED) bytes_ = {static_cast<const uint8_t*>(memory), size};
  }
  ~MappedBytes() {
    if (!bytes_.empty()) munmap(const_cast<uint8_t*>(bytes_.data()), bytes_.size());
  }
  MappedBytes(const MappedBytes&) = delete;
  MappedBytes& operator=(const MappedBytes&) = delete;
  std::span<const uint8_t> get() const { return bytes_; }

 private:
  std::span<const uint8_t> bytes_;
};

// The kernel maps one vDSO into all processes, ours too.
std::span<const uint8_t> Vdso() {
  const auto* start = reinterpret_cast<const uint8_t*>(getauxval(AT_SYSINFO_EHDR));  // NOLINT(performance-no-int-to-ptr)
  if (start == nullptr) return {};
  Elf64_Ehdr header;
  std::memcpy(&header, start, sizeof header);
  return {start, header.e_shoff + uint64_t{header.e_shnum} * sizeof(Elf64_Shdr)};
}

// Where the file's address 0 is in the process.
uint64_t BiasOf(const Mapping& mapping, const std::vector<CfiSegment>& segments) {
  for (const CfiSegment& segment : segments) {
    const uint64_t length = mapping.end - mapping.start;
    const bool inside = mapping.file_offset < segment.offset + segment.size && segment.offset < mapping.file_offset + length;
    if (inside) return mapping.start - mapping.file_offset + segment.offset - segment.address;
  }
  return mapping.start - mapping.file_offset;
}

}  // namespace

Fd MakeUnwindTable(uint32_t rows) {
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
  return Fd(bpf_map_create(BPF_MAP_TYPE_ARRAY, "kawk_unwind", sizeof(uint32_t), sizeof(UnwindRow), rows, &options));
}

LoadedTable UnwindTables::Load(std::span<const uint8_t> elf) {
  CfiTable cfi = ReadCfi(elf);
  LoadedTable loaded;
  if (cfi.rows.empty() || fds_.size() >= image::kUnwindTables || rows_ + cfi.rows.size() > kRowsBound) return loaded;
  Fd table = MakeUnwindTable(static_cast<uint32_t>(cfi.rows.size()));
  if (!table) return loaded;
  const size_t bytes = cfi.rows.size() * sizeof(UnwindRow);
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, table.get(), 0);
  if (memory == MAP_FAILED) return loaded;
  std::memcpy(memory, cfi.rows.data(), bytes);
  munmap(memory, bytes);
  loaded.id = static_cast<uint32_t>(fds_.size());
  const int fd = table.get();
  if (bpf_map_update_elem(table_map_, &loaded.id, &fd, BPF_ANY) != 0) return loaded;
  rows_ += cfi.rows.size();
  fds_.push_back(std::move(table));
  loaded.rows = static_cast<uint32_t>(cfi.rows.size());
  loaded.base = cfi.base;
  loaded.segments = std::move(cfi.segments);
  return loaded;
}

const LoadedTable& UnwindTables::TableOf(uint32_t pid, const Mapping& mapping) {
  const bool vdso = mapping.path == "[vdso]";
  const std::string key = fmt::format("{}:{}:{}", mapping.device, mapping.inode, mapping.path);
  const auto known = tables_.find(key);
  if (known != tables_.end()) return known->second;
  LoadedTable loaded;
  if (vdso) {
    loaded = Load(Vdso());
  } else if (const std::string path = mapping.path.starts_with('/') ? PathOf(pid, mapping) : ""; !path.empty()) {
    loaded = Load(MappedBytes(path).get());
  }
  return tables_[key] = std::move(loaded);
}

void UnwindTables::Update(uint32_t pid, const std::vector<Mapping>& mappings) {
  if (mappings.empty()) {
    bpf_map_delete_elem(process_map_, &pid);
    return;
  }
  std::vector<UnwindRange> ranges;
  for (auto mapping = mappings.rbegin(); mapping != mappings.rend(); ++mapping) {
    const auto overlaps = [&](const UnwindRange& r) { return r.start < mapping->end && mapping->start < r.end; };
    if (std::ranges::any_of(ranges, overlaps)) continue;  // it was there before the newer one
    const LoadedTable& table = TableOf(pid, *mapping);
    if (table.rows == 0) continue;
    ranges.push_back({mapping->start, mapping->end, BiasOf(*mapping, table.segments) + table.base, table.id, table.rows});
  }
  constexpr size_t kMost = std::size(UnwindProcess{}.ranges);
  if (ranges.size() > kMost) ranges.resize(kMost);
  std::ranges::sort(ranges, {}, &UnwindRange::start);
  ranges.resize(kMost, {image::kNoAddress, 0, 0, 0, 0});
  const auto process = std::make_unique<UnwindProcess>();
  std::ranges::copy(ranges, process->ranges);
  bpf_map_update_elem(process_map_, &pid, process.get(), BPF_ANY);
}

}  // namespace kawk
