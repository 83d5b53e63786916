#include "runtime/session.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <linux/bpf.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "runtime/multi.h"

namespace kawk {
namespace {

using image::AttachKind;
using image::AttachSpec;
using image::ProgramSpec;

constexpr const char* kIsReturn = "bpf_session_is_return";
// With fewer functions a second link costs less than looking the kernel's function up.
constexpr size_t kWorthIt = 50;

bool IsOf(const ProgramSpec& program, AttachKind kind) { return !program.attach.empty() && program.attach[0].kind == kind; }

// The same functions in the same order, so that a cookie means the same in both programs.
bool SameFunctions(const ProgramSpec& a, const ProgramSpec& b) {
  return std::equal(a.attach.begin(), a.attach.end(), b.attach.begin(), b.attach.end(),
                    [](const AttachSpec& x, const AttachSpec& y) {
                      return x.group == y.group && x.target == y.target && x.cookie == y.cookie && x.by_pattern == y.by_pattern;
                    });
}

// In the kernel's BTF; 0: it has no such function.
int32_t IsReturnId() {
  btf* types = btf__load_vmlinux_btf();
  if (types == nullptr || libbpf_get_error(types) != 0) return 0;
  const int32_t id = btf__find_by_name_kind(types, kIsReturn, BTF_KIND_FUNC);
  btf__free(types);
  return std::max(id, 0);
}

}  // namespace

std::vector<Session> FindSessions(const image::Image& image, std::vector<uint32_t>& multi_types, Features& features) {
  std::vector<Session> sessions;
  const auto& programs = image.programs;
  for (size_t entry = 0; entry < programs.size(); ++entry) {
    if (multi_types[entry] != BPF_TRACE_KPROBE_MULTI || !IsOf(programs[entry], AttachKind::Kprobe)) continue;
    if (programs[entry].attach.size() < kWorthIt) continue;
    for (size_t result = 0; result < programs.size(); ++result) {
      if (multi_types[result] != BPF_TRACE_KPROBE_MULTI || !IsOf(programs[result], AttachKind::Kretprobe)) continue;
      if (!SameFunctions(programs[entry], programs[result])) continue;
      if (!features.Has(Feature::KprobeSession) || IsReturnId() == 0) return sessions;
      multi_types[entry] = multi_types[result] = kKprobeSession;
      sessions.push_back({entry, result, {}, {}});
      break;
    }
  }
  return sessions;
}

Status MakeDispatcher(Session& session, int entry, int result) {
  const auto failed = [](const char* what) {
    return Error{fmt::format("cannot {} for a kprobe session: {}", what, strerror(errno)),
                 "--no-feature kprobe_session does without", errno};
  };
  session.programs = Fd(bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "kawk_session", sizeof(uint32_t), sizeof(uint32_t), 2, nullptr));
  if (!session.programs) return failed("make a map");
  const bpf_insn instructions[] = {
      {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_6, .src_reg = BPF_REG_1},
      // With the context as its argument, which later kernels want.
      {.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_KFUNC_CALL, .imm = IsReturnId()},
      {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_3, .src_reg = BPF_REG_0},
      {.code = BPF_ALU64 | BPF_AND | BPF_K, .dst_reg = BPF_REG_3, .imm = 1},
      {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_6},
      {.code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = BPF_REG_2, .src_reg = BPF_PSEUDO_MAP_FD, .imm = session.programs.get()},
      {},
      {.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_tail_call},
      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
      {.code = BPF_JMP | BPF_EXIT},
  };
  bpf_prog_load_opts options = {};
  options.sz = sizeof options;
  options.expected_attach_type = static_cast<bpf_attach_type>(kKprobeSession);
  session.dispatcher =
      Fd(bpf_prog_load(BPF_PROG_TYPE_KPROBE, "kawk_session", "GPL", instructions, std::size(instructions), &options));
  if (!session.dispatcher) return failed("load a program");
  const int programs[] = {entry, result};
  for (uint32_t i = 0; i < 2; ++i) {
    if (bpf_map_update_elem(session.programs.get(), &i, &programs[i], BPF_ANY) != 0) return failed("fill a map");
  }
  return Ok{};
}

}  // namespace kawk
