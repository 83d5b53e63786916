// Image → kernel by libbpf's bpf_object. libbpf first loads each program without a log; when one is refused, it tries
// again with a log, for which each program has a slice of memory that is not touched before. So a log costs nothing
// until it is needed, and the slice that was written tells which program failed.
#include "runtime/loader.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "runtime/attach_multi.h"
#include "runtime/attach_points.h"
#include "runtime/machine.h"
#include "runtime/map_merge.h"
#include "runtime/tracing.h"
#include "runtime/unwind_tables.h"

namespace kawk {
namespace {

using image::Image;

constexpr size_t kLogLines = 6;  // of the verifier's log in a message
constexpr size_t kMostLogBytes = 64 << 20;
constexpr uint32_t kVerifierTrace = 2 | 4;  // log level of the kernel: all that it looks at, and statistics

// What libbpf says while an object is opened and loaded.
struct LibbpfWords {
  std::string warnings;
  bool verbose = false;
};
thread_local LibbpfWords* words = nullptr;

int OnLibbpfPrint(libbpf_print_level level, const char* format, va_list args) {
  if (!words) return 0;
  if (level != LIBBPF_WARN && !words->verbose) return 0;
  char line[1024];  // the verifier's log comes this way too, but we have it whole elsewhere
  const int length = vsnprintf(line, sizeof line, format, args);
  if (length <= 0) return 0;
  if (level == LIBBPF_WARN) words->warnings += line;
  if (words->verbose && level != LIBBPF_DEBUG) fputs(line, stderr);
  return 0;
}

// Sets where libbpf's words go while it lives.
class Listen {
 public:
  explicit Listen(LibbpfWords* to) {
    words = to;
    libbpf_set_print(OnLibbpfPrint);
  }
  ~Listen() { words = nullptr; }
  Listen(const Listen&) = delete;
  Listen& operator=(const Listen&) = delete;
};

// One log per program, in address space that costs memory only when written.
class VerifierLogs {
 public:
  VerifierLogs(size_t programs, size_t log_size) : size_(std::clamp<size_t>(log_size, 4096, kMostLogBytes)) {
    bytes_ = size_ * std::max<size_t>(programs, 1);
    void* memory = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    memory_ = memory == MAP_FAILED ? nullptr : static_cast<char*>(memory);
  }
  ~VerifierLogs() {
    if (memory_) munmap(memory_, bytes_);
  }
  VerifierLogs(const VerifierLogs&) = delete;
  VerifierLogs& operator=(const VerifierLogs&) = delete;

  char* slice(size_t program) const { return memory_ ? memory_ + program * size_ : nullptr; }
  size_t size() const { return memory_ ? size_ : 0; }
  std::string_view text(size_t program) const {
    return memory_ ? std::string_view(slice(program), strnlen(slice(program), size_)) : std::string_view();
  }

