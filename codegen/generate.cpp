// One program per unit, the optimiser, the object; then what the runtime must know of each.
#include "codegen/generate.h"

#include <linux/bpf.h>

#include "base/check.h"
#include "codegen/c_sources.h"
#include "codegen/dispatch.h"
#include "codegen/lower.h"
#include "codegen/object.h"
#include "codegen/program.h"

namespace kawk {
namespace {

struct Lowering {
  bpf_prog_type program;
  image::AttachKind attach;
  uint32_t attach_type = 0;
};

Lowering LoweringOf(ProbeKind kind) {
  switch (kind) {
    case ProbeKind::Begin: return {BPF_PROG_TYPE_RAW_TRACEPOINT, image::AttachKind::Begin};
    case ProbeKind::End: return {BPF_PROG_TYPE_RAW_TRACEPOINT, image::AttachKind::End};
    case ProbeKind::Signal: return {BPF_PROG_TYPE_RAW_TRACEPOINT, image::AttachKind::Signal};
    case ProbeKind::Test: return {BPF_PROG_TYPE_RAW_TRACEPOINT, image::AttachKind::Test};
    case ProbeKind::Bench: return {BPF_PROG_TYPE_RAW_TRACEPOINT, image::AttachKind::Bench};
    case ProbeKind::Hardware: return {BPF_PROG_TYPE_PERF_EVENT, image::AttachKind::Hardware};
    case ProbeKind::Watchpoint: return {BPF_PROG_TYPE_PERF_EVENT, image::AttachKind::Watchpoint};
    case ProbeKind::Usdt: return {BPF_PROG_TYPE_KPROBE, image::AttachKind::Uprobe};
    case ProbeKind::Interval: return {BPF_PROG_TYPE_PERF_EVENT, image::AttachKind::Interval};
    case ProbeKind::Profile: return {BPF_PROG_TYPE_PERF_EVENT, image::AttachKind::Profile};
    case ProbeKind::Software: return {BPF_PROG_TYPE_PERF_EVENT, image::AttachKind::Software};
    case ProbeKind::Tracepoint: return {BPF_PROG_TYPE_TRACEPOINT, image::AttachKind::Tracepoint};
    case ProbeKind::RawTracepoint: return {BPF_PROG_TYPE_RAW_TRACEPOINT, image::AttachKind::RawTracepoint};
    case ProbeKind::Uprobe: return {BPF_PROG_TYPE_KPROBE, image::AttachKind::Uprobe};
    case ProbeKind::Uretprobe: return {BPF_PROG_TYPE_KPROBE, image::AttachKind::Uretprobe};
    case ProbeKind::Kprobe: return {BPF_PROG_TYPE_KPROBE, image::AttachKind::Kprobe};
    case ProbeKind::Kretprobe: return {BPF_PROG_TYPE_KPROBE, image::AttachKind::Kretprobe};
    case ProbeKind::Fentry: return {BPF_PROG_TYPE_TRACING, image::AttachKind::Fentry, BPF_TRACE_FENTRY};
    case ProbeKind::Fexit: return {BPF_PROG_TYPE_TRACING, image::AttachKind::Fexit, BPF_TRACE_FEXIT};
    case ProbeKind::Iter: return {BPF_PROG_TYPE_TRACING, image::AttachKind::Iter, BPF_TRACE_ITER};
  }
  UNREACHABLE("probe kind");
}

image::AttachSpec Describe(const AttachTarget& target, image::AttachKind kind, uint64_t cookie) {
  image::AttachSpec attach;
  attach.kind = kind;
  attach.name = target.name;
  attach.location = target.location;
  attach.group = target.group;
  attach.target = target.target;
  attach.path = target.path;
  attach.offset = target.offset;
  attach.period = target.period;
  attach.frequency = target.frequency;
  attach.config = target.config;
  attach.ref_ctr_offset = target.semaphore_offset;
  attach.by_pattern = target.by_pattern;
  attach.cookie = cookie;
  return attach;
}

image::ProgramSpec Describe(const ProbeUnit& unit, const LoweredUnit& lowered, uint32_t index, const ModuleBuilder& module) {
  image::ProgramSpec program;
  const bool raw = lowered.context == ContextKind::RawArguments;
  Lowering lowering = LoweringOf(raw ? ProbeKind::RawTracepoint : unit.kind);
  if (lowered.typed || (module.NeedsTypedContext(index) && unit.kind == ProbeKind::RawTracepoint)) {
    lowering = {BPF_PROG_TYPE_TRACING, image::AttachKind::BtfTracepoint, BPF_TRACE_RAW_TP};
  }
  program.object_name = "probe_" + std::to_string(index);
  program.type = lowering.program;
  program.attach_type = lowering.attach_type;
  program.probes = unit.probes;
  for (const AttachTarget& target : unit.targets) {
    const bool cookies = module.NeedsCookies(index);
    image::AttachSpec& attach =
        program.attach.emplace_back(Describe(target, lowering.attach, cookies ? program.attach.size() : 0));
    if (raw) attach.group.clear();  // its name alone says which it is
  }
  return program;
}

// A unit behind a dispatcher: the first of its direction stands for the dispatcher, the others need nothing of their own.
image::ProgramSpec DescribeDispatched(const ProbeUnit& unit, ContextKind context, bool first) {
  image::ProgramSpec program;
  program.type = BPF_PROG_TYPE_RAW_TRACEPOINT;
  program.probes = unit.probes;
  if (!first) return program;
  program.object_name = DispatcherName(context);
  image::AttachSpec attach = Describe(unit.targets[0], image::AttachKind::RawTracepoint, 0);
  attach.target = context == ContextKind::SyscallEnter ? "sys_enter" : "sys_exit";
  program.attach.push_back(std::move(attach));
  return program;
}

}  // namespace

Result<GenerateOutput> Generate(const Ast&, const Typed& typed, const SourceMap& sources, const GenerateOptions& options) {
  ModuleBuilder module(typed, sources, options);
  for (const std::vector<uint8_t>& bitcode : options.c_modules) {
    if (Status linked = LinkC(module.module(), bitcode); !linked) return linked.error();
  }
  const std::vector<LoweredUnit> lowered = LowerUnits(typed);
  Dispatcher dispatchers[] = {Dispatcher(module, ContextKind::SyscallEnter), Dispatcher(module, ContextKind::SyscallExit)};
  for (uint32_t i = 0; i < typed.units.size(); ++i) {
    const ProbeUnit& unit = typed.units[i];
    llvm::Function* function = Program(module, unit, lowered[i], i).Generate();
    if (!lowered[i].dispatched()) {
      module.image().programs.push_back(Describe(unit, lowered[i], i, module));
      continue;
    }
    Dispatcher& dispatcher = dispatchers[lowered[i].context == ContextKind::SyscallExit];
    module.image().programs.push_back(DescribeDispatched(unit, lowered[i].context, dispatcher.empty()));
    dispatcher.Add(function, lowered[i].syscalls, unit.probe->location);
  }
  for (Dispatcher& dispatcher : dispatchers) dispatcher.Generate();
  module.Finish();
  GenerateOutput output;
  output.notes = DescribeLowering(typed, lowered);
  if (options.want_ir) output.ir = PrintModule(module.module());
  const std::unique_ptr<llvm::Module> spare = SpareCopy(module.module());
  if (Status optimized = OptimizeForBpf(module.module()); !optimized) return optimized.error();
  if (options.want_optimized_ir) output.optimized_ir = PrintModule(module.module());
  Result<std::vector<uint8_t>> object = EmitObject(module.module());
  if (!object && spare != nullptr) {
    KeepInMemory(*spare);
    if (Status optimized = OptimizeForBpf(*spare); !optimized) return optimized.error();
    object = EmitObject(*spare);
  }
  if (!object) return object.error();
  module.image().object = std::move(*object);
  output.image = std::move(module.image());
  return output;
}

}  // namespace kawk
