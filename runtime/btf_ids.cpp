#include "runtime/btf_ids.h"

#include <fcntl.h>
#include <linux/btf.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string_view>

#include "runtime/perf.h"

namespace kawk {
namespace {

constexpr const char* kVmlinux = "/sys/kernel/btf/vmlinux";

// The file's bytes while it lives; empty where the kernel cannot map them (before 6.16), or has none.
class Mapping {
 public:
  explicit Mapping(const char* path) {
    const Fd file(open(path, O_RDONLY | O_CLOEXEC));
    struct stat info;
    if (!file || fstat(file.get(), &info) != 0 || info.st_size <= 0) return;
    const size_t size = static_cast<size_t>(info.st_size);
    void* memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (memory != MAP_FAILED) bytes_ = {static_cast<const char*>(memory), size};
  }
  ~Mapping() {
    if (!bytes_.empty()) munmap(const_cast<char*>(bytes_.data()), bytes_.size());
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  std::string_view bytes() const { return bytes_; }

 private:
  std::string_view bytes_;
};

// Bytes of a type's record; nothing for a kind that is newer than this list.
std::optional<size_t> RecordBytes(uint32_t kind, size_t count) {
  switch (kind) {
    case BTF_KIND_INT:
    case BTF_KIND_VAR:
    case BTF_KIND_DECL_TAG: return sizeof(btf_type) + sizeof(uint32_t);
    case BTF_KIND_ARRAY: return sizeof(btf_type) + sizeof(btf_array);
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION: return sizeof(btf_type) + count * sizeof(btf_member);
    case BTF_KIND_ENUM: return sizeof(btf_type) + count * sizeof(btf_enum);
    case BTF_KIND_ENUM64: return sizeof(btf_type) + count * sizeof(btf_enum64);
    case BTF_KIND_FUNC_PROTO: return sizeof(btf_type) + count * sizeof(btf_param);
    case BTF_KIND_DATASEC: return sizeof(btf_type) + count * sizeof(btf_var_secinfo);
    case BTF_KIND_PTR:
    case BTF_KIND_FWD:
    case BTF_KIND_TYPEDEF:
    case BTF_KIND_VOLATILE:
    case BTF_KIND_CONST:
    case BTF_KIND_RESTRICT:
    case BTF_KIND_FUNC:
    case BTF_KIND_FLOAT:
    case BTF_KIND_TYPE_TAG: return sizeof(btf_type);
    default: return std::nullopt;
  }
}

bool IsNamed(std::string_view strings, uint32_t offset, const std::string& name) {
  return offset < strings.size() && name.size() < strings.size() - offset && strings.substr(offset).starts_with(name) &&
         strings[offset + name.size()] == '\0';
}

}  // namespace

std::vector<uint32_t> FindBtfIds(const std::vector<BtfName>& names) {
  std::vector<uint32_t> ids(names.size());
  const Mapping file(kVmlinux);
  std::string_view bytes = file.bytes();
  btf_header header;
  if (names.empty() || bytes.size() < sizeof header) return ids;
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.magic != BTF_MAGIC || header.hdr_len > bytes.size()) return ids;
  bytes.remove_prefix(header.hdr_len);
  if (uint64_t{header.type_off} + header.type_len > bytes.size() || uint64_t{header.str_off} + header.str_len > bytes.size()) {
    return ids;
  }
  std::string_view types = bytes.substr(header.type_off, header.type_len);
  const std::string_view strings = bytes.substr(header.str_off, header.str_len);
  for (uint32_t id = 1; types.size() >= sizeof(btf_type); ++id) {
    btf_type type;
    std::memcpy(&type, types.data(), sizeof type);
    const uint32_t kind = BTF_INFO_KIND(type.info);
    const std::optional<size_t> size = RecordBytes(kind, BTF_INFO_VLEN(type.info));
    if (!size || *size > types.size()) break;
    types.remove_prefix(*size);
    if (kind != BTF_KIND_FUNC && kind != BTF_KIND_TYPEDEF) continue;
    for (size_t i = 0; i < names.size(); ++i) {
      if (names[i].kind == kind && ids[i] == 0 && IsNamed(strings, type.name_off, names[i].name)) ids[i] = id;
    }
  }
  return ids;
}

}  // namespace kawk
