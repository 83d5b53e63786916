// paced RATE SECONDS PATH: opens PATH, which does not exist, RATE times a second, in slices of a millisecond. Prints how often
// it did: a machine that is too slow for the rate falls behind.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const long long rate = atoll(argv[1]), end = atoll(argv[2]) * 1000000000LL, start = now();
  long long calls = 0;
  for (long long passed = 0; passed < end; passed = now() - start) {
    for (const long long due = passed / 1000 * rate / 1000000; calls < due; ++calls) open(argv[3], O_RDONLY);
    const struct timespec slice = {0, 1000000};
    nanosleep(&slice, NULL);
  }
  printf("%lld\n", calls);
  return 0;
}
