#include "host/kernel_questions.h"

#include <bpf/bpf.h>
#include <fmt/format.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace kawk {

// The id is the inode's number.
Result<uint64_t> CgroupId(const std::string& path) {
  struct statfs filesystem{};
  struct stat info{};
  if (statfs(path.c_str(), &filesystem) != 0 || stat(path.c_str(), &info) != 0) {
    return Error{fmt::format("`{}`: {}", path, std::strerror(errno)), "", errno};
  }
  if (filesystem.f_type != CGROUP2_SUPER_MAGIC || !S_ISDIR(info.st_mode)) {
    return Error{fmt::format("`{}` is no folder of the cgroup2 file system", path), "", ENOTDIR};
  }
  return static_cast<uint64_t>(info.st_ino);
}

// A program that does nothing but the call. The verifier looks whether it may call the function before it looks at what it
// gives it, and says so in its log.
bool AllowsKfunc(uint32_t id, uint32_t program_type) {
  const std::array<bpf_insn, 2> program = {
      bpf_insn{.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_KFUNC_CALL, .imm = static_cast<int32_t>(id)},
      bpf_insn{.code = BPF_JMP | BPF_EXIT},
  };
  std::string log(1 << 14, '\0');
  LIBBPF_OPTS(bpf_prog_load_opts, options);
  options.log_buf = log.data();
  options.log_size = static_cast<uint32_t>(log.size());
  options.log_level = 1;
  const auto type = static_cast<bpf_prog_type>(program_type);
  const int fd = bpf_prog_load(type, nullptr, "GPL", program.data(), program.size(), &options);
  if (fd >= 0) {
    close(fd);
    return true;
  }
  if (errno == EPERM) return false;
  const std::string_view text = log.c_str();
  for (std::string_view refusal : {"is not allowed", "not supported", "is not a kernel function", "could not find"}) {
    if (text.find(refusal) != std::string_view::npos) return false;
  }
  return !text.empty();
}

}  // namespace kawk