 private:
  char* memory_ = nullptr;
  size_t size_;
  size_t bytes_ = 0;
};

std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return lines;
}

bool IsStatistics(std::string_view line) {
  return line.starts_with("processed ") || line.starts_with("verification time") || line.starts_with("stack depth");
}

// The verifier's reason first, then the script's line, then its last words before; all it said when `verbose`.
std::string Explain(std::string_view log, bool verbose) {
  std::vector<std::string_view> lines = Lines(log);
  std::erase_if(lines, [](std::string_view line) { return line.empty() || IsStatistics(line); });
  if (lines.empty()) return "";
  std::string text(lines.back());
  std::string_view source;  // the log repeats the source in comments
  for (std::string_view line : lines) {
    if (line.starts_with("; ")) source = line.substr(2);
  }
  if (!source.empty()) text += fmt::format("\n    at {}", source);
  if (!verbose && lines.size() > kLogLines) lines.erase(lines.begin(), lines.end() - kLogLines);
  for (std::string_view line : lines) text += fmt::format("\n    {}", line);
  return text;
}

// What reading a map relies on: least sizes and number of entries.
struct MapNeeds {
  uint32_t key_size;
  uint32_t value_size;
  uint32_t entries;
  bool per_cpu;
};

MapNeeds NeedsOf(const Image& image, const image::MapSpec& spec) {
  const image::ValueType& value = image.types[spec.value];
  const uint32_t epoch = spec.has_epochs ? sizeof(uint64_t) : 0;  // in front of the key
  const uint32_t copies = spec.has_epochs ? image::kEpochCopies : 1;
  const uint32_t key = image.types[spec.key].size;
  const uint32_t buckets = BucketCount(value);
  switch (spec.storage) {
    case image::MapStorage::Global: return {0, 0, 0, false};
    case image::MapStorage::PerCpuArray: return {4, buckets > 0 ? 8 : value.size + 8, std::max(buckets, 1u) * copies, true};
    case image::MapStorage::Hash: return {epoch + key, value.size, 1, false};
    case image::MapStorage::PerCpuHash: return {epoch + (buckets > 0 ? BucketKeyBytes(key) : key), value.size, 1, true};
  }
  UNREACHABLE("map storage");
}

// Whether anything but the script itself and the clock makes it run.
bool HasEvents(const Image& image) {
  for (const image::ProgramSpec& program : image.programs) {
    for (const image::AttachSpec& spec : program.attach) {
      if (TraitsOf(spec.kind).follows_events) return true;
    }
  }
  return false;
}

bool IsPerCpu(bpf_map_type type) {
  return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_LRU_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

bool EndsWith(const char* text, std::string_view end) { return std::string_view(text).ends_with(end); }

}  // namespace

class LoadedObject::Builder {
 public:
  Builder(const Image& image, const RunOptions& options)
      : image_(image),
        options_(options),
        features_(options.no_features),
        logs_(image.programs.size(), image.config.log_size),
        object_(new LoadedObject) {}

  Result<std::unique_ptr<LoadedObject>> Build() {
    said_.verbose = options_.verbose;
    Listen listen(&said_);
    for (auto step : {&Builder::Open, &Builder::SizeMaps, &Builder::PreparePrograms, &Builder::LoadAll, &Builder::FindMaps,
                      &Builder::FindGlobals}) {
      Status status = (this->*step)();
      if (!status) return status.error();
    }
    return std::move(object_);
  }

 private:
  Error Broken(const std::string& what) const {
    return Error{"the compiled script is damaged: " + what, "compile the script again", EINVAL};
  }

  Status Open() {
    bpf_object_open_opts opts = {};
    opts.sz = sizeof opts;
    opts.object_name = "kawk";
    Ties::Prepare();
    object_->object_ = bpf_object__open_mem(image_.object.data(), image_.object.size(), &opts);
    if (!object_->object_) return Broken(said_.warnings.empty() ? strerror(errno) : said_.warnings);
    return Ok{};
  }

  Status SizeMaps() {
    object_->possible_cpus_ = PossibleCpus();
    if (bpf_map* ring = bpf_object__find_map_by_name(object_->object_, image::kRingMap)) {
      object_->ring_size_ = RingBytes(image_.config.ring_pages, PageSize(), MemoryBytes(), HasEvents(image_));
      bpf_map__set_max_entries(ring, static_cast<uint32_t>(object_->ring_size_));
    }
    if (bpf_map* packets = bpf_object__find_map_by_name(object_->object_, image::kPacketMap)) {
      bpf_map__set_max_entries(packets, object_->possible_cpus_);
    }
    if (bpf_map* scratch = bpf_object__find_map_by_name(object_->object_, image::kScratchMap)) {
      bpf_map__set_max_entries(scratch, object_->possible_cpus_ * image::kScratchSlots);
    }
    if (bpf_map* tables = bpf_object__find_map_by_name(object_->object_, image::kUnwindTableMap)) {
      Fd model = MakeUnwindTable(1);
      if (!model) return Error{fmt::format("cannot make a map for unwinding rules: {}", strerror(errno)), HintFor(errno), errno};
      bpf_map__set_inner_map_fd(tables, model.Release());  // it is libbpf's now
    }
    return Ok{};
  }

