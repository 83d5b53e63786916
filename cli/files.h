// Reading scripts, writing results, reporting errors of the machine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace kawk {

// The whole of a regular file, or of standard input for "-". At most 64 MiB.
Result<std::string> ReadScript(const std::string& path);
Status WriteFile(const std::string& path, const void* data, size_t size);
// `ERROR: …` and a HINT line on standard error.
void ReportError(const Error& error);

}  // namespace kawk
