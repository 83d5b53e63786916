// How types are written in messages and by `-d types`.
#include <fmt/format.h>

#include "ast/types.h"
#include "base/check.h"

namespace kawk {
namespace {

const char* Name(StackMode mode) {
  switch (mode) {
    case StackMode::Bpftrace: return "bpftrace";
    case StackMode::Perf: return "perf";
    case StackMode::Raw: return "raw";
    case StackMode::BuildId: return "build_id";
  }
  UNREACHABLE("stack mode");
}

std::string Members(const Type* type) {
  std::string out = "(";
  for (size_t i = 0; i < type->members.size(); ++i) {
    if (i > 0) out += ",";
    if (i < type->names.size()) out += type->names[i] + "=";
    out += ToString(type->members[i]);
  }
  return out + ")";
}

constexpr const char* kSeriesTexts[] = {"", ",avg", ",max", ",min", ",sum"};  // by SeriesKind

std::string Signed(const Type* type, const char* name) { return fmt::format("{}{}", type->is_signed ? "" : "u", name); }

}  // namespace

std::string AggregateName(TypeKind kind) {
  switch (kind) {
    case TypeKind::Count: return "count()";
    case TypeKind::Sum: return "sum()";
    case TypeKind::Min: return "min()";
    case TypeKind::Max: return "max()";
    case TypeKind::Avg: return "avg()";
    case TypeKind::Stats: return "stats()";
    case TypeKind::Hist: return "hist()";
    case TypeKind::Lhist: return "lhist()";
    case TypeKind::Tseries: return "tseries()";
    default: UNREACHABLE("not an aggregate");
  }
}

std::string ToString(const Type* type) {
  if (type == nullptr) return "unknown";
  switch (type->kind) {
    case TypeKind::None: return "void";
    case TypeKind::Bool: return "bool";
    case TypeKind::Int: return fmt::format("{}int{}", type->is_signed ? "" : "u", type->bits);
    case TypeKind::String: return fmt::format("string[{}]", type->length);
    case TypeKind::Buffer: return fmt::format("buffer[{}]", type->length);
    case TypeKind::Inet: return "inet";
    case TypeKind::Mac: return "macaddr";
    case TypeKind::Timestamp: return fmt::format("timestamp[{}]", type->text);
    case TypeKind::KernelSymbol: return "ksym";
    case TypeKind::UserSymbol: return "usym";
    case TypeKind::KernelStack: return fmt::format("kstack_{}_{}", Name(type->stack_mode), type->stack_limit);
    case TypeKind::UserStack: return fmt::format("ustack_{}_{}", Name(type->stack_mode), type->stack_limit);
    case TypeKind::CgroupPath: return type->text.empty() ? "cgroup_path" : fmt::format("cgroup_path[{}]", type->text);
    case TypeKind::Username: return "username";
    case TypeKind::Pointer: {
      const std::string to = ToString(type->element);
      return to.back() == '*' ? to + "*" : to + " *";
    }
    case TypeKind::Array: return fmt::format("{}[{}]", ToString(type->element), type->length);
    case TypeKind::Struct: return type->info->name;
    case TypeKind::Enum: return type->enumeration->name;
    case TypeKind::Tuple:
    case TypeKind::Record: return Members(type);
    case TypeKind::Count: return "count";
    case TypeKind::Sum: return Signed(type, "sum");
    case TypeKind::Min: return Signed(type, "min");
    case TypeKind::Max: return Signed(type, "max");
    case TypeKind::Avg: return Signed(type, "avg");
    case TypeKind::Stats: return Signed(type, "stats");
    case TypeKind::Hist: return "hist";
    case TypeKind::Lhist: return "lhist";
    case TypeKind::Tseries:
      return fmt::format("{}({}ns,{}{})", Signed(type, "tseries"), type->series_interval, type->series_length,
                         kSeriesTexts[static_cast<size_t>(type->series_kind)]);
  }
  UNREACHABLE("type kind");
}

}  // namespace kawk
