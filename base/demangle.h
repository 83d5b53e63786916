// Names as compilers mangle them → as they stand in the source.
#pragma once

#include <string>
#include <string_view>

namespace kawk {

// Rust's newer scheme ("_R…"), which the C++ library does not know. Returns empty for what is none.
using RustDemangler = std::string (*)(std::string_view mangled);

// C++ and Rust; anything else stays as it is. Of Rust's older scheme the hash at the end goes. `rust` may be null.
std::string Demangle(const std::string& name, RustDemangler rust);

// Of a demangled function its name alone: `ns::f(int)` → `ns::f`, `void f<int>(int) const` → `f<int>`.
std::string WithoutParameters(const std::string& demangled);

}  // namespace kawk
