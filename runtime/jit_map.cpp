#include "runtime/jit_map.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>

namespace kawk {

namespace {

constexpr int64_t kSecond = 1000000000;
constexpr size_t kSymbolsBound = 1 << 20;

// The id that the process knows itself by, in its own pid namespace, names the file.
uint32_t InnerPid(uint32_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("NSpid:")) continue;
    const size_t last = line.find_last_of(" \t");
    return static_cast<uint32_t>(strtoul(line.c_str() + last, nullptr, 10));
  }
  return pid;
}

}  // namespace

bool JitMap::Read(const std::string& file) {
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat info;
  if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {  // anybody may put anything there
    if (fd >= 0) close(fd);
    return false;
  }
  const int64_t changed = info.st_mtim.tv_sec * kSecond + info.st_mtim.tv_nsec;
  if (changed == changed_ns_ && info.st_size == length_) {
    close(fd);
    return true;
  }
  changed_ns_ = changed;
  length_ = info.st_size;
  symbols_.clear();
  FILE* map = fdopen(fd, "re");
  if (map == nullptr) {
    close(fd);
    return false;
  }
  char line[4096];
  while (symbols_.size() < kSymbolsBound && fgets(line, sizeof line, map) != nullptr) {
    uint64_t start = 0, size = 0;
    int name = 0;
    if (sscanf(line, "%" SCNx64 " %" SCNx64 " %n", &start, &size, &name) < 2 || name == 0) continue;
    symbols_.push_back({start, size, std::string(line + name, strcspn(line + name, "\n"))});
  }
  fclose(map);
  std::ranges::stable_sort(symbols_, {}, &Symbol::start);
  return true;
}

void JitMap::Refresh() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  const int64_t ns = now.tv_sec * kSecond + now.tv_nsec;
  if (looked_ns_ != 0 && ns - looked_ns_ < kSecond) return;
  looked_ns_ = ns;
  path_ = "/tmp/perf-" + std::to_string(InnerPid(pid_)) + ".map";
  if (!Read("/proc/" + std::to_string(pid_) + "/root" + path_)) Read(path_);
}

JitMap::Found JitMap::Find(uint64_t address) {
  const auto find = [&]() -> Found {
    const auto after = std::ranges::upper_bound(symbols_, address, {}, &Symbol::start);
    if (after == symbols_.begin()) return {};
    const Symbol& symbol = *std::prev(after);
    if (address - symbol.start >= symbol.size) return {};
    return {&symbol.name, address - symbol.start};
  };
  const Found known = find();
  if (known.name != nullptr) return known;
  Refresh();
  return find();
}

}  // namespace kawk
