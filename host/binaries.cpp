// With a process, everything happens in its root: its PATH folders, its loader's cache, its links. An absolute link under
// /proc/PID/root leads the kernel back to our own root, so links are followed here, by hand.
#include "host/binaries.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstring>

#include "host/files.h"
#include "host/host.h"

namespace kawk {
namespace {

constexpr size_t kMaxCacheBytes = 64u << 20;
constexpr size_t kMaxMapsBytes = 64u << 20;
constexpr size_t kMaxMatches = 100'000;
constexpr int kMaxLinks = 40;  // as the kernel's

std::string ReadLink(const std::string& path) {
  char target[PATH_MAX];
  const ssize_t length = ::readlink(path.c_str(), target, sizeof target);
  return length <= 0 ? std::string() : std::string(target, static_cast<size_t>(length));
}

bool HasInode(const std::string& path, uint64_t inode) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && status.st_ino == inode;
}

std::string BaseName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

Error NotFound(const std::string& name) {
  const bool is_path = name.find('/') != std::string::npos;
  return Error{fmt::format("binary `{}` does not exist", name),
               is_path ? "" : "a name without `/` is looked for in PATH and among the libraries of the loader's cache", ENOENT};
}

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// Extends the paths in `found` by one part of a pattern.
std::vector<std::string> Extend(const std::vector<std::string>& found, const std::string& part, bool is_last) {
  std::vector<std::string> extended;
  for (const std::string& base : found) {
    if (!HasWildcard(part)) {
      const std::string path = base + part;
      if (is_last ? IsRegular(path) : IsFolder(path)) extended.push_back(is_last ? path : path + "/");
      continue;
    }
    Result<std::vector<std::string>> names =
        ListFolder(base.empty() ? "." : base, is_last ? Entries::NotFolders : Entries::Folders);
    if (!names) continue;  // what we may not look into does not match
    for (const std::string& name : *names) {
      if (name.front() == '.' && part.front() != '.') continue;  // as in a shell
      if (!MatchesPattern(part, name)) continue;
      const std::string path = base + name;
      if (!is_last) {
        extended.push_back(path + "/");
      } else if (IsRegular(path)) {
        extended.push_back(path);
      }
      if (extended.size() >= kMaxMatches) return extended;
    }
  }
  return extended;
}

std::vector<std::string> Glob(const std::string& pattern) {
  std::vector<std::string> parts = Split(pattern, '/');
  std::vector<std::string> found = {""};
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i == 0 && parts[0].empty()) {
      found = {"/"};
    } else if (!parts[i].empty()) {
      found = Extend(found, parts[i], i + 1 == parts.size());
    }
  }
  return parts.back().empty() ? std::vector<std::string>() : found;
}

}  // namespace

Result<std::string> RootOf(int pid) {
  if (pid <= 0) return std::string();
  const std::string root = fmt::format("/proc/{}/root", pid);
  struct stat theirs;
  struct stat ours;
  // Through the trailing slash, so that the folder and not the link is looked at.
  if (::stat((root + "/").c_str(), &theirs) != 0) {
    const int error_number = errno;
    if (error_number == ENOENT) return Error{fmt::format("there is no process {}", pid), "", ESRCH};
    return FileError(root, error_number);
  }
  const bool same = ::stat("/", &ours) == 0 && ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
  // The same folder may be the root of different mount trees.
  if (same && ReadLink(fmt::format("/proc/{}/ns/mnt", pid)) == ReadLink("/proc/self/ns/mnt")) return std::string();
  return root;
}

std::string ResolveInRoot(const std::string& root, const std::string& path) {
  std::vector<std::string> pending = Split(path, '/');
  std::reverse(pending.begin(), pending.end());
  std::vector<std::string> done;
  int links = 0;
  while (!pending.empty()) {
    const std::string part = pending.back();
    pending.pop_back();
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (!done.empty()) done.pop_back();
      continue;
    }
    done.push_back(part);
    const std::string target = ReadLink(fmt::format("{}/{}", root, fmt::join(done, "/")));
    if (target.empty() || ++links > kMaxLinks) continue;
    if (target.front() == '/')
      done.clear();
    else
      done.pop_back();
    std::vector<std::string> parts = Split(target, '/');
    pending.insert(pending.end(), parts.rbegin(), parts.rend());
  }
  return fmt::format("{}/{}", root, fmt::join(done, "/"));
}

std::string WithoutRoot(const std::string& path) {
  constexpr std::string_view kProc = "/proc/";
  if (!path.starts_with(kProc)) return path;
  const size_t digits_end = path.find_first_not_of("0123456789", kProc.size());
  if (digits_end == std::string::npos || digits_end == kProc.size()) return path;
  return path.compare(digits_end, 6, "/root/") == 0 ? path.substr(digits_end + 5) : path;
}

