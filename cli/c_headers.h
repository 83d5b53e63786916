// Headers by libclang: layouts, enumerators and macros of what a script includes. Nothing is opened before a name is met
// that neither the script nor BTF nor the common macros explain.
#pragma once

#include <string>
#include <vector>

#include "ast/c_headers.h"
#include "base/result.h"

namespace kawk {

// What `text`, lines of `#include` and `#define`, declares.
Result<HeaderDeclarations> ReadHeaders(const std::string& text, const std::vector<std::string>& include_folders);

}  // namespace kawk
