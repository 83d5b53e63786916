// Kinds whose text needs more than their bytes: addresses, buffers, cgroups.
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <mntent.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/value.h"

namespace kawk {

void AppendBuffer(std::string& out, Bytes bytes) {
  for (const uint8_t byte : bytes) {
    if (byte >= 0x20 && byte < 0x7f) {
      out += static_cast<char>(byte);
    } else {
      AppendByteEscape(out, byte);
    }
  }
}

void AppendInet(std::string& out, Bytes bytes) {
  const int family = static_cast<int>(LoadUnsigned(Slice(bytes, 0, 4)));
  const Bytes address = Slice(bytes, 4, family == AF_INET ? 4 : 16);
  if ((family != AF_INET && family != AF_INET6) || address.empty()) return;
  char text[INET6_ADDRSTRLEN];
  if (inet_ntop(family, address.data(), text, sizeof text) != nullptr) out += text;
}

void AppendMac(std::string& out, Bytes bytes) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  const Bytes mac = Slice(bytes, 0, 6);
  for (size_t i = 0; i < mac.size(); ++i) {
    if (i > 0) out += ':';
    out += kDigits[mac[i] >> 4];
    out += kDigits[mac[i] & 15];
  }
}

namespace {

struct Hierarchy {
  std::string name;  // "unified", or the folder it is mounted on
  std::string path;
};

// cgroup2 first, the others by name.
std::vector<Hierarchy> CgroupHierarchies() {
  std::vector<Hierarchy> found;
  FILE* mounts = setmntent("/proc/self/mounts", "re");
  if (mounts == nullptr) return found;
  while (const mntent* mount = getmntent(mounts)) {
    const std::string_view type = mount->mnt_type;
    const std::string path = mount->mnt_dir;
    if (type == "cgroup2") found.push_back({"unified", path});
    if (type == "cgroup") found.push_back({path.substr(path.rfind('/') + 1), path});
  }
  endmntent(mounts);
  std::ranges::sort(found, {}, [](const Hierarchy& h) { return std::pair(h.name != "unified", h.name); });
  const auto same = [](const Hierarchy& a, const Hierarchy& b) { return a.name == b.name; };
  found.erase(std::unique(found.begin(), found.end(), same), found.end());
  return found;
}

// The path of the cgroup with this id below the hierarchy's mount point, or empty. A kernfs file handle is the id
// itself, so nothing is searched.
std::string CgroupInHierarchy(const Hierarchy& hierarchy, uint64_t id) {
  struct {
    file_handle handle;
    uint64_t id;
  } handle{};
  constexpr int kKernfsHandle = 0xfe;  // FILEID_KERNFS
  handle.handle.handle_bytes = sizeof id;
  handle.handle.handle_type = kKernfsHandle;
  std::memcpy(handle.handle.f_handle, &id, sizeof id);
  const int mount = open(hierarchy.path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (mount < 0) return "";
  const int fd = open_by_handle_at(mount, &handle.handle, O_PATH | O_CLOEXEC);
  close(mount);
  if (fd < 0) return "";
  char path[4096];
  const ssize_t length = readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path, sizeof path);
  close(fd);
  const std::string_view full(path, length > 0 ? static_cast<size_t>(length) : 0);
  if (!full.starts_with(hierarchy.path)) return "";
  const std::string_view rest = full.substr(hierarchy.path.size());
  return rest.empty() ? "/" : std::string(rest);
}

std::string FindCgroup(uint64_t id, const std::string& filter) {
  std::string text;
  for (const Hierarchy& hierarchy : CgroupHierarchies()) {
    if (!filter.empty() && fnmatch(filter.c_str(), hierarchy.name.c_str(), 0) != 0) continue;
    const std::string path = CgroupInHierarchy(hierarchy, id);
    if (path.empty()) continue;
    if (!text.empty()) text += ',';
    text += hierarchy.name + ":" + path;
  }
  return text;
}

}  // namespace

void AppendCgroupPath(std::string& out, uint64_t id, const std::string& filter) {
  // Ids are not used again while the machine runs, so what was found stays true; what was not found may yet appear.
  static std::mutex mutex;
  static std::unordered_map<std::string, std::string> found;
  constexpr size_t kBound = 1024;
  const std::string key = std::to_string(id) + filter;
  const std::lock_guard lock(mutex);
  const auto known = found.find(key);
  if (known != found.end()) {
    out += known->second;
    return;
  }
  const std::string text = FindCgroup(id, filter);
  if (found.size() >= kBound) found.clear();
  if (!text.empty()) found.emplace(key, text);
  out += text;
}

void AppendUsername(std::string& out, uint32_t uid) {
  static std::mutex mutex;
  static std::unordered_map<uint32_t, std::string> names;
  constexpr size_t kBound = 1024;
  const std::lock_guard lock(mutex);
  auto known = names.find(uid);
  if (known == names.end()) {
    if (names.size() >= kBound) names.clear();
    passwd entry{};
    passwd* found = nullptr;
    std::vector<char> buffer(1 << 14);
    if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) != 0) found = nullptr;
    known = names.emplace(uid, found != nullptr ? entry.pw_name : std::to_string(uid)).first;
  }
  out += known->second;
}

}  // namespace kawk
