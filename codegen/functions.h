// What emitters of functions share.
#pragma once

#include <cstdint>

#include "codegen/program.h"

namespace kawk {

inline Value Nothing(Program& p) { return {nullptr, p.typed().types->None()}; }

inline image::EventSpec EventOf(image::EventKind kind, const Call& call) {
  image::EventSpec event;
  event.kind = kind;
  event.location = call.location;
  return event;
}

// Helpers that read what an address of this type, a pointer or an integer, leads to.
struct Readers {
  uint32_t memory;
  uint32_t string;
};
Readers ReadersFor(Program& p, const Type* address);

// Whether the program outlives the tracer: its iterator is pinned, and printf() writes to who reads it (pinned.cpp).
bool IsPinned(const ProbeUnit& unit);
void PrintToReader(Program& p, const Call& call);

}  // namespace kawk
