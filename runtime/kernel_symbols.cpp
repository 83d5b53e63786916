#include "runtime/kernel_symbols.h"

#include <bcc/bcc_syms.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstring>

namespace kawk {

namespace {

constexpr size_t kCacheBound = 65536;

// A frozen map that holds the format: the verifier wants bpf_snprintf's format in memory that can never change.
int FormatMap() {
  const char format[8] = "%pS";
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_RDONLY_PROG);
  const int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "kawk_ksym_fmt", sizeof(uint32_t), sizeof format, 1, &options);
  const uint32_t zero = 0;
  if (map < 0) return -1;
  if (bpf_map_update_elem(map, &zero, format, BPF_ANY) != 0 || bpf_map_freeze(map) != 0) {
    close(map);
    return -1;
  }
  return map;
}

bpf_insn Instruction(uint8_t code, uint8_t dst, uint8_t src, int16_t off, int32_t imm) {
  bpf_insn instruction{};
  instruction.code = code;
  instruction.dst_reg = dst & 15;
  instruction.src_reg = src & 15;
  instruction.off = off;
  instruction.imm = imm;
  return instruction;
}

}  // namespace

KernelName ParseKernelName(std::string_view text) {
  KernelName parsed;
  const size_t plus = text.find("+0x");
  if (plus == std::string_view::npos || plus == 0) return parsed;
  const std::string_view rest = text.substr(plus + 3);
  std::from_chars(rest.data(), rest.data() + rest.size(), parsed.offset, 16);
  parsed.name = text.substr(0, plus);
  const size_t open = rest.find('[');
  const size_t close = rest.find_first_of(" ]", open == std::string_view::npos ? open : open + 1);
  if (open != std::string_view::npos && close != std::string_view::npos) parsed.module = rest.substr(open + 1, close - open - 1);
  return parsed;
}

KernelSymbols::~KernelSymbols() {
  if (question_ != nullptr) munmap(question_, sizeof(Question));
  if (question_map_ >= 0) close(question_map_);
  if (program_ >= 0) close(program_);
  if (table_ != nullptr) bcc_free_symcache(table_, -1);
}

bool KernelSymbols::LoadProgram() {
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
  question_map_ = bpf_map_create(BPF_MAP_TYPE_ARRAY, "kawk_ksym", sizeof(uint32_t), sizeof(Question), 1, &options);
  const int format = FormatMap();
  if (question_map_ < 0 || format < 0) return false;
  constexpr uint8_t kLoadPair = BPF_LD | BPF_DW | BPF_IMM;
  constexpr uint8_t kMove = BPF_ALU64 | BPF_MOV | BPF_X;
  constexpr uint8_t kMoveImmediate = BPF_ALU64 | BPF_MOV | BPF_K;
  constexpr uint8_t kAdd = BPF_ALU64 | BPF_ADD | BPF_K;
  const bpf_insn code[] = {
      Instruction(kLoadPair, 6, BPF_PSEUDO_MAP_VALUE, 0, question_map_),
      Instruction(0, 0, 0, 0, 0),
      Instruction(BPF_LDX | BPF_MEM | BPF_DW, 1, 6, offsetof(Question, address), 0),
      Instruction(BPF_STX | BPF_MEM | BPF_DW, 10, 1, -8, 0),
      Instruction(kMove, 1, 6, 0, 0),
      Instruction(kAdd, 1, 0, 0, offsetof(Question, answer)),
      Instruction(kMoveImmediate, 2, 0, 0, sizeof(Question::answer)),
      Instruction(kLoadPair, 3, BPF_PSEUDO_MAP_VALUE, 0, format),
      Instruction(0, 0, 0, 0, 0),
      Instruction(kMove, 4, 10, 0, 0),
      Instruction(kAdd, 4, 0, 0, -8),
      Instruction(kMoveImmediate, 5, 0, 0, 8),
      Instruction(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_snprintf),
      Instruction(kMoveImmediate, 0, 0, 0, 0),
      Instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
  };
  LIBBPF_OPTS(bpf_prog_load_opts, load, .prog_flags = BPF_F_SLEEPABLE);
  program_ = bpf_prog_load(BPF_PROG_TYPE_SYSCALL, "kawk_ksym", "GPL", code, std::size(code), &load);
  close(format);
  if (program_ < 0) return false;
  void* memory = mmap(nullptr, sizeof(Question), PROT_READ | PROT_WRITE, MAP_SHARED, question_map_, 0);
  if (memory == MAP_FAILED) return false;
  question_ = static_cast<Question*>(memory);
  return true;
}

void KernelSymbols::Prepare() {
  if (prepared_) return;
  prepared_ = true;
  if (!LoadProgram()) table_ = bcc_symcache_new(-1, nullptr);
}

KernelName KernelSymbols::Ask(uint64_t address) {
  question_->address = address;
  question_->answer[0] = '\0';
  LIBBPF_OPTS(bpf_test_run_opts, run);
  if (bpf_prog_test_run_opts(program_, &run) != 0) return {};
  return ParseKernelName(std::string_view(question_->answer, strnlen(question_->answer, sizeof question_->answer)));
}

KernelName KernelSymbols::LookUpTable(uint64_t address) {
  bcc_symbol symbol{};
  if (table_ == nullptr || bcc_symcache_resolve_no_demangle(table_, address, &symbol) != 0 || symbol.name == nullptr) return {};
  const std::string_view module = symbol.module == nullptr ? "" : symbol.module;
  return {symbol.name, std::string(module == "kernel" ? "" : module), symbol.offset};
}

const KernelName& KernelSymbols::Lookup(uint64_t address) {
  const auto known = cache_.find(address);
  if (known != cache_.end()) return known->second;
  Prepare();
  if (cache_.size() >= kCacheBound) cache_.clear();
  return cache_.emplace(address, question_ != nullptr ? Ask(address) : LookUpTable(address)).first->second;
}

}  // namespace kawk
