// The bytes of packets that skboutput() sends, from the kernel's perf buffers.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "runtime/image/image.h"

struct perf_buffer;
struct perf_event_header;

namespace kawk {

// One perf buffer per CPU, read when a Packet record asks for what is in it.
class PacketBuffers {
 public:
  struct Packet {
    uint64_t time;               // ns since boot
    std::vector<uint8_t> bytes;  // what the script wants of it
  };
  // `map` is the descriptor of image::kPacketMap.
  static Result<std::unique_ptr<PacketBuffers>> Open(int map);
  ~PacketBuffers();
  PacketBuffers(const PacketBuffers&) = delete;
  PacketBuffers& operator=(const PacketBuffers&) = delete;
  // The packet that was sent from this CPU at this time; none when it is not there.
  std::optional<Packet> Take(uint32_t cpu, uint64_t time);

 private:
  PacketBuffers() = default;
  std::optional<Packet> TakeRead(uint32_t cpu, uint64_t time);
  void Add(uint32_t cpu, std::span<const uint8_t> sample);
  friend struct PerfCallback;

  perf_buffer* buffers_ = nullptr;
  std::map<uint32_t, std::deque<Packet>> read_;  // by CPU, in order
};

}  // namespace kawk
