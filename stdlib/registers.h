// Registers of the architecture by name, as struct pt_regs holds them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kawk {

// Bytes from the start of struct pt_regs; none when there is no such register.
std::optional<uint32_t> RegisterOffset(std::string_view name);
std::vector<std::string> RegisterNames();

}  // namespace kawk
