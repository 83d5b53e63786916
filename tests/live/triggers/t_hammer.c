// t_hammer N: on each of two CPUs a thread calls hammer(turn, thread) for turn = 0 … N-1, and openat(2) with turn as its flags;
// both begin at once. On a machine with one CPU they share it.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "trigger.h"

enum { kThreads = 2 };

static long turns;
static pthread_barrier_t start;
volatile uint64_t last_turn;

__attribute__((noinline, used, visibility("default"))) void hammer(uint64_t turn, uint64_t thread) { last_turn = turn + thread; }

static void* Run(void* argument) {
  const uint64_t thread = (uint64_t)(uintptr_t)argument;
  cpu_set_t all, own;
  CPU_ZERO(&own);
  if (sched_getaffinity(0, sizeof all, &all) != 0) return NULL;
  uint64_t seen = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (CPU_ISSET(cpu, &all) && seen++ == thread) CPU_SET(cpu, &own);
  }
  if (CPU_COUNT(&own) > 0) sched_setaffinity(0, sizeof own, &own);
  pthread_barrier_wait(&start);
  for (long turn = 0; turn < turns; turn++) {
    hammer((uint64_t)turn, thread);
    syscall(SYS_openat, -1, "", (int)turn, 0);  // fails
  }
  return NULL;
}

int main(int argc, char** argv) {
  wait_for_tracer();
  turns = number(argc, argv, 1, 1);
  pthread_t threads[kThreads];
  pthread_barrier_init(&start, NULL, kThreads);
  for (uintptr_t i = 0; i < kThreads; i++) pthread_create(&threads[i], NULL, Run, (void*)i);
  for (int i = 0; i < kThreads; i++) pthread_join(threads[i], NULL);
  return 0;
}
