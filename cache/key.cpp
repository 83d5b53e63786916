#include "cache/key.h"

#include <elf.h>
#include <link.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "cache/witness.h"
#include "host/files.h"
#include "runtime/image/image.h"

namespace kawk {
namespace {

constexpr size_t kMostNotes = 1u << 20;
constexpr const char* kPrefixes[] = {"KAWK_", "BPFTRACE_", "__BPFTRACE_"};
constexpr const char* kBtfVariables[] = {"KAWK_BTF", "BPFTRACE_BTF"};

// The bytes of the first build id among notes.
std::string BuildIdIn(std::string_view notes) {
  while (notes.size() >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) head;
    std::memcpy(&head, notes.data(), sizeof head);
    notes.remove_prefix(sizeof head);
    const size_t name = (size_t{head.n_namesz} + 3) / 4 * 4;
    const size_t rest = (size_t{head.n_descsz} + 3) / 4 * 4;
    if (name > notes.size() || rest > notes.size() - name) break;
    if (head.n_type == NT_GNU_BUILD_ID && notes.starts_with("GNU")) return std::string(notes.substr(name, head.n_descsz));
    notes.remove_prefix(name + rest);
  }
  return "";
}

// The first object that the loader tells of is the program.
int TakeBuildId(dl_phdr_info* info, size_t, void* to) {
  for (size_t i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_NOTE) continue;
    std::string& id = *static_cast<std::string*>(to);
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the loader tells addresses as numbers
    id = BuildIdIn({reinterpret_cast<const char*>(info->dlpi_addr + segment.p_vaddr), segment.p_memsz});
    if (!id.empty()) break;
  }
  return 1;
}

// Variables that begin with our prefixes, as `NAME=VALUE`, sorted.
std::vector<std::string> Environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    if (IsInCacheKey(*variable)) variables.emplace_back(*variable);
  }
  std::sort(variables.begin(), variables.end());
  return variables;
}

// Which kernel runs, and how it was started: what it offers follows from that. Its modules are facts of their own.
Status AddKernel(Sha256& sum) {
  utsname name;
  if (uname(&name) != 0) return Error{"uname fails", "", errno};
  for (const char* text : {name.sysname, name.release, name.version, name.machine}) sum.AddText(text);
  Result<std::string> notes = ReadFile("/sys/kernel/notes", kMostNotes);
  if (!notes) return notes.error();
  const std::string id = BuildIdIn(*notes);
  if (id.empty()) return Error{"the kernel has no build id", ""};
  sum.AddText(id);
  for (const char* path : {"/proc/cmdline", "/sys/kernel/security/lockdown"}) {
    const Digest digest = FileDigest(path);
    sum.Add(digest.data(), digest.size());
  }
  // Types of another kernel, if the environment says so.
  for (const char* variable : kBtfVariables) {
    if (const char* path = std::getenv(variable)) {
      const Digest digest = FileIdentity(path);
      sum.Add(digest.data(), digest.size());
    }
  }
  return Ok{};
}

// Without some capabilities the kernel answers differently.
Status AddPrivileges(Sha256& sum) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets = {};
  if (syscall(SYS_capget, &header, sets.data()) != 0) return Error{"capget fails", "", errno};
  for (const __user_cap_data_struct& set : sets) sum.AddNumber(set.effective);
  sum.AddNumber(geteuid());
  return Ok{};
}

}  // namespace

bool IsInCacheKey(std::string_view variable) {
  return std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                     [&](const char* prefix) { return variable.starts_with(prefix); });
}

std::string OwnBuildId() {
  std::string id;
  dl_iterate_phdr(TakeBuildId, &id);
  return id;
}

Result<Digest> CacheKey(const std::vector<std::string>& words) {
  Sha256 sum;
  const std::string own = OwnBuildId();
  if (own.empty()) return Error{"this kawk has no build id", ""};
  sum.AddText(own);
  sum.AddNumber(image::kVersion);
  if (Status added = AddKernel(sum); !added) return added.error();
  if (Status added = AddPrivileges(sum); !added) return added.error();
  for (const std::vector<std::string>& list : {Environment(), words}) {
    sum.AddNumber(list.size());
    for (const std::string& text : list) sum.AddText(text);
  }
  return sum.Finish();
}

}  // namespace kawk
