// One program on many functions by few links.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/attach_points.h"
#include "runtime/features.h"

namespace kawk {

// The enum bpf_attach_type with which the program must be loaded to be linked to all its functions at once; 0 when there is
// only one, or this kernel cannot.
uint32_t MultiAttachType(const image::ProgramSpec& program, bool one_process, Features& features);

struct AttachFailure {
  const image::AttachSpec* spec;
  Error error;
};

// Links a program that was loaded so. What cannot be attached ends up in `failures`; the rest is attached all the same,
// unless it must not be left out: then nothing more is tried.
void AttachMulti(const image::ProgramSpec& program, uint32_t attach_type, int fd, int pid, std::vector<Fd>& links,
                 std::vector<AttachFailure>& failures);

}  // namespace kawk
