// Kprobe sessions: one link for the entries and the returns of the same functions (Linux 6.10). The kernel calls one program
// for both; ours, a few instructions, asks which it is and goes on in the script's program for that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.h"
#include "runtime/features.h"
#include "runtime/image/image.h"
#include "runtime/perf.h"

namespace kawk {

struct Session {
  size_t entry = 0;  // into Image::programs
  size_t result = 0;
  Fd programs;    // the map that the dispatcher jumps through; the kernel empties it when nobody holds it
  Fd dispatcher;  // what is linked
};

// Pairs of programs that are to be one session, their dispatchers not made yet. `multi_types`: what MultiAttachType says of
// each program; those of pairs become kKprobeSession.
std::vector<Session> FindSessions(const image::Image& image, std::vector<uint32_t>& multi_types, Features& features);

// Makes the dispatcher for two programs that are loaded.
Status MakeDispatcher(Session& session, int entry, int result);

}  // namespace kawk
