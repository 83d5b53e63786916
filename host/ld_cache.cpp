// The format (glibc: sysdeps/generic/dl-cache.h), little or big endian as the machine:
//   "glibc-ld.so.cache" "1.1"  u32 count  u32 string bytes  u8 flags  3 bytes  u32 extension  12 bytes
//   count times: i32 flags  u32 name  u32 path  u32 os version  u64 hwcap     (offsets from the start of this header)
// Older systems put a cache of the format "ld.so-1.7.0" before it: u32 count, count times 12 bytes, aligned to 8.
#include "host/ld_cache.h"

#include <cstdint>
#include <cstring>
#include <optional>

namespace kawk {
namespace {

constexpr std::string_view kMagic = "glibc-ld.so.cache1.1";
constexpr std::string_view kOldMagic = "ld.so-1.7.0";
constexpr size_t kHeaderBytes = 48;
constexpr size_t kEntryBytes = 24;

// The architecture bits (0xff00) that the loader of this machine accepts.
#if defined(__x86_64__)
constexpr uint32_t kArchitecture = 0x0300;
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = 0x0a00;
#elif defined(__s390x__)
constexpr uint32_t kArchitecture = 0x0400;
#elif defined(__powerpc64__)
constexpr uint32_t kArchitecture = 0x0500;
#elif defined(__riscv)
constexpr uint32_t kArchitecture = 0x1000;
#else
constexpr uint32_t kArchitecture = 0;
#endif

// The caller has checked that the bytes are there.
uint32_t Read32(std::string_view bytes, size_t at) {
  uint32_t value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

std::optional<std::string_view> StringAt(std::string_view bytes, uint32_t at) {
  if (at >= bytes.size()) return std::nullopt;
  const size_t end = bytes.find('\0', at);
  constexpr size_t kMaxPathBytes = 4096;
  if (end == std::string_view::npos || end - at > kMaxPathBytes) return std::nullopt;
  return bytes.substr(at, end - at);
}

// Where the new format begins.
std::optional<size_t> FindHeader(std::string_view bytes) {
  if (bytes.starts_with(kMagic)) return 0;
  constexpr size_t kOldHeaderBytes = 16;
  if (!bytes.starts_with(kOldMagic) || bytes.size() < kOldHeaderBytes) return std::nullopt;
  const uint64_t end = kOldHeaderBytes + 12ull * Read32(bytes, 12);
  const uint64_t aligned = (end + 7) & ~7ull;
  if (aligned > bytes.size() || !bytes.substr(aligned).starts_with(kMagic)) return std::nullopt;
  return aligned;
}

}  // namespace

Result<std::vector<LdCacheEntry>> ParseLdCache(std::string_view bytes) {
  const Error malformed{"the loader's cache is malformed", "run ldconfig", 0};
  const std::optional<size_t> header = FindHeader(bytes);
  if (!header) return malformed;
  bytes.remove_prefix(*header);
  if (bytes.size() < kHeaderBytes) return malformed;
  const uint32_t count = Read32(bytes, kMagic.size());
  if (count > (bytes.size() - kHeaderBytes) / kEntryBytes) return malformed;
  std::vector<LdCacheEntry> entries;
  for (uint32_t i = 0; i < count; ++i) {
    const size_t at = kHeaderBytes + i * kEntryBytes;
    const uint32_t flags = Read32(bytes, at);
    if (kArchitecture != 0 && (flags & 0xff00) != kArchitecture) continue;
    const auto name = StringAt(bytes, Read32(bytes, at + 4));
    const auto path = StringAt(bytes, Read32(bytes, at + 8));
    if (!name || !path || !path->starts_with('/')) continue;
    entries.push_back({std::string(*name), std::string(*path)});
  }
  return entries;
}

std::string FindLibrary(const std::vector<LdCacheEntry>& entries, std::string_view name) {
  if (name.empty()) return "";
  for (const LdCacheEntry& entry : entries) {
    if (entry.name == name) return entry.path;
  }
  const std::string with_suffix = std::string(name) + (name.ends_with(".so") ? "" : ".so");
  for (const LdCacheEntry& entry : entries) {
    const std::string_view candidate = entry.name;
    if (!candidate.starts_with(with_suffix)) continue;
    const std::string_view version = candidate.substr(with_suffix.size());
    if (version.empty() || version.front() == '.') return entry.path;
  }
  return "";
}

}  // namespace kawk
