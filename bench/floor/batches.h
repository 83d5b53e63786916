// A traced program's own clock: the median of batches. It counts the time that the thread has the CPU, in the kernel or not, so
// that other work on a busy machine is left out.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int by_value(const void* a, const void* b) {
  const double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

static double nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

// Runs `turn(n, context)` `turns` times in each batch; prints the median over the batches of the nanoseconds per turn.
static inline void print_time_per_turn(int batches, int turns, void (*turn)(int, const void*), const void* context) {
  double* each = calloc((size_t)batches, sizeof *each);
  for (int batch = 0; batch < batches; batch++) {
    const double start = nanoseconds();
    for (int n = 0; n < turns; n++) turn(n, context);
    each[batch] = (nanoseconds() - start) / turns;
  }
  qsort(each, (size_t)batches, sizeof *each, by_value);
  printf("%.1f\n", each[batches / 2]);
  free(each);
}
