// The text of an attach point → its parts. The grammar of every probe kind is here; what the parts match on this machine
// is for the expand pass.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ast/nodes.h"
#include "ast/typed.h"
#include "base/diagnostics.h"
#include "stdlib/registry.h"

namespace kawk {

struct AttachPoint {
  ProbeKind kind = ProbeKind::Begin;
  Location location;
  std::string name;                 // canonical, with what the user wrote behind the kind
  std::string group;                // tracepoint category, kernel module; may hold wildcards, as may target and path
  std::string target;               // event, function
  std::string path;                 // binary
  std::string source;               // uprobe `binary@file:line[:column]`: the file
  uint64_t line = 0, column = 0;    // in it; column 0: any
  bool demangled = false;           // uprobe `cpp:` : target is compared with demangled names
  std::optional<uint64_t> address;  // uprobe by address: bytes from the start of the symbol table's address space
  uint64_t offset = 0;              // behind the function's start
  uint64_t period = 0;              // ns, or events
  uint64_t frequency = 0;           // samples a second
  uint64_t config = 0;              // perf_event_attr.config
};

// `$1`, `$#` and so on in the text of an attach point replaced by the parameters; missing ones by nothing.
std::string SubstitutePositional(const std::string& text, const std::vector<std::string>& positional);

// Splits at the colons that are not within double quotes; the quotes go.
std::vector<std::string> SplitAttachPoint(const std::string& text);

// Nothing after an error, which is in `diagnostics`.
std::optional<AttachPoint> ParseAttachPoint(const AttachPointText& written, const std::vector<std::string>& positional,
                                            Diagnostics& diagnostics);

// An unsigned number as scripts write it (decimal, 0x, octal, `_`, `1e6`), the whole of `text`; nothing when it is none.
std::optional<uint64_t> ParseNumber(std::string_view text);
// A number with a duration unit (`10ms`), in nanoseconds.
std::optional<uint64_t> ParseDuration(std::string_view text);

}  // namespace kawk
