// t_switch N: two processes hand a byte to and fro N times through pipes: 2 N context switches at least.
#include <sys/wait.h>
#include <unistd.h>

#include "trigger.h"

// Reads a byte and passes it on, `count` times.
static int pass(int from, int to, long count) {
  char byte = 0;
  for (; count > 0; count--)
    if (read(from, &byte, 1) != 1 || write(to, &byte, 1) != 1) return 1;
  return 0;
}

int main(int argc, char** argv) {
  const long count = number(argc, argv, 1, 100);
  int there[2], back[2];
  if (pipe(there) || pipe(back)) return 1;
  wait_for_tracer();
  if (fork() == 0) return pass(there[0], back[1], count);
  if (write(there[1], "x", 1) != 1) return 1;
  const int failed = pass(back[0], there[1], count - 1);
  wait(NULL);
  return failed;
}
