// t_calls N: for i in 0 … N-1 calls functions with known arguments, for uprobes.
#include <stdint.h>

#include "trigger.h"

#define PROBED __attribute__((noinline, used, visibility("default")))

// Not optimised away: each stores what it was called with.
volatile uint64_t last_result;

PROBED int add_numbers(int a, int b) {
  last_result = (uint64_t)(a + b);
  return a + b;
}

PROBED uint64_t six_arguments(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f) {
  last_result = a + b + c + d + e + f;
  return last_result;
}

PROBED const char* greet(const char* name) {
  last_result = (uint64_t)name[0];
  return name;
}

int main(int argc, char** argv) {
  wait_for_tracer();
  const long count = number(argc, argv, 1, 1);
  for (long i = 0; i < count; i++) {
    add_numbers((int)i, 2 * (int)i);
    six_arguments(1, 2, 3, 4, 5, (uint64_t)i);
    greet("world");
  }
  return 0;
}
