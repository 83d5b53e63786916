// Questions that only the running kernel answers.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace kawk {

// See Host.
Result<uint64_t> CgroupId(const std::string& path);
bool AllowsKfunc(uint32_t id, uint32_t program_type);

}  // namespace kawk
