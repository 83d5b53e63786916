#include "runtime/tracing.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <linux/bpf.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "base/check.h"
#include "runtime/attach_points.h"
#include "runtime/btf_ids.h"

namespace kawk {
namespace {

using image::AttachKind;
using image::AttachSpec;

// A BPF program in the kernel, by name and, where it is given, by id.
Result<Fd> FindProgram(const AttachSpec& spec) {
  uint32_t id = 0;
  Fd found;
  while (bpf_prog_get_next_id(id, &id) == 0) {
    if (spec.config != 0 && spec.config != id) continue;
    Fd program(bpf_prog_get_fd_by_id(id));
    if (!program) continue;
    bpf_prog_info info = {};
    uint32_t size = sizeof info;
    if (bpf_obj_get_info_by_fd(program.get(), &info, &size) != 0) continue;
    // The kernel cuts names off.
    if (spec.target.compare(0, sizeof info.name - 1, info.name) != 0) continue;
    if (found) {
      return CannotAttach(spec, "several BPF programs have this name",
                          fmt::format("write {}:bpf:ID:{}; bpftool prog lists them",
                                      spec.kind == AttachKind::Fentry ? "fentry" : "fexit", spec.target),
                          EEXIST);
    }
    found = std::move(program);
  }
  if (!found) return CannotAttach(spec, "there is no such BPF program", "bpftool prog lists them", ENOENT);
  return found;
}

Error CannotTie(const AttachSpec& spec, int code) {
  if (spec.kind == AttachKind::Iter)
    return CannotAttach(spec, "this kernel has no such iterator", "-l 'iter:*' lists them", code);
  if (code == ESRCH || code == ENOENT)
    return CannotAttach(spec, "the kernel's BTF does not have this function", "kprobe needs no BTF", code);
  return CannotAttach(spec, strerror(code), "kprobe may work where this does not", code);
}

// What a target is called in the kernel's types; nothing for targets elsewhere.
std::optional<BtfName> TargetName(const AttachSpec& spec) {
  if (!spec.group.empty() && spec.group != "vmlinux") return std::nullopt;
  switch (spec.kind) {
    case AttachKind::Fentry:
    case AttachKind::Fexit: return BtfName{spec.target, BTF_KIND_FUNC};
    case AttachKind::Iter: return BtfName{"bpf_iter_" + spec.target, BTF_KIND_FUNC};
    case AttachKind::BtfTracepoint: return BtfName{"btf_trace_" + spec.target, BTF_KIND_TYPEDEF};
    default: return std::nullopt;
  }
}

// By libbpf, where a target is not in the kernel's own types.
Status Tie(bpf_program* program, const AttachSpec& spec) {
  if (spec.group == "bpf") {
    Result<Fd> target = FindProgram(spec);
    if (!target) return target.error();
    const int error = bpf_program__set_attach_target(program, target->Release(), spec.target.c_str());
    return error == 0 ? Status(Ok{}) : Status(CannotTie(spec, -error));
  }
  const int error = bpf_program__set_attach_target(program, 0, spec.target.c_str());
  return error == 0 ? Status(Ok{}) : Status(CannotTie(spec, -error));
}

// Those that are tied by ids in the kernel's types; libbpf asks when it loads a program.
thread_local const std::map<const bpf_program*, uint32_t>* loading = nullptr;

// Until now such a program is of another type: for tracing programs libbpf would read all of the kernel's types.
int GiveTarget(bpf_program* program, bpf_prog_load_opts* options, long) {
  if (loading == nullptr) return 0;
  const auto target = loading->find(program);
  if (target == loading->end()) return 0;
  options->attach_btf_id = target->second;
  return bpf_program__set_type(program, BPF_PROG_TYPE_TRACING);
}

}  // namespace

bool IsTied(AttachKind kind) {
  return kind == AttachKind::Fentry || kind == AttachKind::Fexit || kind == AttachKind::Iter || kind == AttachKind::BtfTracepoint;
}

void Ties::Prepare() {
  static const int handler = [] {
    libbpf_prog_handler_opts options = {};
    options.sz = sizeof options;
    options.prog_prepare_load_fn = GiveTarget;
    return libbpf_register_prog_handler(nullptr, BPF_PROG_TYPE_UNSPEC, static_cast<bpf_attach_type>(0), &options);
  }();
  CHECK(handler >= 0);
}

Status Ties::TieAll(const std::vector<std::pair<bpf_program*, const AttachSpec*>>& programs) {
  std::vector<BtfName> names;
  for (const auto& [program, spec] : programs) names.push_back(TargetName(*spec).value_or(BtfName{}));
  const std::vector<uint32_t> ids = FindBtfIds(names);
  for (size_t i = 0; i < programs.size(); ++i) {
    const auto& [program, spec] = programs[i];
    if (ids[i] != 0) {
      targets_.emplace(program, ids[i]);
      bpf_program__set_type(program, BPF_PROG_TYPE_RAW_TRACEPOINT);
    } else if (Status status = Tie(program, *spec); !status) {
      return status;
    }
  }
  return Ok{};
}

int Ties::Load(bpf_object* object) const {
  loading = &targets_;
  const int result = bpf_object__load(object);
  loading = nullptr;
  return result;
}

namespace {

// The kernel's own object of a module's BTF.
Fd ModuleBtf(const std::string& module) {
  uint32_t id = 0;
  while (bpf_btf_get_next_id(id, &id) == 0) {
    Fd candidate(bpf_btf_get_fd_by_id(id));
    char name[64] = {};
    bpf_btf_info info = {};
    info.name = reinterpret_cast<uint64_t>(name);
    info.name_len = sizeof name;
    uint32_t size = sizeof info;
    if (candidate && bpf_obj_get_info_by_fd(candidate.get(), &info, &size) == 0 && info.kernel_btf != 0 && module == name)
      return candidate;
  }
  return Fd();
}

bool IsLoaded(const btf* types) { return types != nullptr && libbpf_get_error(types) == 0; }

}  // namespace

const TiedCopies::Names& TiedCopies::NamesOf(const std::string& module) {
  const auto [known, is_new] = modules_.try_emplace(module);
  Names& names = known->second;
  if (!is_new) return names;
  btf* kernel = btf__load_vmlinux_btf();
  btf* types = kernel;
  uint32_t first = 1;
  if (!module.empty() && IsLoaded(kernel)) {
    first = btf__type_cnt(kernel);
    types = btf__load_module_btf(module.c_str(), kernel);
    names.btf = ModuleBtf(module);
  }
  for (uint32_t id = first; IsLoaded(types) && id < btf__type_cnt(types); ++id) {
    const btf_type* type = btf__type_by_id(types, id);
    if (btf_is_func(type) || btf_is_typedef(type)) names.functions.emplace(btf__name_by_offset(types, type->name_off), id);
  }
  if (types != kernel) btf__free(types);
  btf__free(kernel);
  return names;
}

Result<Fd> TiedCopies::Load(const bpf_program* program, const AttachSpec& spec) {
  if (spec.group == "bpf")
    return CannotAttach(spec, "one probe on several BPF programs is not possible", "write a probe for each", EINVAL);
  std::string name = spec.target;
  if (spec.kind == AttachKind::Iter) name = "bpf_iter_" + name;
  if (spec.kind == AttachKind::BtfTracepoint) name = "btf_trace_" + name;
  bpf_prog_load_opts options = {};
  options.sz = sizeof options;
  options.expected_attach_type = bpf_program__expected_attach_type(program);
  const Names& names = NamesOf(spec.group == "vmlinux" ? "" : spec.group);
  const auto found = names.functions.find(name);
  if (found == names.functions.end()) return CannotTie(spec, ESRCH);
  options.attach_btf_id = found->second;
  if (names.btf) options.attach_btf_obj_fd = static_cast<uint32_t>(names.btf.get());
  Fd copy(bpf_prog_load(BPF_PROG_TYPE_TRACING, bpf_program__name(program), "GPL", bpf_program__insns(program),
                        bpf_program__insn_cnt(program), &options));
  if (!copy) return CannotTie(spec, errno);
  return copy;
}

Status RunIterator(int link) {
  const Fd reader(bpf_iter_create(link));
  if (!reader) return Error{fmt::format("cannot run the iterator: {}", strerror(errno)), "", errno};
  char text[4096];
  ssize_t got = 1;
  while (got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN))) got = read(reader.get(), text, sizeof text);
  if (got < 0) return Error{fmt::format("the iterator stopped: {}", strerror(errno)), "", errno};
  return Ok{};
}

}  // namespace kawk
