#include "ast/passes/flow.h"

#include <algorithm>
#include <limits>

namespace kawk {
namespace {

constexpr int kDeepest = 8;  // of tuples in tuples

int Depth(const Type* type) {
  int deepest = 0;
  for (const Type* member : type->members) deepest = std::max(deepest, 1 + Depth(member));
  return deepest;
}

int Depth(const Flow& flow) {
  int deepest = flow.type != nullptr ? Depth(flow.type) : 0;
  for (const Flow& member : flow.members) deepest = std::max(deepest, 1 + Depth(member));
  return deepest;
}

bool IsInt(const Type* type) { return type->is(TypeKind::Int) || type->is(TypeKind::Enum); }

int64_t LeastOf(const Type* type) { return type->is_signed ? -1 - static_cast<int64_t>((1ull << (type->bits - 1)) - 1) : 0; }
uint64_t MostOf(const Type* type) {
  const uint64_t all = type->bits == 64 ? ~0ull : (1ull << type->bits) - 1;
  return type->is_signed ? all >> 1 : all;
}

// The narrowest integer that holds the open part's range and width, with this signedness.
const Type* Narrowest(const Flow& flow, bool is_signed, uint32_t bits, TypeTable& types) {
  for (bits = std::max({bits, flow.bits, 8u}); bits < 64; bits *= 2) {
    if (Fits(flow, types.Int(bits, is_signed))) break;
  }
  return types.Int(bits, is_signed);
}

const Type* IntegerOf(const Flow& flow, TypeTable& types, bool* lossy = nullptr) {
  const bool huge = flow.most > static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (!flow.open) return flow.type;
  if (flow.type == nullptr) return Narrowest(flow, !huge || flow.least < 0, 8, types);
  if (flow.type->is(TypeKind::Enum) && flow.bits <= flow.type->bits && Fits(flow, flow.type)) return flow.type;
  if (flow.type->is_signed) {
    if (huge && lossy != nullptr) *lossy = true;
    return Narrowest(flow, true, flow.type->bits, types);
  }
  if (flow.least >= 0) return Narrowest(flow, false, flow.type->bits, types);
  return types.Common(flow.type, Narrowest(flow, true, 8, types), lossy);
}

bool MergeIntegers(Flow& slot, const Flow& in, TypeTable& types, bool* lossy) {
  if (slot.type != nullptr && !IsInt(slot.type)) return false;
  if (in.type != nullptr && !IsInt(in.type)) return false;
  if (in.type != nullptr && in.type != slot.type) {
    slot.type = slot.type == nullptr ? in.type : types.Common(slot.type, in.type, lossy);
  }
  slot.open |= in.open;
  slot.least = std::min(slot.least, in.least);
  slot.most = std::max(slot.most, in.most);
  slot.bits = std::max(slot.bits, in.bits);
  IntegerOf(slot, types, lossy);
  return true;
}

// A tuple's or record's type as a flow of its members.
Flow Spread(const Flow& flow) {
  if (flow.is_tuple || flow.type == nullptr) return flow;
  Flow spread;
  spread.is_tuple = true;
  spread.names = flow.type->names;
  for (const Type* member : flow.type->members) spread.members.push_back(Flow::Of(member));
  return spread;
}

bool IsTuple(const Flow& flow) {
  return flow.is_tuple || (flow.type != nullptr && (flow.type->is(TypeKind::Tuple) || flow.type->is(TypeKind::Record)));
}

// Brings a record's members into the order of `names`. False when it has others.
bool Reorder(Flow& record, const std::vector<std::string>& names) {
  std::vector<Flow> members;
  for (const std::string& name : names) {
    const auto at = std::find(record.names.begin(), record.names.end(), name);
    if (at == record.names.end()) return false;
    members.push_back(record.members[static_cast<size_t>(at - record.names.begin())]);
  }
  record.members = std::move(members);
  record.names = names;
  return true;
}

bool MergeTuples(Flow& slot, const Flow& in, TypeTable& types, bool* lossy) {
  Flow merged = Spread(slot);
  Flow from = Spread(in);
  if (merged.members.size() != from.members.size() || merged.names.size() != from.names.size()) return false;
  if (merged.names != from.names && !Reorder(from, merged.names)) return false;
  for (size_t i = 0; i < from.members.size(); ++i) {
    if (!Merge(merged.members[i], from.members[i], types, lossy)) return false;
  }
  slot = std::move(merged);
  return true;
}

// Kinds that have a payload in which two values may differ.
const Type* CommonOf(const Type* a, const Type* b, TypeTable& types) {
  if (a->kind != b->kind) return nullptr;
  switch (a->kind) {
    case TypeKind::String: return a->length > b->length ? a : b;
    case TypeKind::Buffer: return a->length > b->length ? a : b;
    case TypeKind::Pointer: return a->element == b->element ? a : nullptr;
    case TypeKind::Sum:
    case TypeKind::Min:
    case TypeKind::Max:
    case TypeKind::Avg:
    case TypeKind::Stats: return types.Aggregate(a->kind, a->is_signed || b->is_signed);
    case TypeKind::Tseries:
      if (a->series_interval != b->series_interval || a->series_length != b->series_length || a->series_kind != b->series_kind)
        return nullptr;
      return types.Tseries(a->is_signed || b->is_signed, a->series_interval, a->series_length, a->series_kind);
    default: return nullptr;
  }
}

}  // namespace

Flow Flow::Of(const Type* type) {
  Flow flow;
  flow.type = type;
  return flow;
}

Flow Flow::Literal(uint64_t value, bool negative) {
  Flow flow;
  flow.open = true;
  if (negative) {
    flow.least = static_cast<int64_t>(value);
  } else {
    flow.most = value;
  }
  return flow;
}

Flow Flow::Width(uint32_t bits) {
  Flow flow;
  flow.open = true;
  flow.bits = bits;
  return flow;
}

bool IsTooDeep(const Flow& flow) { return Depth(flow) > kDeepest; }

const Type* TypeOfFlow(const Flow& flow, TypeTable& types) {
  if (!flow.is_tuple) return flow.known() ? IntegerOf(flow, types) : nullptr;
  std::vector<const Type*> members;
  for (const Flow& member : flow.members) {
    members.push_back(TypeOfFlow(member, types));
    if (members.back() == nullptr) return nullptr;
  }
  return flow.names.empty() ? types.Tuple(std::move(members)) : types.Record(flow.names, std::move(members));
}

bool Merge(Flow& slot, const Flow& in, TypeTable& types, bool* lossy) {
  if (!in.known()) return true;
  if (IsTooDeep(in)) return false;
  if (!slot.known()) {
    slot = in;
    return true;
  }
  if (IsTuple(slot) || IsTuple(in)) return IsTuple(slot) && IsTuple(in) && MergeTuples(slot, in, types, lossy);
  if (slot.open || in.open || (IsInt(slot.type) && IsInt(in.type))) return MergeIntegers(slot, in, types, lossy);
  if (slot.type == in.type) return true;
  const Type* common = CommonOf(slot.type, in.type, types);
  if (common == nullptr) return false;
  slot.type = common;
  return true;
}

bool Fits(const Flow& literal, const Type* type) {
  if (type->is(TypeKind::Bool)) return literal.least >= 0 && literal.most <= 1;
  return literal.least >= LeastOf(type) && literal.most <= MostOf(type);
}

}  // namespace kawk
