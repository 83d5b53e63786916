// t_symbols N: variables whose names and values a script asks for; calls probed(1) and probed_too(2) N times.
#include <stdint.h>

#include "trigger.h"

volatile uint8_t one_byte = 8;
volatile uint16_t two_bytes = 1600;
volatile uint32_t four_bytes = 3200000000;
volatile uint64_t eight_bytes = 6400000000;
volatile char text[20] = "some text";
const char* volatile pointer = "pointed at";
static volatile int of_this_file = 77;

__attribute__((noinline)) int probed(int x) { return x + of_this_file; }
__attribute__((noinline)) int probed_too(int x) { return x * of_this_file; }

int main(int argc, char** argv) {
  wait_for_tracer();
  int sum = 0;
  for (long i = number(argc, argv, 1, 1); i > 0; i--) {
    sum += probed(1);
    one_byte++;
    sum += probed_too(2);
  }
  return sum == 1;
}
