// t_memory N MS: writes the 8 bytes at address 0x10000000 N times, and sleeps MS in between. For watchpoints.
#include <sys/mman.h>
#include <unistd.h>

#include "trigger.h"

int main(int argc, char** argv) {
  wait_for_tracer();
  void* const place = (void*)0x10000000;
  volatile long* watched =
      mmap(place, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_POPULATE, -1, 0);
  if (watched != place) return 1;
  const long count = number(argc, argv, 1, 1);
  const long pause = number(argc, argv, 2, 0);
  for (long i = 0; i < count; i++) {
    *watched = i;
    if (pause > 0) usleep((useconds_t)(pause * 1000));
  }
  return 0;
}
