#include "runtime/features.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <algorithm>
#include <cerrno>

#include "base/check.h"
#include "runtime/multi.h"

namespace kawk {
namespace {

struct FeatureRow {
  Feature feature;
  const char* name;
};
constexpr FeatureRow kRows[] = {{Feature::KprobeMulti, "kprobe_multi"},
                                {Feature::KprobeSession, "kprobe_session"},
                                {Feature::UprobeMulti, "uprobe_multi"},
                                {Feature::UprobeMultiPid, "uprobe_multi"}};

// A program that does nothing, for links of this kind.
Fd Nothing(uint32_t attach_type) {
  const bpf_insn instructions[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0}, {.code = BPF_JMP | BPF_EXIT}};
  bpf_prog_load_opts options = {};
  options.sz = sizeof options;
  options.expected_attach_type = static_cast<bpf_attach_type>(attach_type);
  return Fd(bpf_prog_load(BPF_PROG_TYPE_KPROBE, "kawk_asks", "GPL", instructions, std::size(instructions), &options));
}

// Links nothing that could fire: what the kernel complains about tells whether it knows the kind of link.
bool KnowsUprobeMulti(int pid, int wanted) {
  const Fd program = Nothing(kUprobeMulti);
  if (!program) return false;
  const Fd link = LinkUprobeMulti({program.get(), "/", {0}, {}, {}, pid, false});
  return !link && errno == wanted;
}

bool KnowsKprobeMulti(uint32_t attach_type) {
  const Fd program = Nothing(attach_type);
  if (!program) return false;
  const Fd link = LinkKprobeMulti({program.get(), attach_type, {"kawk_no_such_function"}, {}, {}, false});
  return !link && (errno == ESRCH || errno == ENOENT);
}

bool Ask(Feature feature) {
  switch (feature) {
    case Feature::KprobeMulti: return KnowsKprobeMulti(BPF_TRACE_KPROBE_MULTI);
    case Feature::KprobeSession: return KnowsKprobeMulti(kKprobeSession);
    case Feature::UprobeMulti: return KnowsUprobeMulti(0, EBADF);
    // The first kernels with it took a process for a thread, and did not look at a negative one.
    case Feature::UprobeMultiPid: return KnowsUprobeMulti(-1, EINVAL);
  }
  UNREACHABLE("feature");
}

}  // namespace

bool Features::Has(Feature feature) {
  const auto [known, is_new] = known_.try_emplace(feature, false);
  if (!is_new) return known->second;
  const auto row = std::find_if(std::begin(kRows), std::end(kRows), [&](const FeatureRow& r) { return r.feature == feature; });
  const bool disabled = std::find(disabled_.begin(), disabled_.end(), row->name) != disabled_.end();
  return known->second = !disabled && Ask(feature);
}

std::vector<std::string> Features::Names() {
  std::vector<std::string> names;
  for (const FeatureRow& row : kRows) {
    if (std::find(names.begin(), names.end(), row.name) == names.end()) names.emplace_back(row.name);
  }
  return names;
}

}  // namespace kawk
