// Raw tracepoints are listed by a walk over the mapped bytes, because libbpf first copies the 5 MB; everything else goes
// through libbpf. Where raw tracepoints stand in BTF: `typedef void (*btf_trace_EVENT)(void *, args…)` for most, without argument
// names; and the functions `__traceiter_EVENT(void *__data, args…)` with names, also for tracepoints declared without the
// typedef.
#include "host/kernel_btf.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>
#include <iterator>

#include "host/files.h"

namespace kawk {
namespace {

constexpr std::string_view kTypedefPrefix = "btf_trace_";
constexpr std::string_view kFunctionPrefix = "__traceiter_";
constexpr size_t kMaxBtfBytes = 256u << 20;

std::string_view NameOf(const ::btf* types, const ::btf_type* type) {
  const char* name = btf__name_by_offset(types, type->name_off);
  return name == nullptr ? std::string_view() : std::string_view(name);
}

size_t Hash(std::string_view name) { return std::hash<std::string_view>()(name); }

struct Sections {
  std::string_view types;
  std::string_view strings;
};

std::optional<Sections> FindSections(std::string_view bytes) {
  struct btf_header header;
  if (bytes.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.magic != BTF_MAGIC || header.hdr_len < sizeof header || header.hdr_len > bytes.size()) return std::nullopt;
  bytes.remove_prefix(header.hdr_len);
  const auto inside = [&](uint64_t offset, uint64_t length) { return offset + length <= bytes.size(); };
  if (!inside(header.type_off, header.type_len) || !inside(header.str_off, header.str_len)) return std::nullopt;
  return Sections{bytes.substr(header.type_off, header.type_len), bytes.substr(header.str_off, header.str_len)};
}

// Bytes of a type's record; nothing for a kind that is newer than this list.
std::optional<size_t> TypeBytes(const struct btf_type& type) {
  size_t tail = 0;
  const size_t count = btf_vlen(&type);
  switch (btf_kind(&type)) {
    case BTF_KIND_INT: tail = sizeof(uint32_t); break;
    case BTF_KIND_ARRAY: tail = sizeof(struct btf_array); break;
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION: tail = count * sizeof(struct btf_member); break;
    case BTF_KIND_ENUM: tail = count * sizeof(struct btf_enum); break;
    case BTF_KIND_ENUM64: tail = count * sizeof(struct btf_enum64); break;
    case BTF_KIND_FUNC_PROTO: tail = count * sizeof(struct btf_param); break;
    case BTF_KIND_VAR: tail = sizeof(struct btf_var); break;
    case BTF_KIND_DATASEC: tail = count * sizeof(struct btf_var_secinfo); break;
    case BTF_KIND_DECL_TAG: tail = sizeof(struct btf_decl_tag); break;
    case BTF_KIND_PTR:
    case BTF_KIND_FWD:
    case BTF_KIND_TYPEDEF:
    case BTF_KIND_VOLATILE:
    case BTF_KIND_CONST:
    case BTF_KIND_RESTRICT:
    case BTF_KIND_FUNC:
    case BTF_KIND_FLOAT:
    case BTF_KIND_TYPE_TAG: break;
    default: return std::nullopt;
  }
  return sizeof type + tail;
}

void Unique(std::vector<std::string>& names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
}

}  // namespace

void BtfDeleter::operator()(::btf* types) const { btf__free(types); }

BtfNameIndex::BtfNameIndex(const ::btf* types, Content content) : types_(types) {
  const uint32_t count = btf__type_cnt(types);
  const auto belongs = [&](const ::btf_type* type) {
    return type->name_off != 0 && btf_is_func(type) == (content == Content::Functions);
  };
  size_t named = 0;
  for (uint32_t id = 1; id < count; ++id) named += belongs(btf__type_by_id(types, id));
  size_t size = 16;
  while (size < 2 * named) size *= 2;
  slots_.assign(size, 0);
  for (uint32_t id = 1; id < count; ++id) {
    const ::btf_type* type = btf__type_by_id(types, id);
    if (!belongs(type)) continue;
    size_t slot = Hash(NameOf(types, type)) & (size - 1);
    while (slots_[slot] != 0) slot = (slot + 1) & (size - 1);
    slots_[slot] = id;
  }
}

uint32_t BtfNameIndex::Find(std::string_view name, uint32_t kind) const {
  const size_t mask = slots_.size() - 1;
  for (size_t slot = Hash(name) & mask; slots_[slot] != 0; slot = (slot + 1) & mask) {
    const ::btf_type* type = btf__type_by_id(types_, slots_[slot]);
    if (btf_kind(type) == kind && NameOf(types_, type) == name) return slots_[slot];
  }
  return 0;
}

namespace {

// Calls `visit(kind, name)` for every named type, in one walk over the bytes.
template <class Visit>
void ForEachName(std::string_view bytes, uint32_t base_strings, const Visit& visit) {
  const std::optional<Sections> sections = FindSections(bytes);
  if (!sections) return;
  std::string_view types = sections->types;
  while (types.size() >= sizeof(struct btf_type)) {
    struct btf_type type;
    std::memcpy(&type, types.data(), sizeof type);
    const std::optional<size_t> size = TypeBytes(type);
    if (!size || *size > types.size()) break;
    types.remove_prefix(*size);
    if (type.name_off < base_strings || type.name_off - base_strings >= sections->strings.size()) continue;
    visit(btf_kind(&type), sections->strings.substr(type.name_off - base_strings));
  }
}

// What follows `prefix` in a name that begins at `text`, up to its NUL; empty when it does not begin so.
std::string_view Behind(std::string_view prefix, std::string_view text) {
  if (!text.starts_with(prefix)) return {};
  const size_t end = text.find('\0', prefix.size());
  return end == std::string_view::npos ? std::string_view() : text.substr(prefix.size(), end - prefix.size());
}

}  // namespace

std::vector<std::string> RawTracepointNames(std::string_view bytes, uint32_t base_strings) {
  std::vector<std::string> names;
  ForEachName(bytes, base_strings, [&](uint32_t kind, std::string_view text) {
    if (kind != BTF_KIND_TYPEDEF && kind != BTF_KIND_FUNC) return;
    const std::string_view name = Behind(kind == BTF_KIND_TYPEDEF ? kTypedefPrefix : kFunctionPrefix, text);
    if (!name.empty()) names.emplace_back(name);
  });
  Unique(names);
  return names;
}

std::vector<std::string> IteratorNames(std::string_view bytes) {
  std::vector<std::string> functions;
  std::vector<std::string> contexts;
  ForEachName(bytes, 0, [&](uint32_t kind, std::string_view text) {
    // Helpers of iterators have such names too, but no context struct.
    const std::string_view function = kind == BTF_KIND_FUNC ? Behind("bpf_iter_", text) : "";
    const std::string_view context = kind == BTF_KIND_STRUCT ? Behind("bpf_iter__", text) : "";
    if (!function.empty()) functions.emplace_back(function);
    if (!context.empty()) contexts.emplace_back(context);
  });
  Unique(functions);
  Unique(contexts);
  std::vector<std::string> names;
  std::set_intersection(functions.begin(), functions.end(), contexts.begin(), contexts.end(), std::back_inserter(names));
  return names;
}

std::vector<std::string> IteratorNames(const ::btf* types) {
  uint32_t size = 0;
  const void* bytes = types == nullptr ? nullptr : btf__raw_data(types, &size);
  return IteratorNames(std::string_view(static_cast<const char*>(bytes), bytes == nullptr ? 0 : size));
}

BtfBytes::~BtfBytes() {
  if (copy_.empty() && !view_.empty()) ::munmap(const_cast<char*>(view_.data()), view_.size());
}

void BtfBytes::Open(const std::string& path) {
  Result<FileDescriptor> fd = OpenRegular(path);
  struct stat status;
  if (!fd || ::fstat(fd->get(), &status) != 0 || status.st_size <= 0) return;
  const size_t size = static_cast<size_t>(status.st_size);
  // Only the kernel's own file cannot be truncated under a mapping.
  if (size <= kMaxBtfBytes && path.starts_with("/sys/")) {
    void* mapping = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd->get(), 0);
    if (mapping != MAP_FAILED) {
      view_ = std::string_view(static_cast<const char*>(mapping), size);
      return;
    }
  }
  Result<std::string> text = ReadFile(path, kMaxBtfBytes);
  if (!text) return;
  copy_ = *std::move(text);
  view_ = copy_;
}

