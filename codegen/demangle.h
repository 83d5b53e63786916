// Rust's newer mangling ("_R…"), which LLVM undoes.
#pragma once

#include <string>
#include <string_view>

namespace kawk {

// Empty for what is not mangled so.
std::string DemangleRust(std::string_view mangled);

}  // namespace kawk
