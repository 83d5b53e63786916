// `-l [-v] [pattern]`: the probes of this machine.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "host/host.h"

namespace kawk {

// One line per probe that matches `pattern` (attach points by comma, wildcards in every part; empty means all), each with
// its newline, sorted within each attach point. `verbose` adds the arguments, four spaces in front. `pid` is 0 for none.
// Nothing that matches is an Error. Kinds that cannot be listed here (no privilege, no such tracer) are left out of a list
// of several kinds; `left_out`, when given, receives why.
Result<std::string> ListProbes(Host& host, const std::string& pattern, bool verbose, int pid,
                               std::vector<Error>* left_out = nullptr);

// Whether -l knows how to list probes of this kind (a name of probes.def).
bool CanList(const std::string& kind);

}  // namespace kawk
