// How each AttachKind is attached, and what that costs at the end; see attach.h for the whole.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/image/image.h"
#include "runtime/perf.h"

namespace kawk {

struct AttachPoint {
  const image::AttachSpec& spec;
  int program;             // descriptor
  int pid;                 // 0: all
  std::vector<Fd>& links;  // results go here, also those made before a failure
};

struct KindTraits {
  Status (*attach)(const AttachPoint&) = nullptr;  // none for what is run by hand: BEGIN, END, signals
  bool follows_events = false;                     // fires as often as something happens, not by the clock
  bool closes_slowly = false;                      // closing a link waits for a grace period of the kernel
  bool runs_last_first = false;                    // the kernel runs the program attached last first
};

Error CannotAttach(const image::AttachSpec& spec, const std::string& cause, std::string hint, int code);
Error CannotAttach(const image::AttachSpec& spec, int code, std::string hint = "");
Error CannotAttachKernelFunction(const image::AttachSpec& spec, int code);

const KindTraits& TraitsOf(image::AttachKind kind);

}  // namespace kawk
