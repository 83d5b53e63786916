// What the runtime asks of the machine: privileges, tracefs, processors, memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/image/image.h"

namespace kawk {

// Root, CAP_SYS_ADMIN, or CAP_BPF with CAP_PERFMON.
Status CheckPrivileges();

// Where tracefs is mounted, or an Error that says how to mount it.
Result<std::string> FindTracefs();

// "0-3,8" → 0 1 2 3 8; what cannot be read ends the list.
std::vector<int> ParseCpuList(const std::string& text);
std::vector<int> OnlineCpus();
uint32_t PossibleCpus();

// Bytes for the ring: a power of two, at least a page. `pages` is the user's wish, 0 for none. A script without `events`,
// which runs by itself or by the clock only, gets a smaller one: making and mapping it is a good part of the start.
uint64_t RingBytes(uint64_t pages, uint64_t page_size, uint64_t memory, bool events);
uint64_t PageSize();
uint64_t MemoryBytes();

// The tracer's pid namespace as bpf_get_ns_current_pid_tgid wants it; both 0 in the initial one.
void FindPidNamespace(image::ProgramState& state);

// The whole of a small file; empty when it cannot be read.
std::string ReadSmallFile(const std::string& path);

}  // namespace kawk
