// Attach points → what of them exists on this machine.
#pragma once

#include <vector>

#include "ast/attach_point.h"
#include "ast/typed.h"
#include "base/diagnostics.h"
#include "host/host.h"

namespace kawk {

struct Match {
  std::vector<AttachTarget> targets;
  // When there are none: the names the user may have meant (for did-you-mean), or why nothing could be looked up.
  std::vector<std::string> candidates;
  std::optional<Error> error;
};

bool HasWildcard(const AttachPoint& point);
// Of fentry and fexit: the target is no function of the kernel.
bool IsBpfProgram(const AttachTarget& target);

// --- parts ---
AttachTarget TargetOf(const AttachPoint& point);
std::string OffsetText(const AttachPoint& point);  // "+8", or nothing
Match MatchUserFunction(const AttachPoint& point, const ScriptInput& input, Host& host);
Match MatchUsdt(const AttachPoint& point, const ScriptInput& input, Host& host);

Match MatchAttachPoint(const AttachPoint& point, const ScriptInput& input, Host& host);

}  // namespace kawk