  Status PreparePrograms() {
    const bool one_process = options_.pid != 0 || !options_.command.empty();
    for (const image::ProgramSpec& spec : image_.programs)
      object_->multi_types_.push_back(MultiAttachType(spec, one_process, features_));
    object_->sessions_ = FindSessions(image_, object_->multi_types_, features_);
    std::vector<size_t> tied;
    for (size_t i = 0; i < image_.programs.size(); ++i) {
      const image::ProgramSpec& spec = image_.programs[i];
      if (spec.object_name.empty()) {  // part of another program
        programs_.push_back(nullptr);
        continue;
      }
      bpf_program* program = bpf_object__find_program_by_name(object_->object_, spec.object_name.c_str());
      if (!program) return Broken("no program " + spec.object_name);
      programs_.push_back(program);
      const uint32_t multi = object_->multi_types_[i];
      bpf_program__set_type(program, static_cast<bpf_prog_type>(spec.type));
      bpf_program__set_expected_attach_type(program, static_cast<bpf_attach_type>(multi != 0 ? multi : spec.attach_type));
      if (logs_.size() > 0) bpf_program__set_log_buf(program, logs_.slice(i), logs_.size());
      if (!spec.attach.empty() && IsTied(spec.attach[0].kind)) tied.push_back(i);
      if (options_.verifier_log) bpf_program__set_log_level(program, kVerifierTrace);
    }
    return TiePrograms(tied);
  }

  Status TiePrograms(const std::vector<size_t>& tied) {
    std::vector<std::pair<bpf_program*, const image::AttachSpec*>> pairs;
    for (size_t i : tied) pairs.emplace_back(programs_[i], &image_.programs[i].attach[0]);
    return ties_.TieAll(pairs);
  }

  Status LoadAll() {
    const int result = ties_.Load(object_->object_);
    if (options_.verifier_log) PrintLogs();
    if (result != 0) return LoadError(-result);
    for (const bpf_program* program : programs_) object_->program_fds_.push_back(program ? bpf_program__fd(program) : -1);
    LoadCopies();
    for (Session& session : object_->sessions_) {
      const std::vector<int>& fds = object_->program_fds_;
      Status made = MakeDispatcher(session, fds[session.entry], fds[session.result]);
      if (!made) return made;
    }
    return Ok{};
  }

  // Of programs that are tied to their targets one for each target beyond the first.
  void LoadCopies() {
    TiedCopies copies;
    object_->copies_.resize(image_.programs.size());
    for (size_t i = 0; i < image_.programs.size(); ++i) {
      const image::ProgramSpec& spec = image_.programs[i];
      if (!programs_[i] || spec.attach.empty() || !IsTied(spec.attach[0].kind)) continue;
      for (size_t target = 1; target < spec.attach.size(); ++target) {
        object_->copies_[i].push_back(copies.Load(programs_[i], spec.attach[target]));
      }
    }
  }

  void PrintLogs() const {
    for (size_t i = 0; i < image_.programs.size(); ++i) {
      if (!programs_[i]) continue;
      const std::string name = ProgramName(image_.programs[i]);
      fputs(fmt::format("BPF verifier log for {}:\n{:-<38}\n{}\n", name, "", logs_.text(i)).c_str(), stdout);
    }
    fflush(stdout);
  }

  Error LoadError(int code) const {
    for (size_t i = 0; i < image_.programs.size(); ++i) {
      if (logs_.text(i).empty()) continue;
      // With -d verifier the programs before the refused one have logs too.
      if (options_.verifier_log && i + 1 < image_.programs.size() && !logs_.text(i + 1).empty()) continue;
      return Error{fmt::format("the kernel refuses the program of {}: {}", ProgramName(image_.programs[i]),
                               Explain(logs_.text(i), options_.verbose)),
                   code == ENOSPC ? "the log did not fit: config log_size makes room for it"
                                  : (options_.verbose ? "" : "-v shows all that the verifier says"),
                   code};
    }
    std::string details;
    for (std::string_view line : Lines(said_.warnings)) details += fmt::format("\n    {}", line);
    return Error{fmt::format("cannot load the script into the kernel: {}{}", strerror(code), details), HintFor(code), code};
  }

