// t_spin MS: keeps a CPU busy in user space and in the kernel for MS milliseconds.
#include <time.h>
#include <unistd.h>

#include "trigger.h"

static long milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int main(int argc, char** argv) {
  wait_for_tracer();
  const long end = milliseconds() + number(argc, argv, 1, 300);
  while (milliseconds() < end)
    for (int i = 0; i < 1000; i++) getppid();
  return 0;
}
