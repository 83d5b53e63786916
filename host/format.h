// The text of a tracepoint's format file, parsed. Apart from reading it, so that tests feed text.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "host/host.h"

namespace kawk {

// category and event are the caller's to fill.
Result<TracepointFormat> ParseTracepointFormat(std::string_view text);

// "char comm[16]", "__data_loc char[] name": the field as its format file declares it.
std::string FieldDeclaration(const TracepointField& field);

}  // namespace kawk
