// t_memory N: writes the 8 bytes at address 0x10000000 N times. For watchpoints.
#include <sys/mman.h>

#include "trigger.h"

int main(int argc, char** argv) {
  wait_for_tracer();
  void* const place = (void*)0x10000000;
  volatile long* watched =
      mmap(place, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_POPULATE, -1, 0);
  if (watched != place) return 1;
  const long count = number(argc, argv, 1, 1);
  for (long i = 0; i < count; i++) *watched = i;
  return 0;
}
