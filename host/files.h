// Reading files whose contents nobody vouches for: bounded, never blocking, with the cause and a hint in the Error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kawk {

// A file descriptor that closes itself.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd = -1) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor();
  int get() const { return fd_; }

 private:
  int fd_;
};

// "`path`: No such file or directory", with the hint that errno suggests.
Error FileError(const std::string& path, int error_number);

// Opens a regular file for reading. A FIFO, a device or a directory is an Error; nothing waits.
Result<FileDescriptor> OpenRegular(const std::string& path);
// The whole file. More than `limit` bytes are an Error.
Result<std::string> ReadFile(const std::string& path, size_t limit);
// Exactly `size` bytes at `offset`; an Error when the file is shorter.
Status ReadAt(int fd, uint64_t offset, void* data, size_t size);
// Names of the folders in a folder, sorted; `files` gives everything else instead.
enum class Entries { Folders, NotFolders };
Result<std::vector<std::string>> ListFolder(const std::string& path, Entries which);
bool IsFolder(const std::string& path);
// Regular and executable by somebody.
bool IsProgram(const std::string& path);
bool IsRegular(const std::string& path);

}  // namespace kawk
