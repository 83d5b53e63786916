// openat_loop BATCHES TURNS PATH: the traced program. Opens PATH (which should not exist: the call then does the least) and
// prints the median over BATCHES of the nanoseconds per call.
#include <fcntl.h>
#include <unistd.h>

#include "batches.h"

static void open_path(int n, const void* path) {
  (void)n;
  const int fd = openat(AT_FDCWD, path, O_RDONLY);
  if (fd >= 0) close(fd);
}

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  print_time_per_turn(atoi(argv[1]), atoi(argv[2]), open_path, argv[3]);
  return 0;
}
