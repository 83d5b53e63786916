// Calls against the signature of their row, then the rules that no signature can say, by a switch over the functions.
#include <fmt/format.h>

#include "ast/passes/arguments.h"
#include "ast/passes/check.h"
#include "ast/passes/format.h"
#include "ast/passes/series.h"

namespace kawk {
namespace {

constexpr Known kMostHistBits = 5;
constexpr Known kMostLhistBuckets = 1000;

// What the kernel finds a thread by.
constexpr std::initializer_list<const char*> kOfThreads = {"struct task_struct", "struct pid",           "struct upid",
                                                           "struct ns_common",   "struct pid_namespace", "struct idr",
                                                           "struct xarray",      "struct xa_node"};

// An iterator that is pinned.
bool OutlivesUs(const ProbeUnit& unit) { return unit.kind == ProbeKind::Iter && !unit.targets[0].path.empty(); }

}  // namespace

std::vector<std::string> MapNames(const Typed& typed) {
  std::vector<std::string> names;
  for (const MapInfo& map : typed.maps) {
    if (map.value != nullptr) names.push_back(map.name);
  }
  return names;
}

std::optional<Known> CallChecker::KnownValue(const Call& call, size_t arg) const {
  if (arg >= call.args.size() || call.args[arg] == nullptr) return std::nullopt;
  const ExprInfo& info = typed_.Info(call.args[arg]);
  if (!info.integer || info.type == nullptr) return std::nullopt;
  return info.type->is_signed ? Known{static_cast<int64_t>(*info.integer)} : Known{*info.integer};
}

// What a program can do that outlives us: printf() of numbers and strings, to who reads the iterator.
void CallChecker::CheckPinned(const Call& call, const FunctionRow& row) {
  if (row.effect != Effect::Async || row.id == FunctionId::Printf) return;
  diagnostics_.EmitWithHint(Diag::PinnedIteratorCall, call.location, "printf() writes to who reads it", row.name);
}

void CallChecker::CheckPinnedFormat(const Call& call, const std::vector<FormatSpec>& pieces) {
  constexpr std::string_view kNumbers = "diuxXpc";
  for (const FormatSpec& piece : pieces) {
    if (piece.conversion.empty() || 1 + piece.arg >= call.args.size()) continue;
    const Type* type = typed_.TypeOf(call.args[1 + piece.arg]);
    if (type == nullptr) continue;
    const bool is_text = piece.conversion.front() == 's' && type->is(TypeKind::String);
    const bool is_number =
        type->IsScalar() && piece.conversion.size() == 1 && kNumbers.find(piece.conversion[0]) != kNumbers.npos;
    if ((!is_text && !is_number) || piece.precision >= 0 || piece.width_arg >= 0 || piece.precision_arg >= 0)
      diagnostics_.Emit(Diag::PinnedIteratorFormat, call.location, piece.conversion, ToString(type));
  }
}

void CallChecker::Check(const Call& call) {
  const std::optional<FunctionId> id = typed_.Info(&call).function;
  const int c_function = typed_.Info(&call).c_function;
  for (const Expr* arg : call.args) {
    if (arg == nullptr) return;
  }
  if (c_function >= 0) return CheckC(call, typed_.c_functions[static_cast<size_t>(c_function)]);
  if (!id) return;
  const FunctionRow& row = Row(*id);
  const Signature signature = ParseSignature(row.signature);
  if (!CheckPlace(call, row)) return;
  if ((row.flags & kUnsafe) != 0 && !input_.unsafe) {
    diagnostics_.EmitWithHint(Diag::UnsafeFunction, call.location, "run with --unsafe", row.name);
  }
  if (!CheckArity(call, signature, diagnostics_)) return;
  if (OutlivesUs(*unit_)) CheckPinned(call, row);
  if (*id == FunctionId::Delete) return CheckDelete(call);
  CheckClasses(call, signature, typed_, diagnostics_);
  switch (*id) {
    case FunctionId::Print: return CheckPrint(call);
    case FunctionId::Clear:
    case FunctionId::Zero:
    case FunctionId::HasKey: return CheckMapDefined(call);
    case FunctionId::Hist: return CheckHist(call);
    case FunctionId::Lhist: return CheckLhist(call);
    case FunctionId::Tseries: return CheckTseries(call);
    case FunctionId::Str: return CheckStr(call);
    case FunctionId::Buf: return CheckBuf(call);
    case FunctionId::Len: return CheckLen(call);
    case FunctionId::Skboutput: return CheckSkboutput(call);
    case FunctionId::Ntop: return CheckNtop(call);
    case FunctionId::Macaddr: return CheckMacaddr(call);
    case FunctionId::Strncmp: CheckTexts(call, 2); return CheckNotNegative(call, 2, "n");
    case FunctionId::Strftime: return CheckStrftime(call);
    case FunctionId::Strcap: return CheckStrcap(call);
    case FunctionId::Reg: return CheckReg(call);
    case FunctionId::Find: return CheckFind(call);
    case FunctionId::Pton: return CheckPton(call);
    case FunctionId::Signal:
    case FunctionId::SignalThread: return CheckSignal(call);
    case FunctionId::WriteUser: return CheckBytes(call, {1}, 2);
    case FunctionId::Memcmp: return CheckBytes(call, {0, 1}, 2);
    case FunctionId::StaticAssert: return CheckStaticAssert(call);
    case FunctionId::Fail: return CheckFail(call);
    case FunctionId::Strlen: return CheckTexts(call, 1);
    case FunctionId::Strcontains:
    case FunctionId::Strstr:
    case FunctionId::StrConcat: return CheckTexts(call, 2);
    case FunctionId::Path: return CheckPath(call);
    case FunctionId::CommOf: return CheckStructs(call, kOfThreads);
    case FunctionId::TidOf: return CheckTask(call);
    case FunctionId::Printf:
    case FunctionId::Errorf:
    case FunctionId::Warnf:
    case FunctionId::Cat:
    case FunctionId::System: return CheckFormat(call);
    case FunctionId::Delete:
    case FunctionId::Getopt:
    case FunctionId::Exit:
    case FunctionId::Time:
    case FunctionId::Join:
    case FunctionId::CgroupId:
    case FunctionId::CgroupPath:
    case FunctionId::Override:
    case FunctionId::Unwatch:
    case FunctionId::IsLiteral:
    case FunctionId::IsStr:
    case FunctionId::IsPtr:
    case FunctionId::IsArray:
    case FunctionId::IsInteger:
    case FunctionId::IsUnsignedInteger:
    case FunctionId::KfuncExist:
    case FunctionId::KfuncAllowed:
    case FunctionId::Strerror:
    case FunctionId::SyscallName:
    case FunctionId::SignalName:
    case FunctionId::Bswap:
    case FunctionId::Kaddr:
    case FunctionId::PercpuKaddr:
    case FunctionId::Uaddr:
    case FunctionId::Kptr:
    case FunctionId::Uptr:
    case FunctionId::Ksym:
    case FunctionId::Usym:
    case FunctionId::Count:
    case FunctionId::Sum:
    case FunctionId::Min:
    case FunctionId::Max:
    case FunctionId::Avg:
    case FunctionId::Stats: return;
  }
}

void CallChecker::CheckMapDefined(const Call& call) {
  const MapRef* ref = As<MapRef>(call.args[0]);
  if (ref == nullptr) return;
  const int map = typed_.Info(ref).map;
  if (map < 0 || typed_.maps[map].value != nullptr) return;
  diagnostics_.EmitWithHint(Diag::UndefinedMap, ref->location, DidYouMean(ref->name, MapNames(typed_)), ref->name);
}

void CallChecker::CheckPrint(const Call& call) {
  const Expr& value = *call.args[0];
  if (As<MapRef>(&value) == nullptr) {
    if (call.args.size() > 1) {
      diagnostics_.EmitWithHint(Diag::PrintValueArguments, call.args[1]->location, "only `print(@map, top, div)` takes more");
    }
    const ExprInfo& info = typed_.Info(&value);
    if (info.space == AddressSpace::Context && info.type != nullptr && info.type->is(TypeKind::Struct)) {
      diagnostics_.EmitWithHint(Diag::NotPrintable, value.location, "print its fields", ToString(info.type));
    }
    if (info.type != nullptr && info.type->IsBucketed()) {
      diagnostics_.EmitWithHint(Diag::NotPrintable, value.location, "print the whole map", ToString(info.type));
    }
    return;
  }
  CheckMapDefined(call);
  CheckNotNegative(call, 1, "top");
  CheckNotNegative(call, 2, "div");
}

// `delete(@m, key)`, `delete(@scalar)` and the old `delete(@m[key])`.
void CallChecker::CheckDelete(const Call& call) {
  const Index* old_form = As<Index>(call.args[0]);
  const bool is_map = As<MapRef>(call.args[0]) != nullptr;
  const bool is_entry = old_form != nullptr && As<MapRef>(old_form->base) != nullptr && call.args.size() == 1;
  if (!is_map && !is_entry) {
    diagnostics_.EmitWithHint(Diag::ArgumentClass, call.args[0]->location, "write `delete(@m, key)`", call.name, "a map", "m",
                              ToString(typed_.TypeOf(call.args[0])));
    return;
  }
  CheckMapDefined(call);
}

void CallChecker::CheckHist(const Call& call) {
  const std::optional<Known> bits = KnownValue(call, 1);
  if (bits && (*bits < 0 || *bits > kMostHistBits)) diagnostics_.Emit(Diag::HistBits, call.args[1]->location);
}

void CallChecker::CheckLhist(const Call& call) {
  const std::optional<Known> min = KnownValue(call, 1);
  const std::optional<Known> max = KnownValue(call, 2);
  const std::optional<Known> step = KnownValue(call, 3);
  if (!min || !max || !step) return;
  if (*max > INT64_MAX) {
    diagnostics_.Emit(Diag::LhistBounds, call.args[2]->location, "max is too large");
  } else if (*step < 1) {
    diagnostics_.Emit(Diag::LhistBounds, call.args[3]->location, "step must be at least 1");
  } else if (*min >= *max) {
    diagnostics_.Emit(Diag::LhistBounds, call.args[1]->location, "min must be less than max");
  } else if (*step > *max - *min) {
    diagnostics_.Emit(Diag::LhistBounds, call.args[3]->location, "step is larger than the range");
  } else if ((*max - *min) / *step > kMostLhistBuckets) {
    diagnostics_.Emit(Diag::LhistBounds, call.args[3]->location, "more than 1000 buckets; use a larger step");
  }
}

void CallChecker::CheckTseries(const Call& call) {
  const std::string& allowed = typed_.config.unstable_tseries;
  if (allowed == "error")
    diagnostics_.EmitWithHint(Diag::FeatureOff, call.location, "set `unstable_tseries = enable`", call.name);
  if (allowed == "warn") diagnostics_.Emit(Diag::FeatureUnstable, call.location, call.name);
  const std::optional<Known> interval = KnownValue(call, 1);
  const std::optional<Known> length = KnownValue(call, 2);
  if (interval && (*interval < 1 || *interval > INT64_MAX)) {
    diagnostics_.Emit(Diag::TseriesBounds, call.args[1]->location, "the interval must be at least 1 ns");
  }
  if (length && (*length < 1 || *length >= kMostSeriesIntervals)) {
    diagnostics_.Emit(Diag::TseriesBounds, call.args[2]->location, "the number of intervals must be from 1 to 999999");
  }
  if (call.args.size() < 4) return;
  const std::optional<std::string>& kind = typed_.Info(call.args[3]).string;
  if (!kind || FindSeriesKind(*kind)) return;
  diagnostics_.EmitWithHint(Diag::TseriesBounds, call.args[3]->location, DidYouMean(*kind, {"avg", "max", "min", "sum"}),
                            fmt::format("`{}` is not one of avg, max, min, sum", *kind));
}

void CallChecker::CheckFormat(const Call& call) {
  const std::optional<std::string>& text = typed_.Info(call.args[0]).string;
  if (!text) return;
  ParsedFormat format = ParseFormat(*text);
  for (const std::string& unknown : format.unknown) {
    diagnostics_.EmitWithHint(Diag::UnknownConversion, call.args[0]->location, "write `%%` for a percent sign", unknown);
  }
  if (format.too_wide) diagnostics_.Emit(Diag::FormatTooWide, call.args[0]->location, kWidestFormat);
  const size_t wanted = format.arguments;
  const size_t given = call.args.size() - 1;
  if (given < wanted) diagnostics_.Emit(Diag::TooFewFormatArguments, call.args[0]->location, Plural(wanted), given);
  if (given > wanted) diagnostics_.Emit(Diag::TooManyFormatArguments, call.args[1 + wanted]->location, Plural(wanted), given);
  for (const FormatSpec& spec : format.specs) {
    if (spec.conversion.empty() || spec.arg >= given) continue;
    for (const int star : {spec.width_arg, spec.precision_arg}) {
      const Type* type = star >= 0 ? typed_.TypeOf(call.args[1 + static_cast<size_t>(star)]) : nullptr;
      if (type == nullptr || type->is(TypeKind::None) || type->is(TypeKind::Int)) continue;
      diagnostics_.Emit(Diag::StarNotAnInteger, call.args[1 + static_cast<size_t>(star)]->location, ToString(type));
    }
    const Expr& arg = *call.args[1 + spec.arg];
    const Type* type = typed_.TypeOf(&arg);
    if (type == nullptr || type->is(TypeKind::None) || CanPrint(spec, type)) continue;  // None: said by CheckClasses
    diagnostics_.EmitWithHint(Diag::BadConversion, arg.location,
                              type->IsBucketed()                    ? "print the whole map"
                              : CanPrint({.conversion = "s"}, type) ? "use `%s`"
                                                                    : "",
                              spec.conversion, ToString(type));
  }
  if (OutlivesUs(*unit_)) CheckPinnedFormat(call, format.specs);
  typed_.Info(&call).format = static_cast<int>(typed_.formats.size());
  typed_.formats.push_back(std::move(format.specs));
}

}  // namespace kawk
