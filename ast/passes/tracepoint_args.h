// The struct type that `args` has in a tracepoint probe, from the tracepoint's format file.
#pragma once

#include <functional>
#include <string>

#include "ast/type_source.h"
#include "host/host.h"
#include "stdlib/registry.h"

namespace kawk {

// Types of the kernel are looked up only for the fields that are `used`.
const Type* TracepointArgs(const TracepointFormat& format, const Config& config,
                           const std::function<bool(const std::string&)>& used, TypeSource& source);

}  // namespace kawk
