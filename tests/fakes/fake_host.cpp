#include "tests/fakes/fake_host.h"

#include <bpf/btf.h>
#include <linux/bpf.h>

#include <algorithm>
#include <cerrno>

namespace kawk {
namespace {

// name, type, offset, size, signed, __data_loc; as this project's development machine (6.18, x86-64) has them.
std::vector<TracepointFormat> UsualTracepoints() {
  const TracepointField number = {"__syscall_nr", "int", 8, 4, true};
  const TracepointField ret = {"ret", "long", 16, 8, true};
  return {
      {"syscalls",
       "sys_enter_openat",
       782,
       {number, {"dfd", "int", 16, 8}, {"filename", "const char *", 24, 8}, {"flags", "int", 32, 8}, {"mode", "umode_t", 40, 8}}},
      {"syscalls", "sys_exit_openat", 781, {number, ret}},
      {"syscalls",
       "sys_enter_read",
       842,
       {number, {"fd", "unsigned int", 16, 8}, {"buf", "char *", 24, 8}, {"count", "size_t", 32, 8}}},
      {"syscalls", "sys_exit_read", 841, {number, ret}},
      {"syscalls",
       "sys_enter_nanosleep",
       469,
       {number, {"rqtp", "struct __kernel_timespec *", 16, 8}, {"rmtp", "struct __kernel_timespec *", 24, 8}}},
      {"syscalls", "sys_exit_nanosleep", 468, {number, ret}},
      {"raw_syscalls", "sys_enter", 443, {{"id", "long", 8, 8, true}, {"args", "unsigned long[6]", 16, 48}}},
      {"raw_syscalls", "sys_exit", 442, {{"id", "long", 8, 8, true}, ret}},
      {"sched",
       "sched_switch",
       372,
       {{"prev_comm", "char[16]", 8, 16},
        {"prev_pid", "pid_t", 24, 4, true},
        {"prev_prio", "int", 28, 4, true},
        {"prev_state", "long", 32, 8, true},
        {"next_comm", "char[16]", 40, 16},
        {"next_pid", "pid_t", 56, 4, true},
        {"next_prio", "int", 60, 4, true}}},
      {"sched",
       "sched_process_exec",
       365,
       {{"filename", "__data_loc char[]", 8, 4, false, true}, {"pid", "pid_t", 12, 4, true}, {"old_pid", "pid_t", 16, 4, true}}},
      {"block",
       "block_rq_issue",
       2104,
       {{"dev", "dev_t", 8, 4},
        {"sector", "sector_t", 16, 8},
        {"nr_sector", "unsigned int", 24, 4},
        {"bytes", "unsigned int", 28, 4},
        {"ioprio", "unsigned short", 32, 2},
        {"rwbs", "char[10]", 34, 10},
        {"comm", "char[16]", 44, 16},
        {"cmd", "__data_loc char[]", 60, 4, false, true}}},
  };
}

// Two places of one probe with different arguments, and one that has a semaphore and an argument nobody can read.
std::vector<UsdtProbe> UsualUsdt() {
  using Place = UsdtArgument::Place;
  UsdtArgument in_register{Place::Register, 4, true};
  in_register.base = "rdi";
  UsdtArgument in_memory{Place::Memory, 8};
  in_memory.base = "rbp";
  in_memory.value = -8;
  UsdtArgument real{Place::Register, 8, false, true};
  return {{"app", "request", 0x1100, 0, "-4@%edi", {in_register}},
          {"app", "request", 0x1200, 0, "8@-8(%rbp)", {in_memory}},
          {"app", "watched", 0x1300, 0x3000, "8f@%xmm0", {real}}};
}

Error Absent(const std::string& what) { return Error{what + " does not exist", "", ENOENT}; }

}  // namespace

FakeHost::FakeHost() {
  for (TracepointFormat& format : UsualTracepoints()) AddTracepoint(std::move(format));
  raw_tracepoints = {"fakemod:fake_event", "vmlinux:sched_process_exec", "vmlinux:sched_switch", "vmlinux:sys_enter",
                     "vmlinux:sys_exit"};
  kernel_functions = {"do_nanosleep", "do_sys_openat2", "fake_void", "fakemod:fake_function",
                      "vfs_open",     "vfs_read",       "vfs_readv", "vfs_write"};
  AddBinary(
      {"/bin/app", {{"fn", 0x401000, 0x1000, 32}, {"fn2", 0x401020, 0x1020, 16}, {"main", 0x401040, 0x1040, 64}}, UsualUsdt()});
  AddBinary({"/lib/libfake.so.1", {{"fake_alloc", 0x2000, 0x2000, 8}, {"fake_free", 0x2010, 0x2010, 8}}});
}

void FakeHost::AddTracepoint(TracepointFormat format) {
  std::string name = format.category + ":" + format.event;
  tracepoints[std::move(name)] = std::move(format);
}

Result<TracepointFormat> FakeHost::ReadTracepoint(const std::string& category, const std::string& event) {
  if (tracefs_error) return *tracefs_error;
  const auto found = tracepoints.find(category + ":" + event);
  if (found == tracepoints.end()) return Absent("tracepoint `" + category + ":" + event + "`");
  return found->second;
}

Result<std::vector<std::string>> FakeHost::MatchTracepoints(const std::string& category, const std::string& event) {
  if (tracefs_error) return *tracefs_error;
  std::vector<std::string> matches;
  for (const auto& [name, format] : tracepoints) {
    if (MatchesPattern(category, format.category) && MatchesPattern(event, format.event)) matches.push_back(name);
  }
  return matches;
}

Result<std::vector<std::string>> FakeHost::MatchRawTracepoints(const std::string& pattern) {
  const size_t pattern_colon = pattern.find(':');
  const std::string module_pattern = pattern_colon == std::string::npos ? "*" : pattern.substr(0, pattern_colon);
  const std::string event_pattern = pattern.substr(pattern_colon == std::string::npos ? 0 : pattern_colon + 1);
  std::vector<std::string> matches;
  for (const std::string& name : raw_tracepoints) {
    const size_t colon = name.find(':');
    const std::string module = name.substr(0, colon);
    const std::string event = name.substr(colon + 1);
    if (!MatchesPattern(module_pattern, module) || !MatchesPattern(event_pattern, event)) continue;
    matches.push_back(module == "vmlinux" ? event : name);
  }
  std::sort(matches.begin(), matches.end());
  return matches;
}

Result<std::vector<std::string>> FakeHost::MatchKernelFunctions(const std::string& module, const std::string& function) {
  if (functions_error) return *functions_error;
  std::vector<std::string> matches;
  for (const std::string& name : kernel_functions) {
    const size_t colon = name.find(':');
    const std::string of = colon == std::string::npos ? "vmlinux" : name.substr(0, colon);
    const std::string bare = colon == std::string::npos ? name : name.substr(colon + 1);
    if ((module.empty() || MatchesPattern(module, of)) && MatchesPattern(function, bare)) matches.push_back(name);
  }
  std::sort(matches.begin(), matches.end());
  return matches;
}

Result<std::string> FakeHost::FindBinary(const std::string& name, int) {
  for (const Binary& binary : binaries) {
    const std::string base = binary.path.substr(binary.path.rfind('/') + 1);
    const bool is_library = base.starts_with(name + ".so");
    if (binary.path == name || base == name || is_library) return binary.path;
  }
  return Absent("binary `" + name + "`");
}

Result<std::vector<std::string>> FakeHost::MatchBinaries(const std::string& pattern, int pid) {
  if (!HasWildcard(pattern)) {
    Result<std::string> path = FindBinary(pattern, pid);
    if (!path) return path.error();
    return std::vector<std::string>{*path};
  }
  std::vector<std::string> matches;
  for (const Binary& binary : binaries) {
    if (MatchesPattern(pattern, binary.path)) matches.push_back(binary.path);
  }
  std::sort(matches.begin(), matches.end());
  return matches;
}

Result<std::vector<ElfSymbol>> FakeHost::MatchSymbols(const std::string& path, const std::string& pattern) {
  for (const Binary& binary : binaries) {
    if (binary.path != path) continue;
    std::vector<ElfSymbol> matches;
    for (const ElfSymbol& symbol : binary.symbols) {
      if (MatchesPattern(pattern, symbol.name)) matches.push_back(symbol);
    }
    std::stable_sort(matches.begin(), matches.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return matches;
  }
  return Absent("binary `" + path + "`");
}

namespace {

// main(int count, double share, struct pair *pair), with its source at app.c:1 to 4.
class FakeDebugInfo final : public DebugInfo {
 public:
  std::optional<DebugFunction> FunctionAt(uint64_t address) override {
    if (address != 0x401040) return std::nullopt;
    return DebugFunction{"main",
                         {{"count", "int", 1, {{DebugPiece::Place::Register, "rdi", 0, 4}}, ""},
                          {"share", "double", 2, {}, "it is in a floating-point register"},
                          {"pair", "struct pair*", 3, {{DebugPiece::Place::Register, "rsi", 0, 8}}, ""}}};
  }
  std::vector<DebugLine> LinesAt(const std::string& file, uint32_t line, uint32_t) override {
    if (file != "app.c" || line != 4) return {};
    return {{0x401048, "/src/app.c", 4, 3}};
  }
  uint32_t NextLine(const std::string& file, uint32_t line) override { return file == "app.c" && line <= 4 ? 4 : 0; }
  std::optional<std::string> InlinedAt(const std::string& function) override {
    return function == "tiny" ? std::optional<std::string>("app.c:9") : std::nullopt;
  }
  DebugType Type(uint32_t number) override {
    using Kind = DebugType::Kind;
    switch (number) {
      case 1: return {.kind = Kind::Int, .name = "int", .size = 4, .is_signed = true};
      case 2: return {.kind = Kind::Float, .name = "double", .size = 8};
      case 3: return {.kind = Kind::Pointer, .size = 8, .element = 4};
      case 4: return {.kind = Kind::Struct, .name = "pair", .size = 16, .fields = {{"first", 1, 0}, {"rest", 3, 8}}};
      default: return {};
    }
  }
  uint32_t FindType(const std::string& name) override { return name == "struct pair" ? 4 : 0; }
};

}  // namespace

Result<DebugInfo*> FakeHost::OpenDebugInfo(const std::string& path) {
  static FakeDebugInfo app;
  if (path == "/bin/app") return &app;
  return Error{"`" + path + "` has no debug information", "compile it with -g", ENOENT};
}

Result<std::vector<ElfSymbol>> FakeHost::MatchDemangled(const std::string& path, const std::string& pattern) {
  return MatchSymbols(path, pattern);
}

// Where a variable would be that stands 0x1000 behind the functions' addresses.
Result<ElfObject> FakeHost::FindObject(const std::string& path, const std::string& name, uint64_t file_offset) {
  Result<std::vector<ElfSymbol>> symbols = MatchSymbols(path, name);
  if (!symbols) return symbols.error();
  if (symbols->empty()) return Absent("symbol `" + name + "`");
  return ElfObject{static_cast<int64_t>(symbols->front().file_offset + 0x1000 - file_offset), symbols->front().size};
}

Result<uint64_t> FakeHost::KernelAddress(const std::string& name) {
  for (size_t i = 0; i < kernel_functions.size(); ++i) {
    if (kernel_functions[i] == name) return 0xffffffff81000000 + i * 0x100;
  }
  return Absent("symbol `" + name + "`");
}

Result<uint64_t> FakeHost::FileOffset(const std::string& path, uint64_t address) {
  for (const Binary& binary : binaries) {
    if (binary.path != path) continue;
    for (const ElfSymbol& symbol : binary.symbols) {
      if (address >= symbol.address && address - symbol.address < symbol.size) {
        return symbol.file_offset + (address - symbol.address);
      }
    }
    return Error{"the address is in no segment of the file", "", EINVAL};
  }
  return Absent("binary `" + path + "`");
}

Result<uint64_t> FakeHost::CgroupId(const std::string& path) {
  if (path == "/sys/fs/cgroup") return uint64_t{1};
  return Absent("cgroup `" + path + "`");
}

bool FakeHost::AllowsKfunc(uint32_t id, uint32_t program_type) { return id != 0 && program_type == BPF_PROG_TYPE_KPROBE; }

Result<std::vector<UsdtProbe>> FakeHost::MatchUsdt(const std::string& path, const std::string& provider,
                                                   const std::string& name) {
  for (const Binary& binary : binaries) {
    if (binary.path != path) continue;
    std::vector<UsdtProbe> matches;
    for (const UsdtProbe& probe : binary.usdt) {
      if (MatchesPattern(provider, probe.provider) && MatchesPattern(name, probe.name)) matches.push_back(probe);
    }
    return matches;
  }
  return Absent("binary `" + path + "`");
}

std::vector<std::string> FakeHost::Iterators() { return {"task"}; }

const ::btf* FakeHost::KernelBtf() {
  if (!has_btf) return nullptr;
  if (btf_ == nullptr) btf_ = MakeFakeBtf();
  return btf_.get();
}

uint32_t FakeHost::FindBtfType(const std::string& name, uint32_t kind) {
  if (KernelBtf() == nullptr) return 0;
  std::optional<BtfNameIndex>& index = kind == BTF_KIND_FUNC ? functions_ : types_;
  const auto content = kind == BTF_KIND_FUNC ? BtfNameIndex::Content::Functions : BtfNameIndex::Content::Types;
  if (!index) index.emplace(KernelBtf(), content);
  return index->Find(name, kind);
}

}  // namespace kawk
