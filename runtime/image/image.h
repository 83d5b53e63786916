// The Image: the seam between compiler and runtime. Plain data that holds all that is needed to load, attach, drain
// and print; it can be written to a file and run elsewhere, without a compiler. Nothing in it depends on the number
// of CPUs or on process ids of the machine that compiled it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/location.h"
#include "base/result.h"

namespace kawk::image {

// Raised whenever the meaning of a field or of the wire layout changes; DeserializeImage refuses others.
inline constexpr uint32_t kVersion = 4;

enum class ValueKind : uint8_t {
#define VALUE_KIND(id) id,
#include "runtime/image/kinds.def"
};
enum class EventKind : uint8_t {
#define EVENT_KIND(id, json_type) id,
#include "runtime/image/kinds.def"
};
enum class AttachKind : uint8_t {
#define ATTACH_KIND(id) id,
#include "runtime/image/kinds.def"
};
enum class LossCause : uint8_t {
#define LOSS_CAUSE(id, text, event) id,
#include "runtime/image/kinds.def"
};
inline constexpr uint32_t kLossCauses = 0
#define LOSS_CAUSE(id, text, event) +1
#include "runtime/image/kinds.def"
    ;

// --- value types -----------------------------------------------------------------------------------------------

using TypeIndex = uint32_t;  // into Image::types; 0 is None

// What a Tseries keeps of an interval.
enum class SeriesKind : uint8_t { Last, Avg, Max, Min, Sum };
enum class StackMode : uint8_t { Bpftrace, Perf, Raw, BuildId };

struct Field {
  std::string name;  // empty in tuples
  uint32_t offset = 0;
  TypeIndex type = 0;
  uint32_t bit_offset = 0;  // bitfields: within the integer at offset
  uint32_t bit_size = 0;    // 0: not a bitfield
};
struct Enumerator {
  std::string name;
  int64_t value = 0;
};
struct ValueType {
  ValueKind kind = ValueKind::None;
  uint32_t size =
      0;  // bytes in a record, key or value; for aggregates one CPU's slot (Hist/Lhist: one bucket, Tseries: one interval)
  bool is_signed = false;
  TypeIndex element = 0;  // Array
  uint32_t count = 0;     // Array
  std::vector<Field> fields;
  std::vector<Enumerator> enumerators;
  std::string name;           // Struct, Enum: its C name
  std::string text;           // Timestamp, CgroupPath
  bool may_truncate = false;  // String: one that fills its capacity was cut, and is printed with the trailer
  StackMode stack_mode = StackMode::Bpftrace;
  uint32_t stack_limit = 127;
  uint32_t stack_map = 0;  // KernelStack, UserStack: index into Image::stack_maps
  uint32_t hist_bits = 0;  // Hist: buckets per power of two = 2^bits
  int64_t lhist_min = 0, lhist_max = 0, lhist_step = 1;
  uint64_t series_interval = 1;  // Tseries: ns
  uint32_t series_length = 1;    // Tseries: intervals kept
  SeriesKind series_kind = SeriesKind::Last;
};

// A stack in a key, record or value. `hash` is the key into the stack map; 0 means an empty stack.
struct StackKey {
  uint64_t hash;
  uint32_t pid;    // tgid in the tracer's pid namespace for user stacks, else 0
  uint32_t depth;  // frames in the stack map's value
};
// Value of a stack map: `limit` u64 instruction pointers, of which StackKey::depth are set, innermost first.
struct StackMapSpec {
  std::string object_name;  // map in the object; key u64 hash, value u64[limit]
  uint32_t limit = 127;
  bool user = false;
};

// --- maps ------------------------------------------------------------------------------------------------------

enum class MapStorage : uint8_t {
  Global,       // value, then a u64 that is non-zero once it was set, at global_offset of the globals (see below)
  PerCpuArray,  // scalar aggregate: element 0 = slot followed by u64 set; Hist/Lhist/Tseries: element i = slot of bucket i
  Hash,         // key → value
  PerCpuHash,   // key → one slot per CPU; Hist/Lhist/Tseries: key is {key, padding to 8, u64 bucket}
};
// A map with string keys of a large capacity is two maps of the kernel, so that a short key costs what its bytes cost: one
// whose keys, behind the epoch, are strings of this capacity, NUL included, and one for those that are longer.
inline constexpr uint32_t kShortKeyBytes = 64;

struct MapSpec {
  std::string name;         // as in the script: "@", "@x"
  std::string object_name;  // map in the object; empty for Global
  MapStorage storage = MapStorage::Hash;
  TypeIndex key = 0;  // 0: scalar
  TypeIndex value = 0;
  uint64_t max_entries = 0;
  uint32_t global_offset = 0;
  std::string short_object_name;  // a second map in the object, for keys that fit kShortKeyBytes; empty: none
  bool has_epochs = false;        // see EpochState
  uint32_t epoch_offset = 0;      // of its EpochState in the globals
};

// A map that the script clears or zeroes: that begins a new epoch, in program order; elements of the old one are found by
// nobody but the runtime, which waits until no program can write to them any more, prints them if the script printed the
// map before it cleared it, and deletes them. So no update is lost between a print and a clear, and none counts twice.
// Hash and PerCpuHash: a u64 epoch stands in front of the key. Global and PerCpuArray: the map is kept kEpochCopies times,
// the copy is epoch % kEpochCopies; a new epoch begins only when the runtime has cleaned its copy.
struct EpochState {
  uint64_t epoch;
  uint64_t cleaned;  // written by the runtime: all epochs before this one are gone
};
inline constexpr uint32_t kEpochCopies = 16;
inline constexpr uint64_t kNotCleared = 1ull << 63;  // in a ClearMap record: no new epoch, the runtime clears what is there

// --- events: ring records -----------------------------------------------------------------------------------------

// Every ring record starts with this. Fixed-size arguments follow at EventArg::offset (from the record's start); an
// argument with variable = true has there a u32: its length in bytes, without a NUL; its
// bytes stand behind the fixed part, without padding, in the order of the arguments.
struct RecordHeader {
  uint32_t event;  // index into Image::events
  uint32_t reserved;
};

// PrintMap, ClearMap and ZeroMap of a map with epochs carry the u64 epoch at kEpochField. PrintMap of a scalar carries its value
// at args[0].offset: one slot, all CPUs merged, followed by a u64 that is non-zero when it was set; histograms are read.
inline constexpr uint32_t kEpochField = sizeof(RecordHeader);

struct EventArg {
  TypeIndex type = 0;
  uint32_t offset = 0;
  bool variable = false;  // String and Buffer
};
// One piece of a printf plan: `literal`, then (when conversion is not 0) one argument formatted as
// %[flags][width][.precision][length]conversion.
struct FormatPiece {
  std::string literal;
  std::string flags;   // of "-+ #0"
  int32_t width = -1;  // -1: none
  int32_t precision = -1;
  std::string length;      // "", "hh", "h", "l", "ll", …
  std::string conversion;  // "", "d", "u", "x", "s", "c", "p", "r", "rx", "rh", …
  uint32_t arg = 0;        // into EventSpec::args
  int32_t width_arg = -1;  // `*`: the argument that says it; -1: none
  int32_t precision_arg = -1;
};
struct EventSpec {
  EventKind kind = EventKind::Printf;
  uint32_t probe = 0;  // index into Image::programs
  Location location;
  std::vector<FormatPiece> format;  // Printf, Cat, System, Errorf, Warnf; others: see kinds.def
  std::vector<EventArg> args;
  uint32_t fixed_size = 0;   // bytes of the fixed part, header included
  uint32_t map = 0;          // PrintMap, ClearMap, ZeroMap: index into Image::maps
  uint64_t top = 0;          // PrintMap: 0 = all
  uint64_t div = 0;          // PrintMap: 0 = none
  bool whole_epoch = false;  // PrintMap: a clear() or zero() of the map follows at once, which ends the epoch
};

// --- programs and attach points ----------------------------------------------------------------------------------

struct AttachSpec {
  AttachKind kind = AttachKind::Begin;
  std::string name;  // canonical full name for messages and `probe`: "tracepoint:syscalls:sys_enter_openat"
  Location location;
  std::string group;            // Tracepoint: category; Kprobe: module or empty
  std::string target;           // event or function
  std::string path;             // Uprobe: file
  uint64_t offset = 0;          // Uprobe: file offset; Kprobe: bytes from the function's start
  uint64_t ref_ctr_offset = 0;  // Uprobe of a USDT semaphore, else 0
  uint64_t period = 0;          // Interval, Profile: ns; Software, Hardware: events
  uint64_t frequency = 0;       // Profile with hz: samples a second (period is then 0)
  uint64_t config = 0;          // perf_event_attr.config; Signal: number
  bool by_pattern = false;      // one of many: left out when it cannot be attached
  uint64_t cookie = 0;          // bpf_get_attach_cookie
};
struct ProgramSpec {
  std::string object_name;   // function in the object; empty: part of another program
  uint32_t probes = 1;       // attach points of the script that it stands for
  uint32_t type = 0;         // enum bpf_prog_type
  uint32_t attach_type = 0;  // enum bpf_attach_type
  std::vector<AttachSpec> attach;
};

// --- globals --------------------------------------------------------------------------------------------------------

// The object's .bss starts with this, then the loss counters u64[programs][kLossCauses] at Image::loss_offset, then
// the Global maps. Shared between the programs and the runtime through mmap.
struct ProgramState {
  uint32_t active;       // 1 between BEGIN and the end; programs do nothing while it is 0 (BEGIN and END ignore it)
  uint32_t reader_idle;  // set to 1 by the reader before it sleeps; a producer that clears it must wake it
  uint32_t target_pid;   // -p: only this tgid (initial namespace) passes; 0: all
  int32_t exit_code;     // of exit(n)
  uint64_t start_ns;     // CLOCK_BOOTTIME at start, for `elapsed`
  uint64_t wake_mark;    // bytes waiting in the ring at which a producer wakes the reader
  uint64_t pid_ns_dev;   // tracer's pid namespace, for pid and tid; both 0: initial namespace
  uint64_t pid_ns_ino;
  uint32_t child_pid;       // -c: the child's pid in the tracer's namespace, for `cpid`; 0: none
  uint32_t cpus;            // how many there can be, for `ncpus`
  uint64_t tai_minus_boot;  // CLOCK_TAI minus CLOCK_BOOTTIME at start
  uint32_t hurry;           // 1: a signal asks for the end; long loops end early
  int64_t wall_minus_boot;  // CLOCK_REALTIME minus CLOCK_BOOTTIME at start, for the intervals of Tseries
};

// Scratch memory: an ARRAY map of kScratchSlots elements per possible CPU; the runtime sets max_entries. An element's
// first u64 is its in-use flag. A program takes the first free slot of its CPU by an atomic exchange, so that nested
// or preempted programs never share one.
inline constexpr uint32_t kScratchSlots = 8;
inline constexpr const char* kScratchMap = "kawk_scratch";
inline constexpr const char* kRingMap = "kawk_ring";

// A PERF_EVENT_ARRAY: the one place that the kernel copies a packet's bytes to, wherever they lie. A sample is a
// PacketHeader and the packet from its start to offset + length. The Packet record that follows in the ring names it by
// CPU and time, and so gives it its place among the other events.
inline constexpr const char* kPacketMap = "kawk_packets";
struct PacketHeader {
  uint64_t time;    // ns since boot
  uint32_t offset;  // what the script wants begins here,
  uint32_t length;  // and has so many bytes
};

struct Config {
  uint64_t ring_pages = 0;  // 0: the runtime chooses
  uint64_t max_cat_bytes = 10240;
  bool print_maps_on_exit = true;
  std::string missing_probes = "error";  // error | warn | ignore
  std::string trunc_trailer = "..";
  bool cpp_demangle = true;
  bool lazy_symbolication = false;
  uint64_t log_size = 1000000;
};

struct SourceFile {
  std::string name;
  std::string text;
};

struct Image {
  uint32_t version = kVersion;
  std::vector<uint8_t> object;   // ELF for BPF, with BTF and line info
  std::vector<ValueType> types;  // [0] is None
  std::vector<MapSpec> maps;     // in order of printing at the end: by name
  std::vector<StackMapSpec> stack_maps;
  std::vector<EventSpec> events;
  std::vector<ProgramSpec> programs;  // in source order
  uint32_t loss_offset = 0;
  bool uses_scratch = false;
  bool uses_ring = false;
  Config config;
  std::vector<SourceFile> sources;  // the script and what it imports, for messages; Location::file counts them
};

// CBOR. Deserializing checks version, indices and offsets, so that a damaged file is an Error, not a crash.
std::vector<uint8_t> SerializeImage(const Image& image);
Result<Image> DeserializeImage(const std::vector<uint8_t>& bytes);
// Those checks alone. Run trusts an Image that passes them.
Status ValidateImage(const Image& image);

}  // namespace kawk::image
