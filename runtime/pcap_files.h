// Writing packets to pcap files.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"

struct pcap;
struct pcap_dumper;

namespace kawk {

// pcap files (raw IP, time stamps in nanoseconds), written by libpcap, which is opened when a script needs it.
class PcapFiles {
 public:
  PcapFiles();
  ~PcapFiles();
  PcapFiles(const PcapFiles&) = delete;
  PcapFiles& operator=(const PcapFiles&) = delete;
  // Creates the file, once; an Error when it cannot be, or when there is no libpcap.
  Status Create(const std::string& path);
  void Write(const std::string& path, int64_t wall_ns, std::span<const uint8_t> bytes);
  bool Flush();  // false: a file could not be written; error() is errno
  int error() const { return error_; }

 private:
  struct Library;
  std::unique_ptr<Library> library_;
  pcap* format_ = nullptr;
  std::map<std::string, pcap_dumper*> files_;
  int error_ = 0;
};

}  // namespace kawk
