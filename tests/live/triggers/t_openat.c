// t_openat N PATH: opens PATH N times with openat(2).
#include <fcntl.h>
#include <unistd.h>

#include "trigger.h"

int main(int argc, char** argv) {
  wait_for_tracer();
  for (long i = number(argc, argv, 1, 1); i > 0; i--) {
    int fd = openat(AT_FDCWD, argc > 2 ? argv[2] : "/dev/null", O_RDONLY);
    if (fd >= 0) close(fd);
  }
  return 0;
}
