#include "runtime/multi.h"

#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace kawk {
namespace {

constexpr uint32_t kReturnFlag = 1;

// bpf_attr of BPF_LINK_CREATE, with the parts that the headers of the build machine may lack.
struct LinkCreate {
  uint32_t program;
  uint32_t target = 0;
  uint32_t attach_type;
  uint32_t flags = 0;
};
struct UprobeMultiCreate {
  LinkCreate link;
  uint64_t path;
  uint64_t offsets;
  uint64_t ref_ctr_offsets;
  uint64_t cookies;
  uint32_t count;
  uint32_t flags;
  uint32_t pid;
  uint32_t pad = 0;
};
struct KprobeMultiCreate {
  LinkCreate link;
  uint32_t flags;
  uint32_t count;
  uint64_t functions;
  uint64_t addresses;
  uint64_t cookies;
};

template <class T>
uint64_t Address(const std::vector<T>& list) {
  return list.empty() ? 0 : reinterpret_cast<uint64_t>(list.data());
}

template <class T>
Fd Create(T& attr) {
  return Fd(static_cast<int>(syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof attr)));
}

}  // namespace

Fd LinkUprobeMulti(const UprobeMulti& what) {
  // All zero means none; an array of zeros would be taken, too, but kernels look at each.
  const bool has_semaphores =
      std::any_of(what.ref_ctr_offsets.begin(), what.ref_ctr_offsets.end(), [](uint64_t o) { return o != 0; });
  UprobeMultiCreate attr = {};
  attr.link = {static_cast<uint32_t>(what.program), 0, kUprobeMulti, 0};
  attr.path = reinterpret_cast<uint64_t>(what.path.c_str());
  attr.offsets = Address(what.offsets);
  attr.ref_ctr_offsets = has_semaphores ? Address(what.ref_ctr_offsets) : 0;
  attr.cookies = Address(what.cookies);
  attr.count = static_cast<uint32_t>(what.offsets.size());
  attr.flags = what.is_return ? kReturnFlag : 0;
  attr.pid = static_cast<uint32_t>(what.pid);
  return Create(attr);
}

Fd LinkKprobeMulti(const KprobeMulti& what) {
  KprobeMultiCreate attr = {};
  attr.link = {static_cast<uint32_t>(what.program), 0, what.attach_type, 0};
  attr.flags = what.is_return ? kReturnFlag : 0;
  attr.count = static_cast<uint32_t>(std::max(what.functions.size(), what.addresses.size()));
  attr.functions = Address(what.functions);
  attr.addresses = Address(what.addresses);
  attr.cookies = Address(what.cookies);
  return Create(attr);
}

}  // namespace kawk
