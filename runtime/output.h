// What the user sees: records, maps and messages as text or JSON, written to one file descriptor.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/image/image.h"
#include "runtime/run.h"
#include "runtime/small_bytes.h"
#include "runtime/symbols.h"

namespace kawk {

class WallClock;

// One element of a map. `value` is merged over CPUs: it has the layout of one CPU's slot; for Hist and Lhist it is
// u64[buckets] (see buckets.h), for Tseries the points of tseries.h.
// A string key may have less room behind its NUL than its type says.
struct MapEntry {
  SmallBytes key;
  SmallBytes value;
};

// A map as it was read; scalars have one entry with an empty key, or none when never set.
struct MapSnapshot {
  const image::MapSpec* spec = nullptr;
  std::vector<MapEntry> entries;
};

// The frames behind a StackKey, innermost first; empty when they are gone. Implemented by whoever reads the stack maps.
class StackSource {
 public:
  virtual ~StackSource() = default;
  virtual std::vector<uint64_t> Frames(uint32_t stack_map, const image::StackKey& key) = 0;
};

class PacketBuffers;

class Output {
 public:
  // Opens options.output_path (or takes standard output) and the files that packets go to. `image`, `symbols`, `stacks` and
  // `packets` (null for a script without skboutput) must outlive it.
  static Result<std::unique_ptr<Output>> Open(const image::Image& image, const RunOptions& options, Symbols& symbols,
                                              StackSource& stacks, PacketBuffers* packets);
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // A ring record of kind Printf, PrintValue, Time, Cat, Join, System, Errorf, Warnf, HelperError. The record may be damaged or
  // short: what does not fit is ignored, never read beyond its end.
  void Record(const image::EventSpec& event, std::span<const uint8_t> record);
  // print(@m, top, div), or the print at the end when top and div are 0.
  void Map(const MapSnapshot& snapshot, uint64_t top, uint64_t div);
  // The maps at the end, in the order given, empty ones left out.
  void FinalMaps(const std::vector<MapSnapshot>& snapshots);
  // Text as it is, in its place among the rest.
  void Text(const std::string& text);
  // "Attached N probes": standard error as text, {"type": "attached_probes", …} in JSON.
  void AttachedProbes(uint64_t count);
  // Losses since the last call, by cause: a warning on standard error, lost_events in JSON.
  void Lost(const std::string& probe, image::LossCause cause, uint64_t count);
  // Turns time stamps into times of day; wants a look at least every second or so.
  WallClock& clock();
  // Writes what is buffered. False once the reader of our output is gone or the disk is full; error() says which.
  bool Flush();
  int error() const;  // errno, 0 while all is well

 private:
  struct Impl;
  explicit Output(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kawk
