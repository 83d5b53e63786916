// t_usdt N: N rounds of USDT probes: two places of one name with differing arguments, the same name of two providers, all
// kinds of operands, and a probe behind a semaphore.
#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>

#include "trigger.h"

#define PROBED __attribute__((noinline, used))

unsigned short trigger_guarded_semaphore __attribute__((section(".probes")));
unsigned short trigger_request_semaphore __attribute__((section(".probes")));
unsigned short trigger_operands_semaphore __attribute__((section(".probes")));
unsigned short other_request_semaphore __attribute__((section(".probes")));
volatile int counter = 41;

PROBED void handle(long index, signed char small, unsigned short medium) {
  DTRACE_PROBE2(trigger, request, index, "first");
  DTRACE_PROBE4(trigger, operands, small, medium, counter, 7);
}

PROBED void guarded(long index) {
  // Costly arguments are computed only where somebody looks.
  if (trigger_guarded_semaphore) DTRACE_PROBE1(trigger, guarded, index * 1000);
}

int main(int argc, char** argv) {
  wait_for_tracer();
  const long count = number(argc, argv, 1, 1);
  for (long i = 0; i < count; i++) {
    const int place = (int)i + 100;
    handle(i, (signed char)-3, 65535);
    DTRACE_PROBE2(trigger, request, place, "second");
    DTRACE_PROBE1(other, request, i);
    guarded(i);
  }
  return 0;
}