std::string_view KernelBtf::Bytes() {
  if (!opened_) {
    opened_ = true;
    bytes_.Open(path_);
  }
  return bytes_.view();
}

std::vector<std::string> KernelBtf::Iterators() { return IteratorNames(Bytes()); }

const ::btf* KernelBtf::Get() {
  if (!tried_) {
    tried_ = true;
    const std::string_view bytes = Bytes();
    ::btf* types =
        bytes.empty() || bytes.size() > UINT32_MAX ? nullptr : btf__new(bytes.data(), static_cast<uint32_t>(bytes.size()));
    types_.reset(libbpf_get_error(types) != 0 ? nullptr : types);
  }
  return types_.get();
}

uint32_t KernelBtf::Find(const std::string& name, uint32_t kind) {
  if (Get() == nullptr || name.empty()) return 0;
  if (kind == BTF_KIND_FUNC) {
    if (!function_index_) function_index_.emplace(Get(), BtfNameIndex::Content::Functions);
    return function_index_->Find(name, kind);
  }
  if (!type_index_) type_index_.emplace(Get(), BtfNameIndex::Content::Types);
  return type_index_->Find(name, kind);
}

const ::btf* KernelBtf::Module(const std::string& name) {
  const auto [known, is_new] = modules_.try_emplace(name);
  const bool plain = !name.empty() && name.front() != '.' && name.find('/') == std::string::npos;
  if (is_new && plain && Get() != nullptr) {
    const std::string path = path_.substr(0, path_.rfind('/') + 1) + name;
    known->second.reset(btf__parse_split(path.c_str(), types_.get()));
    if (libbpf_get_error(known->second.get()) != 0) static_cast<void>(known->second.release());
  }
  return known->second.get();
}

