#include "cli/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace kawk {
namespace {

constexpr size_t kLargestScript = 64u << 20;

Result<std::string> ReadAll(int fd, const std::string& name) {
  std::string text;
  char buffer[65536];
  for (;;) {
    const ssize_t got = read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error{fmt::format("cannot read `{}`: {}", name, std::strerror(errno)), "", errno};
    if (got == 0) return text;
    text.append(buffer, static_cast<size_t>(got));
    if (text.size() > kLargestScript) return Error{fmt::format("`{}` is too large for a script", name), "the limit is 64 MiB"};
  }
}

}  // namespace

Result<std::string> ReadScript(const std::string& path) {
  if (path == "-") return ReadAll(STDIN_FILENO, "standard input");
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) {
    const std::string hint =
        errno == ENOENT && path.find_first_of(" {}") != std::string::npos ? "a program text needs -e in front" : "";
    return Error{fmt::format("cannot open `{}`: {}", path, std::strerror(errno)), hint, errno};
  }
  Result<std::string> text = ReadAll(fd, path);
  close(fd);
  return text;
}

Status WriteFile(const std::string& path, const void* data, size_t size) {
  std::FILE* file = std::fopen(path.c_str(), "wbe");
  if (file == nullptr) return Error{fmt::format("cannot write `{}`: {}", path, std::strerror(errno)), "", errno};
  const bool written = std::fwrite(data, 1, size, file) == size;
  const bool closed = std::fclose(file) == 0;
  if (!written || !closed) return Error{fmt::format("cannot write `{}`: {}", path, std::strerror(errno)), "", errno};
  return Ok{};
}

void ReportError(const Error& error) {
  std::string text = fmt::format("ERROR: {}\n", error.message);
  if (!error.hint.empty()) text += fmt::format("HINT: {}\n", error.hint);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace kawk
