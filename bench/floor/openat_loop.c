// openat_loop BATCHES CALLS PATH: the traced program. Opens PATH (which should not exist: the call then does the least) and
// prints the median over BATCHES of the nanoseconds per call, by its own clock.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int by_value(const void* a, const void* b) {
  const double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

static double nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const int batches = atoi(argv[1]), calls = atoi(argv[2]);
  double* each = calloc((size_t)batches, sizeof *each);
  for (int batch = 0; batch < batches; batch++) {
    const double start = nanoseconds();
    for (int call = 0; call < calls; call++) {
      const int fd = openat(AT_FDCWD, argv[3], O_RDONLY);
      if (fd >= 0) close(fd);
    }
    each[batch] = (nanoseconds() - start) / calls;
  }
  qsort(each, (size_t)batches, sizeof *each, by_value);
  printf("%.1f\n", each[batches / 2]);
  return 0;
}