  static std::string HintFor(int code) {
    if (code == EPERM) return "run it as root; a locked down kernel refuses BPF even then";
    if (code == ENOMEM || code == E2BIG) return "a lower max_map_keys or perf_rb_pages needs less memory";
    return "";
  }

  Result<LoadedMap> FindMap(const std::string& name, const MapNeeds& needs) const {
    const bpf_map* map = bpf_object__find_map_by_name(object_->object_, name.c_str());
    if (!map) return Broken("no map " + name);
    const LoadedMap found = {bpf_map__fd(map), bpf_map__key_size(map), bpf_map__value_size(map), bpf_map__max_entries(map)};
    // Look-ups write by these sizes, so what the Image says of the map must hold.
    if (found.key_size < needs.key_size || found.value_size < needs.value_size || found.max_entries < needs.entries ||
        IsPerCpu(bpf_map__type(map)) != needs.per_cpu) {
      return Broken("map " + name + " is not as described");
    }
    return found;
  }

  Status FindMaps() {
    for (const image::MapSpec& spec : image_.maps) {
      object_->short_maps_.emplace_back();
      if (spec.storage == image::MapStorage::Global) {
        object_->maps_.push_back(LoadedMap{});
        continue;
      }
      Result<LoadedMap> map = FindMap(spec.object_name, NeedsOf(image_, spec));
      if (!map) return map.error();
      object_->maps_.push_back(*map);
      if (spec.short_object_name.empty()) continue;
      MapNeeds needs = NeedsOf(image_, spec);
      needs.key_size = (spec.has_epochs ? sizeof(uint64_t) : 0) + image::kShortKeyBytes;
      Result<LoadedMap> short_map = FindMap(spec.short_object_name, needs);
      if (!short_map) return short_map.error();
      object_->short_maps_.back() = *short_map;
    }
    for (const image::StackMapSpec& spec : image_.stack_maps) {
      Result<LoadedMap> map = FindMap(spec.object_name, MapNeeds{8, spec.limit * 8, 1, false});
      if (!map) return map.error();
      object_->stack_maps_.push_back(*map);
    }
    const bpf_map* ring = bpf_object__find_map_by_name(object_->object_, image::kRingMap);
    if (ring) object_->ring_fd_ = bpf_map__fd(ring);
    const bpf_map* packets = bpf_object__find_map_by_name(object_->object_, image::kPacketMap);
    if (packets) object_->packet_fd_ = bpf_map__fd(packets);
    const bpf_map* processes = bpf_object__find_map_by_name(object_->object_, image::kUnwindProcessMap);
    const bpf_map* tables = bpf_object__find_map_by_name(object_->object_, image::kUnwindTableMap);
    if (processes) object_->unwind_process_fd_ = bpf_map__fd(processes);
    if (tables) object_->unwind_table_fd_ = bpf_map__fd(tables);
    if (image_.uses_ring && !ring) return Broken("no ring");
    return Ok{};
  }

