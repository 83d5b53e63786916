// Apart from what includes <linux/bpf.h>, which has other types of the same names as <pcap/pcap.h>.
#include "runtime/pcap_files.h"

#include <dlfcn.h>
#include <pcap/pcap.h>

#include <cerrno>
#include <type_traits>

namespace kawk {

struct PcapFiles::Library {
  explicit Library(void* handle_in) : handle(handle_in) {}
  ~Library() { dlclose(handle); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  bool Find();

  void* handle;
  decltype(&pcap_open_dead_with_tstamp_precision) open_dead = nullptr;
  decltype(&pcap_close) close = nullptr;
  decltype(&pcap_geterr) geterr = nullptr;
  decltype(&pcap_dump_open) dump_open = nullptr;
  decltype(&pcap_dump) dump = nullptr;
  decltype(&pcap_dump_flush) dump_flush = nullptr;
  decltype(&pcap_dump_close) dump_close = nullptr;
};

bool PcapFiles::Library::Find() {
  const auto find = [this](auto& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(handle, name));
    return function != nullptr;
  };
  return find(open_dead, "pcap_open_dead_with_tstamp_precision") && find(close, "pcap_close") && find(geterr, "pcap_geterr") &&
         find(dump_open, "pcap_dump_open") && find(dump, "pcap_dump") && find(dump_flush, "pcap_dump_flush") &&
         find(dump_close, "pcap_dump_close");
}

PcapFiles::PcapFiles() = default;
PcapFiles::~PcapFiles() {
  for (const auto& [path, file] : files_) library_->dump_close(file);
  if (format_ != nullptr) library_->close(format_);
}

Status PcapFiles::Create(const std::string& path) {
  constexpr int kSnapLength = 0x40000;  // the most that readers accept
  if (files_.contains(path)) return Ok{};
  if (!library_) {
    void* handle = dlopen("libpcap.so.0.8", RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) handle = dlopen("libpcap.so.1", RTLD_NOW | RTLD_LOCAL);
    if (handle != nullptr) library_ = std::make_unique<Library>(handle);
    if (!library_ || !library_->Find())
      return Error{"skboutput() needs the library libpcap, which is not installed", "Debian's package is libpcap0.8", ENOENT};
    format_ = library_->open_dead(DLT_RAW, kSnapLength, PCAP_TSTAMP_PRECISION_NANO);
    if (format_ == nullptr) return Error{"libpcap: out of memory", "", ENOMEM};
  }
  pcap_dumper_t* file = library_->dump_open(format_, path.c_str());
  if (file == nullptr) return Error{std::string("cannot write packets: ") + library_->geterr(format_), "", EIO};
  files_[path] = file;
  return Ok{};
}

void PcapFiles::Write(const std::string& path, int64_t wall_ns, std::span<const uint8_t> bytes) {
  constexpr int64_t kNsPerSecond = 1'000'000'000;
  const auto file = files_.find(path);
  if (file == files_.end()) return;
  pcap_pkthdr header = {};
  header.ts.tv_sec = wall_ns / kNsPerSecond;
  header.ts.tv_usec = wall_ns % kNsPerSecond;  // nanoseconds, by the file's precision
  header.caplen = header.len = static_cast<bpf_u_int32>(bytes.size());
  library_->dump(reinterpret_cast<u_char*>(file->second), &header, bytes.data());
}

bool PcapFiles::Flush() {
  for (const auto& [path, file] : files_) {
    if (error_ == 0 && library_->dump_flush(file) != 0) error_ = errno;
  }
  return error_ == 0;
}

}  // namespace kawk