std::vector<MappedFile> MappedFiles(std::string_view maps) {
  std::vector<MappedFile> files;
  for (const std::string& line : Split(maps, '\n')) {
    // 7f00-7f01 r-xp 00000000 fe:00 123   /usr/bin/app
    const size_t mode = line.find(' ');
    const size_t path = line.find('/');
    if (mode == std::string::npos || path == std::string::npos || mode + 3 >= line.size() || line[mode + 3] != 'x') continue;
    MappedFile file;
    file.path = line.substr(path);
    if (file.path.ends_with(" (deleted)")) continue;
    const std::vector<std::string> words = Split(std::string_view(line).substr(0, path), ' ');
    if (words.size() > 4) std::from_chars(words[4].data(), words[4].data() + words[4].size(), file.inode);
    files.push_back(std::move(file));
  }
  const auto by_path = [](const MappedFile& a, const MappedFile& b) { return a.path < b.path; };
  const auto same_path = [](const MappedFile& a, const MappedFile& b) { return a.path == b.path; };
  std::sort(files.begin(), files.end(), by_path);
  files.erase(std::unique(files.begin(), files.end(), same_path), files.end());
  return files;
}

std::vector<std::string> Binaries::PathFolders() const {
  std::vector<std::string> folders;
  for (std::string& folder : Split(path_, ':')) {
    if (folder.empty() || folder.front() != '/') continue;  // the current folder is no place to trust
    if (std::find(folders.begin(), folders.end(), folder) == folders.end()) folders.push_back(std::move(folder));
  }
  return folders;
}

std::string Binaries::FindInPath(const std::string& root, const std::string& name) const {
  for (const std::string& folder : PathFolders()) {
    const std::string path = folder + "/" + name;
    const std::string file = root.empty() ? path : ResolveInRoot(root, path);
    if (IsProgram(file)) return file;
  }
  return "";
}

std::string Binaries::FindInCache(const std::string& root, const std::string& name) {
  auto known = caches_.find(root);
  if (known == caches_.end()) {
    std::vector<LdCacheEntry> entries;
    // Without a cache (musl, a bare container) there are just no libraries by name.
    if (Result<std::string> bytes = ReadFile(root + "/etc/ld.so.cache", kMaxCacheBytes)) {
      if (Result<std::vector<LdCacheEntry>> parsed = ParseLdCache(*bytes)) entries = *std::move(parsed);
    }
    known = caches_.emplace(root, std::move(entries)).first;
  }
  const std::string path = FindLibrary(known->second, name);
  if (path.empty()) return "";
  const std::string file = root.empty() ? path : ResolveInRoot(root, path);
  return IsRegular(file) ? file : "";
}

Result<std::string> Binaries::Find(const std::string& name, int pid) {
  if (name.empty() || name.find('\0') != std::string::npos) return NotFound(name);
  Result<std::string> root = RootOf(pid);
  if (!root) return root.error();
  if (name.find('/') != std::string::npos) {
    std::string file = name;
    if (!root->empty() && WithoutRoot(name) == name) {
      const std::string folder = name.front() == '/' ? "" : ReadLink(fmt::format("/proc/{}/cwd", pid)) + "/";
      file = ResolveInRoot(*root, folder + name);
    }
    if (IsRegular(file)) return file;
    if (IsFolder(file)) return Error{fmt::format("`{}` is a folder, not a binary", name), "", EISDIR};
    struct stat status;
    if (::stat(file.c_str(), &status) != 0) return errno == ENOENT ? NotFound(name) : FileError(name, errno);
    return Error{fmt::format("`{}` is not a regular file", name), "", EINVAL};
  }
  if (std::string file = FindInPath(*root, name); !file.empty()) return file;
  if (std::string file = FindInCache(*root, name); !file.empty()) return file;
  return NotFound(name);
}

Result<std::vector<std::string>> Binaries::Match(const std::string& pattern, int pid) {
  if (!HasWildcard(pattern)) {
    Result<std::string> file = Find(pattern, pid);
    if (!file) return file.error();
    return std::vector<std::string>{*file};
  }
  Result<std::string> root = RootOf(pid);
  if (!root) return root.error();
  std::vector<std::string> files;
  if (pattern.find('/') != std::string::npos) {
    // Relative patterns are ours, also with a process: there is no shell in its folder.
    const bool in_root = !root->empty() && pattern.front() == '/' && WithoutRoot(pattern) == pattern;
    files = Glob(in_root ? *root + pattern : pattern);
  } else if (pid > 0) {
    // What the process has mapped, by its name.
    Result<std::string> maps = ReadFile(fmt::format("/proc/{}/maps", pid), kMaxMapsBytes);
    if (!maps) return maps.error();
    for (const MappedFile& file : MappedFiles(*maps)) {
      if (!MatchesPattern(pattern, BaseName(file.path))) continue;
      for (const std::string& path : {*root + file.path, file.path}) {
        if (!HasInode(path, file.inode)) continue;
        files.push_back(path);
        break;
      }
    }
  } else {
    for (const std::string& folder : PathFolders()) {
      for (std::string& file : Extend({folder + "/"}, pattern, true)) {
        if (IsProgram(file)) files.push_back(std::move(file));
      }
    }
  }
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());
  return files;
}

}  // namespace kawk
