#include "runtime/packets.h"

#include <bpf/libbpf.h>
#include <linux/perf_event.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace kawk {

namespace {

constexpr size_t kBufferPages = 512;  // per CPU
constexpr size_t kMostKept = 4096;    // packets of one CPU whose record has not come; it was lost then

}  // namespace

struct PerfCallback {
  static bpf_perf_event_ret OnEvent(void* context, int cpu, perf_event_header* event) {
    constexpr size_t kSizeField = sizeof(uint32_t);
    if (event->type != PERF_RECORD_SAMPLE || event->size < sizeof *event + kSizeField) return LIBBPF_PERF_EVENT_CONT;
    const auto* bytes = reinterpret_cast<const uint8_t*>(event + 1);
    uint32_t size;
    memcpy(&size, bytes, sizeof size);
    const size_t room = event->size - sizeof *event - kSizeField;
    const std::span<const uint8_t> sample(bytes + kSizeField, std::min<size_t>(size, room));
    static_cast<PacketBuffers*>(context)->Add(static_cast<uint32_t>(cpu), sample);
    return LIBBPF_PERF_EVENT_CONT;
  }
};

Result<std::unique_ptr<PacketBuffers>> PacketBuffers::Open(int map) {
  std::unique_ptr<PacketBuffers> packets(new PacketBuffers);
  perf_event_attr attr = {};
  attr.size = sizeof attr;
  attr.type = PERF_TYPE_SOFTWARE;
  attr.config = PERF_COUNT_SW_BPF_OUTPUT;
  attr.sample_type = PERF_SAMPLE_RAW;
  attr.sample_period = 1;
  attr.wakeup_events = UINT32_MAX;  // the records in the ring wake us
  packets->buffers_ = perf_buffer__new_raw(map, kBufferPages, &attr, PerfCallback::OnEvent, packets.get(), nullptr);
  if (packets->buffers_ == nullptr) return Error{std::string("cannot make buffers for packets: ") + strerror(errno), "", errno};
  return packets;
}

PacketBuffers::~PacketBuffers() { perf_buffer__free(buffers_); }

void PacketBuffers::Add(uint32_t cpu, std::span<const uint8_t> sample) {
  image::PacketHeader header;
  if (sample.size() < sizeof header) return;
  memcpy(&header, sample.data(), sizeof header);
  sample = sample.subspan(sizeof header);
  if (sample.size() < header.offset) return;
  sample = sample.subspan(header.offset);
  sample = sample.first(std::min<size_t>(sample.size(), header.length));
  std::deque<Packet>& packets = read_[cpu];
  if (packets.size() >= kMostKept) packets.pop_front();
  packets.push_back({header.time, {sample.begin(), sample.end()}});
}

std::optional<PacketBuffers::Packet> PacketBuffers::Take(uint32_t cpu, uint64_t time) {
  std::optional<Packet> packet = TakeRead(cpu, time);
  if (packet) return packet;
  perf_buffer__consume(buffers_);
  return TakeRead(cpu, time);
}

std::optional<PacketBuffers::Packet> PacketBuffers::TakeRead(uint32_t cpu, uint64_t time) {
  std::deque<Packet>& packets = read_[cpu];
  for (auto packet = packets.begin(); packet != packets.end(); ++packet) {
    if (packet->time != time) continue;
    std::optional<Packet> found(std::move(*packet));
    packets.erase(packet);
    return found;
  }
  return std::nullopt;
}

}  // namespace kawk
