#include "stdlib/library.h"

#include "base/check.h"

namespace kawk {
namespace {

constexpr std::string_view kDepends = "auto";
constexpr std::string_view kNothing = "void";

std::string WithType(std::string text, std::string_view type) {
  if (type != kDepends && type != kNothing) text.append(": ").append(type);
  return text;
}

const char* Timing(Effect effect) {
  switch (effect) {
    case Effect::Kernel:
    case Effect::Aggregate: return "";
    case Effect::Async: return "takes effect in user space, in the order of events";
    case Effect::Compile: return "at compile time";
  }
  UNREACHABLE("effect");
}

std::string UsageOf(std::string_view name, std::string_view signature) {
  const size_t close = signature.rfind(')');
  CHECK(close != std::string::npos);
  return WithType(std::string(name).append(signature.substr(0, close + 1)), ParseSignature(signature).result);
}

void AppendRow(std::string& out, const std::string& usage, std::string_view description) {
  out.append("    ").append(usage).append("\n        ").append(description).append("\n");
}

}  // namespace

std::string Usage(const FunctionRow& row) { return UsageOf(row.name, row.signature); }
std::string Usage(const LibraryMacro& macro) { return UsageOf(macro.name, macro.signature); }

std::string Usage(const BuiltinRow& row) { return WithType(std::string(row.name), row.type); }

std::string Description(const FunctionRow& row) {
  std::string text(row.doc);
  const std::string timing = Timing(row.effect);
  if (!timing.empty()) text += "; " + timing;
  if ((row.flags & kUnsafe) != 0) text += "; needs --unsafe";
  return text;
}

std::string LibraryText() {
  std::string out = "VALUES\n";
  for (const BuiltinRow& row : AllBuiltins()) AppendRow(out, Usage(row), row.doc);
  out += "\nFUNCTIONS\n";
  for (const FunctionRow& row : AllFunctions()) {
    if (row.effect != Effect::Aggregate) AppendRow(out, Usage(row), Description(row));
  }
  for (const LibraryMacro& macro : AllLibraryMacros()) AppendRow(out, Usage(macro), macro.doc);
  out += "\nAGGREGATES (only as `@map = …` or `@map[key] = …`)\n";
  for (const FunctionRow& row : AllFunctions()) {
    if (row.effect == Effect::Aggregate) AppendRow(out, Usage(row), Description(row));
  }
  out += "\nCONFIGURATION (`config = { key = value }`, or BPFTRACE_KEY or KAWK_KEY in the environment)\n";
  for (const ConfigRow& row : AllConfigKeys()) {
    std::string usage(row.name);
    if (!row.values.empty()) usage.append(" = ").append(row.values);
    AppendRow(out, usage, row.doc);
  }
  return out;
}

}  // namespace kawk
