#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace kawk {

void CheckFailed(const char* file, int line, const char* what) {
  std::fprintf(stderr, "kawk: internal error at %s:%d: %s\nPlease report this with the script that caused it.\n", file, line,
               what);
  std::abort();
}

}  // namespace kawk
