// What the trigger programs share: reading arguments, and waiting for the tracer.
#pragma once

#include <stdio.h>
#include <stdlib.h>

// As a test's `process` the program starts before the tracer and must not begin before it: it waits for a line.
static inline void wait_for_tracer(void) {
  if (getenv("TRIGGER_WAIT")) getchar();
}

// Argument `index` as a number, or `otherwise` where it is not given.
static inline long number(int argc, char** argv, int index, long otherwise) {
  return index < argc ? strtol(argv[index], NULL, 0) : otherwise;
}
