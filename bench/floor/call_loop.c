// call_loop call|mark BATCHES TURNS: the traced program in user space. Calls a function, or passes a USDT probe, and prints the
// median over BATCHES of the nanoseconds per turn.
#include <string.h>
#include <sys/sdt.h>

#include "batches.h"

__attribute__((noinline)) long traced(long n) {
  __asm__ volatile("");
  return n & 1023;
}

static void call(int n, const void* context) {
  (void)context;
  traced(n);
}

static void mark(int n, const void* context) {
  (void)context;
  DTRACE_PROBE1(kawk_bench, mark, n);
}

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  print_time_per_turn(atoi(argv[2]), atoi(argv[3]), strcmp(argv[1], "mark") ? call : mark, NULL);
  return 0;
}
