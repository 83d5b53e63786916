// t_sleep N MS: N times nanosleep(2) for MS milliseconds (the system call itself: the C library's uses another).
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "trigger.h"

int main(int argc, char** argv) {
  wait_for_tracer();
  const long ms = number(argc, argv, 2, 1);
  const struct timespec length = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
  for (long i = number(argc, argv, 1, 1); i > 0; i--) syscall(SYS_nanosleep, &length, NULL);
  return 0;
}
