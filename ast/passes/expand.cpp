// Attach points → units. A unit is a body and the targets for which its expressions have the same types: targets of one
// kind, and, where the body uses `args`, with the same used fields. The first unit of a probe keeps the probe's own tree;
// each further one gets a clone, so that a node id belongs to one unit.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <regex>

#include "ast/clone.h"
#include "ast/passes/match.h"
#include "ast/passes/passes.h"
#include "ast/passes/tracepoint_args.h"
#include "ast/walk.h"
#include "base/demangle.h"
#include "stdlib/raw_fields.h"

namespace kawk {
namespace {

// Which fields of `args` a probe uses; `whole` when it uses `args` itself.
struct ArgsUse {
  bool numbered = false;  // arg0 …
  bool retval = false;
  bool name = false;  // `probe`
  bool any = false;
  bool whole = false;
  std::vector<std::string> fields;
};

const BuiltinRow* BuiltinOf(const Expr* expr) {
  const Ident* ident = As<Ident>(expr);
  return ident != nullptr ? FindBuiltin(ident->name) : nullptr;
}

bool IsArgs(const Expr* expr) {
  const BuiltinRow* row = BuiltinOf(expr);
  return row != nullptr && row->id == BuiltinId::Args;
}

ArgsUse FindArgsUse(const Probe& probe) {
  ArgsUse use;
  int seen = 0;
  Walker walker;
  walker.on_expr = [&](const Expr& expr) {
    const BuiltinRow* row = BuiltinOf(&expr);
    if (row != nullptr && row->id == BuiltinId::Args) ++seen;
    if (row != nullptr && row->probes == kHasArgN) use.numbered = true;
    if (row != nullptr && row->id == BuiltinId::Retval) use.retval = true;
    if (row != nullptr && row->id == BuiltinId::ProbeName) use.name = true;
    const Member* member = As<Member>(&expr);
    if (member != nullptr && IsArgs(member->base)) use.fields.push_back(member->name);
  };
  walker.Walk(probe);
  use.any = seen > 0;
  use.whole = seen > static_cast<int>(use.fields.size());
  return use;
}

std::string UsdtSignature(const AttachTarget& target) {
  std::string signature = "|" + target.argument_text;
  for (const UsdtArgument& argument : target.arguments) signature += fmt::format(" {}", argument.value);
  return signature;
}

class Expander {
 public:
  Expander(Ast& ast, const ScriptInput& input, const Config& config, Host& host, TypeSource& source,
           std::vector<std::unique_ptr<Probe>>& clones, Diagnostics& diagnostics)
      : ast_(ast), input_(input), config_(config), host_(host), source_(source), clones_(clones), diagnostics_(diagnostics) {}

  std::vector<ProbeUnit> Run() {
    const size_t probes = ast_.probes.size();
    for (size_t i = 0; i < probes; ++i) ExpandProbe(ast_.probes[i]);
    CheckCount();
    return std::move(units_);
  }

 private:
  void ExpandProbe(const Probe& probe);
  std::vector<AttachTarget> FindTargets(const Probe& probe);
  void ReportMissing(const AttachPoint& point, const Match& match);
  // What `args` is at a target: its type, and in user space where its fields are.
  struct Arguments {
    const Type* type = nullptr;
    std::vector<std::vector<DebugPiece>> pieces = {};
  };
  Arguments ArgsOf(AttachTarget& target, const ArgsUse& use);
  Arguments UserArgsOf(const AttachTarget& target, const ArgsUse& use);
  TypeSource::ReturnValue RetvalOf(const AttachTarget& target, const ArgsUse& use);
  std::string Signature(const AttachTarget& target, const Arguments& arguments, const TypeSource::ReturnValue& retval,
                        const ArgsUse& use) const;
  bool HasRawCookies() const;
  void CheckCount();
  bool TakesPart(const AttachPoint& point) const;

