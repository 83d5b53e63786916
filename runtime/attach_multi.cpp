// The kernel takes all functions of a link or none, and does not say which one it minds: the list is halved until those are
// alone. Since each try costs as much as what comes before the one minded, user functions whose first instruction the
// kernel is known not to like are tried apart.
#include "runtime/attach_multi.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/bpf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>

#include "runtime/instructions.h"
#include "runtime/kernel_functions.h"
#include "runtime/multi.h"

namespace kawk {
namespace {

using image::AttachKind;
using image::AttachSpec;
using Specs = std::span<const AttachSpec* const>;

bool IsReturn(AttachKind kind) { return kind == AttachKind::Uretprobe || kind == AttachKind::Kretprobe; }

class Linker {
 public:
  Linker(uint32_t attach_type, int program, int pid, std::vector<Fd>& links, std::vector<AttachFailure>& failures)
      : attach_type_(attach_type), program_(program), pid_(pid), links_(links), failures_(failures) {}

  void AttachAll(Specs specs) {
    std::vector<const AttachSpec*> good, doubtful;
    const Fd file(attach_type_ == kUprobeMulti ? open(specs[0]->path.c_str(), O_RDONLY | O_CLOEXEC) : -1);
    for (const AttachSpec* spec : specs) {
      uint8_t bytes[8];
      const ssize_t got = file ? pread(file.get(), bytes, sizeof bytes, static_cast<off_t>(spec->offset)) : 0;
      (got > 0 && LooksUnprobeable({bytes, static_cast<size_t>(got)}) ? doubtful : good).push_back(spec);
    }
    Attach(good);
    for (const AttachSpec* spec : doubtful) Attach(Specs(&spec, 1));
  }

  void Attach(Specs specs) {
    if (specs.empty() || (!failures_.empty() && !failures_.back().spec->by_pattern)) return;
    Fd link = attach_type_ == kUprobeMulti ? LinkUser(specs) : LinkKernel(specs);
    if (link) {
      links_.push_back(std::move(link));
      return;
    }
    if (specs.size() == 1) {
      failures_.push_back({specs[0], WhyNot(*specs[0], errno)});
      return;
    }
    Attach(specs.subspan(0, specs.size() / 2));
    Attach(specs.subspan(specs.size() / 2));
  }

 private:
  Fd LinkUser(Specs specs) const {
    UprobeMulti what{program_, specs[0]->path, {}, {}, {}, pid_, IsReturn(specs[0]->kind)};
    for (const AttachSpec* spec : specs) {
      what.offsets.push_back(spec->offset);
      what.ref_ctr_offsets.push_back(spec->ref_ctr_offset);
      what.cookies.push_back(spec->cookie);
    }
    return LinkUprobeMulti(what);
  }

  Fd LinkKernel(Specs specs) {
    KprobeMulti what{program_, attach_type_, {}, {}, {}, attach_type_ != kKprobeSession && IsReturn(specs[0]->kind)};
    // Names are of the kernel itself; functions of modules are known by their addresses.
    const bool by_address = !specs[0]->group.empty();
    for (const AttachSpec* spec : specs) {
      what.cookies.push_back(spec->cookie);
      if (!by_address) {
        what.functions.push_back(spec->target.c_str());
        continue;
      }
      what.addresses.push_back(functions_.Address(spec->group, spec->target));
      if (what.addresses.back() == 0) {
        errno = ENOENT;
        return Fd();
      }
    }
    return LinkKprobeMulti(what);
  }

  static Error WhyNot(const AttachSpec& spec, int code) {
    return spec.path.empty() ? CannotAttachKernelFunction(spec, code) : CannotAttach(spec, code);
  }

  uint32_t attach_type_;
  int program_;
  int pid_;
  std::vector<Fd>& links_;
  std::vector<AttachFailure>& failures_;
  KernelFunctions functions_;
};

}  // namespace

uint32_t MultiAttachType(const image::ProgramSpec& program, bool one_process, Features& features) {
  if (program.attach.size() < 2) return 0;
  const AttachKind kind = program.attach[0].kind;
  const bool alike =
      std::all_of(program.attach.begin(), program.attach.end(), [&](const AttachSpec& s) { return s.kind == kind; });
  if (!alike) return 0;
  if (kind == AttachKind::Uprobe || kind == AttachKind::Uretprobe) {
    const bool can = features.Has(Feature::UprobeMulti) && (!one_process || features.Has(Feature::UprobeMultiPid));
    return can ? kUprobeMulti : 0;
  }
  if (kind != AttachKind::Kprobe && kind != AttachKind::Kretprobe) return 0;
  // Only the entries of functions.
  const bool entries = std::all_of(program.attach.begin(), program.attach.end(),
                                   [](const AttachSpec& s) { return s.offset == 0 && !s.target.empty(); });
  return entries && features.Has(Feature::KprobeMulti) ? BPF_TRACE_KPROBE_MULTI : 0;
}

void AttachMulti(const image::ProgramSpec& program, uint32_t attach_type, int fd, int pid, std::vector<Fd>& links,
                 std::vector<AttachFailure>& failures) {
  std::vector<const AttachSpec*> specs;
  for (const AttachSpec& spec : program.attach) specs.push_back(&spec);
  // A link is of one file; for functions of the kernel, of names or of addresses.
  const bool user = attach_type == kUprobeMulti;
  const auto group = [&](const AttachSpec* s) { return user ? s->path : std::string(s->group.empty() ? "" : "module"); };
  std::stable_sort(specs.begin(), specs.end(), [&](const AttachSpec* a, const AttachSpec* b) { return group(a) < group(b); });
  Linker linker(attach_type, fd, pid, links, failures);
  for (size_t begin = 0; begin < specs.size();) {
    size_t end = begin;
    while (end < specs.size() && group(specs[end]) == group(specs[begin])) ++end;
    linker.AttachAll(Specs(specs).subspan(begin, end - begin));
    begin = end;
  }
}

}  // namespace kawk