uint32_t FindModuleFunction(const ::btf* module, const std::string& name) {
  const uint32_t end = btf__type_cnt(module);
  for (uint32_t id = btf__type_cnt(btf__base_btf(module)); id < end; ++id) {
    const ::btf_type* type = btf__type_by_id(module, id);
    if (btf_is_func(type) && NameOf(module, type) == name) return id;
  }
  return 0;
}

const std::vector<std::string>& KernelBtf::RawTracepoints() {
  if (raw_tracepoints_) return *raw_tracepoints_;
  raw_tracepoints_.emplace();
  for (const std::string& name : RawTracepointNames(Bytes(), 0)) raw_tracepoints_->push_back("vmlinux:" + name);
  const std::optional<Sections> base = FindSections(Bytes());
  const std::string folder = path_.substr(0, path_.rfind('/'));
  if (!base || folder != "/sys/kernel/btf") return *raw_tracepoints_;
  if (Result<std::vector<std::string>> modules = ListFolder(folder, Entries::NotFolders)) {
    for (const std::string& module : *modules) {
      if (folder + "/" + module == path_) continue;
      BtfBytes bytes;
      bytes.Open(folder + "/" + module);
      for (const std::string& name : RawTracepointNames(bytes.view(), static_cast<uint32_t>(base->strings.size()))) {
        raw_tracepoints_->push_back(module + ":" + name);
      }
    }
  }
  Unique(*raw_tracepoints_);
  return *raw_tracepoints_;
}

BtfPrinter::BtfPrinter(const ::btf* types)
    : types_(types), dump_(types == nullptr ? nullptr : btf_dump__new(types, Append, this, nullptr), btf_dump__free) {}

void BtfPrinter::Append(void* context, const char* format, va_list arguments) {
  std::string& text = static_cast<BtfPrinter*>(context)->text_;
  char part[256];
  va_list again;
  va_copy(again, arguments);
  const int length = std::vsnprintf(part, sizeof part, format, arguments);
  if (length >= static_cast<int>(sizeof part)) {
    std::string long_part(static_cast<size_t>(length) + 1, '\0');
    std::vsnprintf(long_part.data(), long_part.size(), format, again);
    text.append(long_part, 0, static_cast<size_t>(length));
  } else if (length > 0) {
    text.append(part, static_cast<size_t>(length));
  }
  va_end(again);
}

std::string BtfPrinter::TypeText(uint32_t id) {
  if (id == 0) return "void";
  text_.clear();
  DECLARE_LIBBPF_OPTS(btf_dump_emit_type_decl_opts, options, .field_name = "");
  if (dump_ == nullptr || btf_dump__emit_type_decl(dump_.get(), id, &options) != 0) return "?";
  return text_;
}

std::string BtfPrinter::Definition(uint32_t id, const std::string& title) {
  // A dumper writes each type once, and those it needs in front: a new one for each.
  const std::unique_ptr<::btf_dump, void (*)(::btf_dump*)> dump(btf_dump__new(types_, Append, this, nullptr), btf_dump__free);
  text_.clear();
  if (libbpf_get_error(dump.get()) != 0 || btf_dump__dump_type(dump.get(), id) != 0) return title + " { … }";
  const size_t at = text_.rfind("\n" + title + " {");
  std::string text = at != std::string::npos ? text_.substr(at + 1) : text_;
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

BtfPrinter::Function BtfPrinter::Describe(uint32_t id) {
  Function function;
  const ::btf_type* type = types_ == nullptr ? nullptr : btf__type_by_id(types_, id);
  if (type == nullptr || !btf_is_func(type)) return function;
  const ::btf_type* prototype = btf__type_by_id(types_, type->type);
  if (prototype == nullptr || !btf_is_func_proto(prototype)) return function;
  function.known = true;
  const ::btf_param* parameters = btf_params(prototype);
  for (uint32_t i = 0; i < btf_vlen(prototype); ++i) {
    const char* name = btf__name_by_offset(types_, parameters[i].name_off);
    function.arguments.push_back({name == nullptr ? "" : name, TypeText(parameters[i].type)});
  }
  if (prototype->type != 0) function.result = TypeText(prototype->type);
  return function;
}

}  // namespace kawk