  Status FindGlobals() {
    bpf_map* map = nullptr;
    bpf_object__for_each_map(map, object_->object_) {
      if (bpf_map__is_internal(map) && EndsWith(bpf_map__name(map), ".bss")) break;
    }
    const size_t size = map ? bpf_map__value_size(map) : 0;
    if (size < sizeof(image::ProgramState)) return Broken("no globals");
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
    if (memory == MAP_FAILED) return Error{fmt::format("cannot map the script's globals: {}", strerror(errno)), "", errno};
    auto* bytes = static_cast<uint8_t*>(memory);
    object_->globals_ = {bytes, size};
    const size_t losses = image_.programs.size() * image::kLossCauses;
    if (image_.loss_offset % 8 != 0 || image_.loss_offset > size || losses * 8 > size - image_.loss_offset) {
      return Broken("its globals are too small");
    }
    for (const image::MapSpec& spec : image_.maps) {
      const size_t state = sizeof(image::EpochState);
      if (spec.has_epochs && (spec.epoch_offset % 8 != 0 || spec.epoch_offset > size || state > size - spec.epoch_offset)) {
        return Broken("its globals are too small");
      }
      if (spec.storage != image::MapStorage::Global) continue;
      const size_t value = (GlobalValueBytes(image_.types[spec.value]) + 8) * (spec.has_epochs ? image::kEpochCopies : 1);
      if (spec.global_offset > size || value > size - spec.global_offset) return Broken("its globals are too small");
    }
    object_->losses_ = {reinterpret_cast<const uint64_t*>(bytes + image_.loss_offset), losses};
    return Ok{};
  }

  const Image& image_;
  const RunOptions& options_;
  Features features_;
  LibbpfWords said_;
  VerifierLogs logs_;
  std::vector<bpf_program*> programs_;
  Ties ties_;
  std::unique_ptr<LoadedObject> object_;
};

Result<std::unique_ptr<LoadedObject>> LoadedObject::Load(const Image& image, const RunOptions& options) {
  return Builder(image, options).Build();
}

namespace {

// How often the kernel did not run a program, because it was running already; -1 is no program.
uint64_t SkippedRuns(int program) {
  bpf_prog_info info = {};
  uint32_t size = sizeof info;
  return program >= 0 && bpf_obj_get_info_by_fd(program, &info, &size) == 0 ? info.recursion_misses : 0;
}

}  // namespace

std::vector<uint64_t> LoadedObject::Losses() const {
  std::vector<uint64_t> counts(losses_.size());
  for (size_t i = 0; i < counts.size(); ++i) counts[i] = *static_cast<const volatile uint64_t*>(&losses_[i]);
  for (size_t program = 0; program < program_fds_.size(); ++program) {
    const size_t index = program * image::kLossCauses + static_cast<size_t>(image::LossCause::Recursion);
    if (index >= counts.size()) break;
    counts[index] = SkippedRuns(program_fds_[program]);
    for (const Result<Fd>& copy : copies_[program]) counts[index] += copy ? SkippedRuns(copy->get()) : 0;
  }
  for (const Session& session : sessions_) {
    const size_t index = session.entry * image::kLossCauses + static_cast<size_t>(image::LossCause::Recursion);
    if (index < counts.size()) counts[index] += SkippedRuns(session.dispatcher.get());
  }
  return counts;
}

const Session* LoadedObject::session_of(size_t program) const {
  for (const Session& session : sessions_) {
    if (session.entry == program || session.result == program) return &session;
  }
  return nullptr;
}

LoadedObject::~LoadedObject() {
  if (!globals_.empty()) munmap(globals_.data(), globals_.size());
  if (object_) bpf_object__close(object_);
}

Result<int> LoadedObject::program_for(size_t program, size_t target) const {
  if (target == 0 || copies_[program].empty()) return program_fds_[program];
  const Result<Fd>& copy = copies_[program][target - 1];
  return copy ? Result<int>(copy->get()) : Result<int>(copy.error());
}

Result<int> RunProgram(int program_fd) {
  uint64_t context[12] = {};  // as much as a program may look at
  bpf_test_run_opts opts = {};
  opts.sz = sizeof opts;
  opts.ctx_in = context;
  opts.ctx_size_in = sizeof context;
  const int error = bpf_prog_test_run_opts(program_fd, &opts);
  if (error != 0) return Error{strerror(-error), "", -error};
  return static_cast<int>(opts.retval);
}

std::string ProgramName(const image::ProgramSpec& program) {
  if (program.attach.empty()) return program.object_name;
  if (program.attach.size() == 1) return program.attach[0].name;
  return fmt::format("{} and {} more", program.attach[0].name, program.attach.size() - 1);
}

}  // namespace kawk
