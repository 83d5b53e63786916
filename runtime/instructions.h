// What the kernel says of instructions before it puts a breakpoint on them, as far as their first bytes tell.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace kawk {

// Whether the kernel refuses uprobes on the instruction that begins with these bytes. A guess that saves time: who acts on
// it must be right, if slower, when it is wrong.
bool LooksUnprobeable(std::span<const uint8_t> bytes);

}  // namespace kawk
