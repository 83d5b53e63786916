// t_faults N: touches N fresh pages, a page fault each.
#include <sys/mman.h>

#include "trigger.h"

int main(int argc, char** argv) {
  wait_for_tracer();
  const long count = number(argc, argv, 1, 1000);
  const size_t page = 4096;
  char* memory = mmap(NULL, (size_t)count * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return 1;
  madvise(memory, (size_t)count * page, MADV_NOHUGEPAGE);
  for (long i = 0; i < count; i++) memory[(size_t)i * page] = 1;
  return 0;
}