  Ast& ast_;
  const ScriptInput& input_;
  const Config& config_;
  Host& host_;
  TypeSource& source_;
  std::vector<std::unique_ptr<Probe>>& clones_;
  Diagnostics& diagnostics_;
  std::vector<ProbeUnit> units_;
};

void Expander::ReportMissing(const AttachPoint& point, const Match& match) {
  std::string hint = match.error
                         ? match.error->hint
                         : DidYouMean(point.group.empty() ? point.target : point.group + ":" + point.target, match.candidates);
  const std::string why = match.error ? ": " + match.error->message : "";
  if (config_.missing_probes == "ignore") return;
  if (config_.missing_probes == "warn") {
    diagnostics_.EmitWithHint(Diag::MissingProbeSkipped, point.location, hint, point.name, why);
    return;
  }
  if (hint.empty()) hint = "set `config = { missing_probes = warn }` to go on without it";
  diagnostics_.EmitWithHint(Diag::MissingProbe, point.location, hint, point.name, why);
}

// Tests and benchmarks run on their own, nothing else with them.
bool Expander::TakesPart(const AttachPoint& point) const {
  if (point.kind == ProbeKind::Test && input_.mode != RunMode::Test) return false;
  if (point.kind == ProbeKind::Bench && input_.mode != RunMode::Bench) return false;
  if (input_.mode == RunMode::Trace) return true;
  if (point.kind != ProbeKind::Test && point.kind != ProbeKind::Bench) return false;
  return input_.probe_filter.empty() || std::regex_search(point.target, std::regex(input_.probe_filter));
}

std::vector<AttachTarget> Expander::FindTargets(const Probe& probe) {
  std::vector<AttachTarget> targets;
  std::vector<std::pair<AttachPoint, Match>> empty_patterns;
  for (const AttachPointText& text : probe.attach_points) {
    const std::optional<AttachPoint> point = ParseAttachPoint(text, input_.positional, diagnostics_);
    if (!point || !TakesPart(*point)) continue;
    Match match = MatchAttachPoint(*point, input_, host_);
    if (!match.targets.empty()) {
      if (HasWildcard(*point)) {
        for (AttachTarget& target : match.targets) target.by_pattern = true;
      }
      if (config_.cpp_demangle && (Row(point->kind).flags & kUserSpace) != 0 && point->kind != ProbeKind::Usdt) {
        for (AttachTarget& target : match.targets) target.target = Demangle(target.target, nullptr);
      }
      targets.insert(targets.end(), match.targets.begin(), match.targets.end());
    } else if (HasWildcard(*point)) {
      empty_patterns.emplace_back(*point, std::move(match));
    } else {
      ReportMissing(*point, match);
    }
  }
  // A pattern without a match is fine as long as the probe has something to attach to.
  if (!targets.empty()) return targets;
  for (const auto& [point, match] : empty_patterns) ReportMissing(point, match);
  return targets;
}

// By debug information. `args` as a whole leaves out what cannot be read.
Expander::Arguments Expander::UserArgsOf(const AttachTarget& target, const ArgsUse& use) {
  const Result<DebugInfo*> info = host_.OpenDebugInfo(target.path);
  std::optional<DebugFunction> function;
  if (info) function = (*info)->FunctionAt(target.address);
  if (!function) {
    if (target.by_pattern) return {};  // left out
    const std::string why = info ? "its debug information does not have it" : info.error().message + ": " + info.error().hint;
    diagnostics_.EmitWithHint(Diag::NoTypedArguments, target.location, why + "; arg0, arg1 … need none", target.name);
    return {};
  }
  std::vector<const DebugParameter*> parameters;
  Arguments arguments;
  for (const DebugParameter& parameter : function->parameters) {
    const bool named = std::find(use.fields.begin(), use.fields.end(), parameter.name) != use.fields.end();
    if (parameter.name.empty() || (parameter.pieces.empty() && !named)) continue;
    if (parameter.pieces.empty())
      diagnostics_.Emit(Diag::UnreadableArgument, target.location, parameter.name, target.name, parameter.why_not);
    parameters.push_back(&parameter);
    arguments.pieces.push_back(parameter.pieces);
  }
  arguments.type = source_.DebugArguments(**info, target.target, parameters);
  return arguments;
}

Expander::Arguments Expander::ArgsOf(AttachTarget& target, const ArgsUse& use) {
  if (target.kind == ProbeKind::Uprobe) return UserArgsOf(target, use);
  if (target.kind == ProbeKind::Fentry || target.kind == ProbeKind::Fexit) {
    const Type* args = IsBpfProgram(target) ? nullptr : source_.FunctionArgs(target.group, target.target);
    if (args == nullptr)
      diagnostics_.EmitWithHint(Diag::NoTypedArguments, target.location, "kprobe has arg0, arg1 …", target.name);
    return {args};
  }
  if (target.kind == ProbeKind::RawTracepoint) return {source_.RawTracepointArgs(target.group, target.target)};
  if (target.kind != ProbeKind::Tracepoint) return {};
  const Result<TracepointFormat> format = host_.ReadTracepoint(target.group, target.target);
  if (!format) {
    diagnostics_.EmitWithHint(Diag::HostError, target.location, format.error().hint, format.error().message);
    return {};
  }
  target.tracepoint_id = format->id;
  const auto used = [&](const std::string& field) {
    return use.whole || std::find(use.fields.begin(), use.fields.end(), field) != use.fields.end();
  };
  return {TracepointArgs(*format, config_, used, source_)};
}

TypeSource::ReturnValue Expander::RetvalOf(const AttachTarget& target, const ArgsUse& use) {
  if (target.kind != ProbeKind::Fexit || !use.retval) return {};
  const TypeSource::ReturnValue retval =
      IsBpfProgram(target) ? TypeSource::ReturnValue{} : source_.FunctionResult(target.group, target.target);
  if (retval.type == nullptr)
    diagnostics_.EmitWithHint(Diag::NoTypedArguments, target.location, "kretprobe has retval", target.name);
  return retval;
}

bool Expander::HasRawCookies() const {
  const Type* link = source_.Find("struct bpf_raw_tp_link");
  return link != nullptr && link->is(TypeKind::Struct) && link->info->Find("cookie") != nullptr;
}

// Equal for targets whose used fields are the same: in place, type and kind.
std::string Expander::Signature(const AttachTarget& target, const Arguments& arguments, const TypeSource::ReturnValue& retval,
                                const ArgsUse& use) const {
  std::string signature = fmt::format("{}", static_cast<int>(target.kind));
  if (retval.type != nullptr) signature += fmt::format("={}@{}", fmt::ptr(retval.type), retval.offset);
  // Iterators differ in `ctx`.
  if (target.kind == ProbeKind::Iter) signature += target.target;
  // Raw tracepoints tell a program which one fired from Linux 6.10 on; before, each needs a program of its own.
  if (use.name && target.kind == ProbeKind::RawTracepoint && !HasRawCookies()) signature += target.name;
  // Where a probe's arguments are differs from place to place.
  if (use.numbered && target.kind == ProbeKind::Usdt) signature += UsdtSignature(target);
  const Type* args = arguments.type;
  if (args == nullptr) return signature;
  const auto add = [&](const StructField& field) {
    signature +=
        fmt::format("|{}:{}:{}:{}:{}", field.name, fmt::ptr(field.type), field.offset, field.data_loc, field.rel_data_loc);
    if (arguments.pieces.empty()) return;
    for (const DebugPiece& piece : arguments.pieces[static_cast<size_t>(&field - args->info->Fields().data())])
      signature += fmt::format(" {}{}{}/{}", static_cast<int>(piece.place), piece.base, piece.offset, piece.size);
  };
  if (use.whole) {
    signature += args->info->name;
    for (const StructField& field : args->info->Fields()) add(field);
  }
  for (const std::string& name : use.fields) {
    if (const StructField* field = args->info->Find(name)) {
      add(*field);
      // Where the raw tracepoints have it, so that either is lowered on its own.
      if (target.kind == ProbeKind::Tracepoint && config_.lower_tracepoints)
        signature += RawFieldFrom(target.group, target.target, name);
    } else {
      signature += "|no " + name + " in " + args->info->name;  // the message names this target
    }
  }
  return signature;
}

void Expander::ExpandProbe(const Probe& probe) {
  const ArgsUse use = FindArgsUse(probe);
  std::map<std::string, size_t> by_signature;
  const Probe* tree = &probe;
  const AttachTarget* without_args = nullptr;
  std::vector<AttachTarget> targets = FindTargets(probe);
  for (AttachTarget& target : targets) {
    const Arguments args = use.any ? ArgsOf(target, use) : Arguments();
    if (use.any && args.type == nullptr && target.kind == ProbeKind::Uprobe && target.by_pattern) {
      without_args = &target;
      continue;
    }
    const TypeSource::ReturnValue retval = RetvalOf(target, use);
    const auto [found, is_new] = by_signature.try_emplace(Signature(target, args, retval, use), units_.size());
    if (!is_new) {
      units_[found->second].probes += !target.same_probe;
      units_[found->second].targets.push_back(std::move(target));
      continue;
    }
    if (tree == nullptr) {
      auto clone = std::make_unique<Probe>(probe);
      clone->predicate = CloneExpr(ast_, probe.predicate);
      clone->body = CloneBlock(ast_, probe.body);
      tree = clone.get();
      clones_.push_back(std::move(clone));
    }
    ProbeUnit& unit = units_.emplace_back();
    unit.probe = tree;
    unit.kind = target.kind;
    unit.args = args.type;
    unit.arg_pieces = args.pieces;
    unit.retval = retval;
    unit.probes = !target.same_probe;
    unit.targets.push_back(std::move(target));
    tree = nullptr;
  }
  if (tree != nullptr && without_args != nullptr) {  // of a pattern none has any
    AttachTarget target = *without_args;
    target.by_pattern = false;
    UserArgsOf(target, use);
  }
}

void Expander::CheckCount() {
  uint64_t count = 0;
  for (const ProbeUnit& unit : units_) count += unit.probes;
  if (units_.empty() && !diagnostics_.has_errors()) {
    if (ast_.probes.empty()) {
      diagnostics_.EmitWithHint(Diag::EmptyProgram, Location{}, "the shortest is `BEGIN { }`");
    } else {
      diagnostics_.Emit(Diag::NothingToAttach, ast_.probes[0].location);
    }
  }
  if (count <= config_.max_probes) return;
  diagnostics_.EmitWithHint(Diag::TooManyProbes, units_[0].targets[0].location,
                            fmt::format("set `config = {{ max_probes = {} }}`, or narrow the pattern", count), count,
                            config_.max_probes);
}

}  // namespace

std::vector<ProbeUnit> ExpandProbes(Ast& ast, const ScriptInput& input, const Config& config, Host& host, TypeSource& source,
                                    std::vector<std::unique_ptr<Probe>>& clones, Diagnostics& diagnostics) {
  return Expander(ast, input, config, host, source, clones, diagnostics).Run();
}

}  // namespace kawk
