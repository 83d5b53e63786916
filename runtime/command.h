// system(): a shell command whose output becomes part of ours.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace kawk {

// Runs `command` by /bin/sh, hands what it writes (to both of its standard streams) to `sink` as it comes, and returns
// its exit status, 128 + N after signal N. Does not wait for what the command left running in the background.
Result<int> RunCommand(const std::string& command, const std::function<void(std::string_view)>& sink);

}  // namespace kawk
