// Calls that read memory or give an address a meaning: what their signatures cannot say.
#include <fmt/format.h>

#include "ast/passes/check.h"

namespace kawk {
namespace {

constexpr uint32_t kMacBytes = 6;
constexpr uint32_t kIpv4Bytes = 4;
constexpr uint32_t kIpv6Bytes = 16;

}  // namespace

void CallChecker::CheckNotNegative(const Call& call, size_t arg, std::string_view name) {
  const std::optional<Known> number = KnownValue(call, arg);
  if (number && *number < 0) diagnostics_.Emit(Diag::NegativeArgument, call.args[arg]->location, call.name, name);
}

void CallChecker::CheckStr(const Call& call) { CheckNotNegative(call, 1, "length"); }

void CallChecker::CheckBuf(const Call& call) {
  const Type* data = typed_.TypeOf(call.args[0]);
  CheckNotNegative(call, 1, "length");
  if (data == nullptr) return;
  if (call.args.size() == 1 && !data->is(TypeKind::Array)) {
    diagnostics_.EmitWithHint(Diag::NoLength, call.location, "write `buf(data, length)`", ToString(data));
  }
  const std::optional<Known> length = KnownValue(call, 1);
  if (!length || *length <= static_cast<Known>(typed_.config.max_strlen)) return;
  diagnostics_.EmitWithHint(Diag::ReadTooLong, call.args[1]->location, "set `max_strlen`", call.name, typed_.config.max_strlen);
}

// Histograms keep several elements a key.
void CallChecker::CheckLen(const Call& call) {
  const MapRef* ref = As<MapRef>(call.args[0]);
  if (ref == nullptr) return;
  CheckMapDefined(call);
  const MapInfo& map = typed_.maps[typed_.Info(ref).map];
  if (map.value == nullptr) return;
  if (map.key == nullptr || map.value->IsBucketed()) {
    diagnostics_.Emit(Diag::LenOfMap, ref->location, ref->name);
  }
}

void CallChecker::CheckSkboutput(const Call& call) {
  const Type* skb = typed_.TypeOf(call.args[1]);
  const bool is_pointer = skb != nullptr && skb->is(TypeKind::Pointer);  // else CheckClasses has said so
  if (is_pointer && !(skb->element->is(TypeKind::Struct) && skb->element->info->name == "struct sk_buff")) {
    diagnostics_.EmitWithHint(Diag::ArgumentClass, call.args[1]->location,
                              "an argument of the probe has this type, as in `args.skb`", call.name, "a `struct sk_buff *`",
                              "skb", ToString(skb));
  }
  CheckNotNegative(call, 2, "length");
  CheckNotNegative(call, 3, "offset");
}

void CallChecker::CheckNtop(const Call& call) {
  const Expr& address = *call.args.back();
  const Type* type = typed_.TypeOf(&address);
  if (type == nullptr) return;
  const bool array = type->is(TypeKind::Array) && (SizeOfType(type) == kIpv4Bytes || SizeOfType(type) == kIpv6Bytes);
  if (!array && !type->is(TypeKind::Int)) {
    diagnostics_.Emit(Diag::NotAnAddress, address.location, call.name, "an integer or an array of 4 or 16 bytes", ToString(type));
  }
  if (call.args.size() < 2) return;
  const Type* family = typed_.TypeOf(call.args[0]);
  if (family != nullptr && !family->IsInteger()) {
    diagnostics_.Emit(Diag::ArgumentClass, call.args[0]->location, call.name, "an integer", "family", ToString(family));
  }
}

void CallChecker::CheckMacaddr(const Call& call) {
  const Type* type = typed_.TypeOf(call.args[0]);
  if (type == nullptr || !type->is(TypeKind::Array) || SizeOfType(type) == kMacBytes) return;
  diagnostics_.Emit(Diag::NotAnAddress, call.args[0]->location, call.name, "an address or an array of 6 bytes", ToString(type));
}

void CallChecker::CheckStrftime(const Call& call) {
  if (typed_.Info(call.args[1]).builtin != BuiltinId::NsecsMonotonic) return;
  diagnostics_.EmitWithHint(Diag::MonotonicTime, call.args[1]->location, "use `nsecs`");
}

}  // namespace kawk
