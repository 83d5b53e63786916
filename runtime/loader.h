// An Image's object in the kernel: programs verified, maps made, globals mapped. Closing it frees all of that.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/image/image.h"
#include "runtime/perf.h"
#include "runtime/run.h"
#include "runtime/session.h"

struct bpf_object;

namespace kawk {

// A map in the kernel.
struct LoadedMap {
  int fd = -1;  // -1 for a Global map, which lives in the globals
  uint32_t key_size = 0;
  uint32_t value_size = 0;
  uint32_t max_entries = 0;
};

class LoadedObject {
 public:
  // Opens, sizes, verifies and loads. A refusal by the verifier is an Error that names the probe and carries its words.
  static Result<std::unique_ptr<LoadedObject>> Load(const image::Image& image, const RunOptions& options);
  ~LoadedObject();
  LoadedObject(const LoadedObject&) = delete;
  LoadedObject& operator=(const LoadedObject&) = delete;

  // By index of the Image's lists.
  const std::vector<int>& program_fds() const { return program_fds_; }
  // The program for one of its targets: some are tied to them when they are loaded.
  Result<int> program_for(size_t program, size_t target) const;
  // With which enum bpf_attach_type the program was loaded to be linked to many functions at once; 0: to one by one.
  uint32_t multi_type(size_t program) const { return multi_types_[program]; }
  // The session that a program is half of; null: of none.
  const Session* session_of(size_t program) const;
  const LoadedMap& map(size_t map) const { return maps_[map]; }
  const LoadedMap& short_map(size_t map) const { return short_maps_[map]; }  // fd -1: none
  const LoadedMap& stack_map(size_t stack_map) const { return stack_maps_[stack_map]; }
  int ring_fd() const { return ring_fd_; }      // -1: no ring
  int packet_fd() const { return packet_fd_; }  // image::kPacketMap; -1: none
  // Of dw_ustack, see image/unwind.h; -1: nobody asks for it.
  int unwind_process_fd() const { return unwind_process_fd_; }
  int unwind_table_fd() const { return unwind_table_fd_; }
  bool unwinds() const { return unwind_process_fd_ >= 0 && unwind_table_fd_ >= 0; }
  size_t ring_size() const { return ring_size_; }
  uint32_t possible_cpus() const { return possible_cpus_; }

  // Shared with the programs.
  std::span<uint8_t> globals() const { return globals_; }
  image::ProgramState& state() const { return *reinterpret_cast<image::ProgramState*>(globals_.data()); }
  // What was lost so far, [programs][kLossCauses]: counted by the programs, and by the kernel where it left one out.
  std::vector<uint64_t> Losses() const;

 private:
  class Builder;
  LoadedObject() = default;

  bpf_object* object_ = nullptr;
  std::vector<int> program_fds_;
  std::vector<uint32_t> multi_types_;
  std::vector<Session> sessions_;
  std::vector<std::vector<Result<Fd>>> copies_;  // by program, for its targets from the second on
  std::vector<LoadedMap> maps_;
  std::vector<LoadedMap> short_maps_;
  std::vector<LoadedMap> stack_maps_;
  int ring_fd_ = -1;
  int packet_fd_ = -1;
  int unwind_process_fd_ = -1;
  int unwind_table_fd_ = -1;
  size_t ring_size_ = 0;
  uint32_t possible_cpus_ = 1;
  std::span<uint8_t> globals_;
  std::span<const uint64_t> losses_;
};

// Runs a raw tracepoint program once, by hand; what it returned.
Result<int> RunProgram(int program_fd);

// "kprobe:foo", or "kprobe:foo and 3 more".
std::string ProgramName(const image::ProgramSpec& program);

}  // namespace kawk
