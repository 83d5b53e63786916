// t_thread: a process called "leader", whose second thread sleeps a millisecond and is called "t_thread".
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "trigger.h"

static void* Sleep(void* unused) {
  (void)unused;
  prctl(PR_SET_NAME, "t_thread");
  const struct timespec time = {.tv_sec = 0, .tv_nsec = 1000000};
  syscall(SYS_nanosleep, &time, NULL);
  return NULL;
}

int main(void) {
  wait_for_tracer();
  prctl(PR_SET_NAME, "leader");
  pthread_t thread;
  if (pthread_create(&thread, NULL, Sleep, NULL) != 0) return 1;
  return pthread_join(thread, NULL);
}
