// The language's library as text for people: `kawk --list-functions`, and through it the manual page.
#pragma once

#include <string>

#include "stdlib/registry.h"

namespace kawk {

// "strlen(text: str): uint64"; of a builtin "pid: uint32". A type that depends on the call is left out.
std::string Usage(const FunctionRow& row);
std::string Usage(const LibraryMacro& macro);
std::string Usage(const BuiltinRow& row);
// What the row says of it, and when it takes effect if that is not at the event.
std::string Description(const FunctionRow& row);

// Sections (a line without indent), each row's usage (four blanks) and its description (eight).
std::string LibraryText();

}  // namespace kawk
