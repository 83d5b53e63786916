// measure CMD…: runs CMD and prints its exit status, wall and CPU microseconds and peak resident KiB on the last line of
// standard error. In C, because a process's peak starts with that of the program which started it: Python's is 10 MiB.
#include <stdio.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static long long cpu(const struct rusage* usage) {
  return (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000LL + usage->ru_utime.tv_usec + usage->ru_stime.tv_usec;
}

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const long long start = microseconds();
  const pid_t child = vfork();
  if (child == 0) {
    execvp(argv[1], argv + 1);
    _exit(127);
  }
  int status = 0;
  struct rusage usage;
  if (wait4(child, &status, 0, &usage) < 0) return 2;
  const long long wall = microseconds() - start;
  fprintf(stderr, "%d %lld %lld %ld\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), wall, cpu(&usage),
          usage.ru_maxrss);
  return 0;
}
