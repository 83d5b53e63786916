// What a user may say about this machine that the machine does not tell (--traceable-functions).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/host.h"

namespace kawk {

struct HostOptions {
  std::string traceable_functions;              // a file like available_filter_functions; empty: tracefs has it
  std::vector<std::string> debug_folders = {};  // where debug files are looked for (--debuginfo)
};
std::unique_ptr<Host> MakeHost(const HostOptions& options);

}  // namespace kawk
