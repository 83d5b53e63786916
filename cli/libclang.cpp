#include "cli/libclang.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "host/files.h"
#include "host/ld_cache.h"

namespace kawk::libclang {
namespace {

constexpr const char* kChoice = "KAWK_LIBCLANG";  // in the environment: the library's path
constexpr const char* kWayOut = "install libclang1-19 or any other libclang, or name one by KAWK_LIBCLANG";
constexpr size_t kLargestCache = 64u << 20;
constexpr std::string_view kPrefix = "libclang";

// 19 of "libclang-19.so.19" and of "libclang.so.19.1"; -1: it is another library, such as libclang-cpp.
int VersionOf(std::string_view name) {
  if (!name.starts_with(kPrefix)) return -1;
  name.remove_prefix(kPrefix.size());
  if (name.starts_with(".so")) name.remove_prefix(3);
  if (name.empty()) return 0;
  int version = -1;
  if (name[0] == '-' || name[0] == '.') std::from_chars(name.data() + 1, name.data() + name.size(), version);
  return version;
}

// What the loader's cache knows, the newest first; then names that need no cache.
std::vector<std::string> Candidates() {
  std::vector<std::pair<int, std::string>> found;
  const Result<std::string> cache = ReadFile("/etc/ld.so.cache", kLargestCache);
  const Result<std::vector<LdCacheEntry>> entries =
      cache ? ParseLdCache(*cache) : Result<std::vector<LdCacheEntry>>(cache.error());
  if (entries) {
    for (const LdCacheEntry& entry : *entries) {
      const int version = VersionOf(entry.name);
      if (version >= 0) found.emplace_back(version, entry.path);
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::string> paths;
  for (auto& [version, path] : found) paths.push_back(std::move(path));
  paths.insert(paths.end(), {"libclang.so.1", "libclang.so"});
  return paths;
}

// An empty Error message: the file cannot be opened.
Status OpenAt(const std::string& path, Library& library) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return Error{dlerror(), ""};
  const char* missing = nullptr;
#define FUNCTION(name, ...)                                                                          \
  library.name = reinterpret_cast<std::type_identity_t<__VA_ARGS__>>(dlsym(handle, "clang_" #name)); \
  if (library.name == nullptr) missing = "clang_" #name;
  KAWK_LIBCLANG_FUNCTIONS(FUNCTION)
#undef FUNCTION
  if (missing != nullptr) {
    dlclose(handle);
    return Error{fmt::format("`{}` has no `{}`", path, missing), ""};
  }
  library.path = path;
  return Ok{};
}

Result<const Library*> OpenFirst() {
  static Library library;
  if (const char* choice = std::getenv(kChoice); choice != nullptr && *choice != '\0') {
    const Status status = OpenAt(choice, library);
    if (!status) return Error{fmt::format("headers are read by libclang: {}", status.error().message), kWayOut};
    return &library;
  }
  for (const std::string& path : Candidates()) {
    if (OpenAt(path, library)) return &library;
  }
  return Error{"headers are read by libclang, and there is none", kWayOut};
}

}  // namespace

std::string Library::Take(String string) const {
  const char* text = getCString(string);
  std::string copy = text != nullptr ? text : "";
  disposeString(string);
  return copy;
}

Result<const Library*> Open() {
  static const Result<const Library*> opened = OpenFirst();
  return opened;
}

}  // namespace kawk::libclang
