// The struct type that `args` has in a tracepoint probe, from the tracepoint's format file.
#pragma once

#include "ast/types.h"
#include "host/host.h"
#include "stdlib/registry.h"

namespace kawk {

const Type* TracepointArgs(const TracepointFormat& format, const Config& config, TypeTable& types);

}  // namespace kawk
