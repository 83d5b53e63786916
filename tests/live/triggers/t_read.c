// t_read N BYTES: reads BYTES from /dev/zero N times, and once more with a bad descriptor.
#include <fcntl.h>
#include <unistd.h>

#include "trigger.h"

int main(int argc, char** argv) {
  static char buffer[1 << 16];
  const int fd = open("/dev/zero", O_RDONLY);
  wait_for_tracer();
  ssize_t got = 0;
  for (long i = number(argc, argv, 1, 1); i > 0; i--) got += read(fd, buffer, (size_t)number(argc, argv, 2, 100));
  got += read(-1, buffer, 1);
  return got < 0;
}
