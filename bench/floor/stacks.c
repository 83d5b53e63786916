// stacks N: calls leaf() from N distinct stacks: the path to it is N's bits, one of two functions for each. Then says so, and
// waits for the end of its standard input: while it lives a tracer can look its functions up.
#pragma GCC optimize("no-omit-frame-pointer")
#include <stdio.h>
#include <stdlib.h>

__attribute__((noinline)) void leaf(void) { __asm__ volatile(""); }

static void walk(unsigned path, int depth);
__attribute__((noinline)) void left(unsigned path, int depth) {
  walk(path, depth);
  __asm__ volatile("");
}
__attribute__((noinline)) void right(unsigned path, int depth) {
  walk(path, depth);
  __asm__ volatile("");
}
__attribute__((noinline)) static void walk(unsigned path, int depth) {
  if (depth == 0) {
    leaf();
  } else if (path & 1) {
    left(path >> 1, depth - 1);
  } else {
    right(path >> 1, depth - 1);
  }
  __asm__ volatile("");
}

int main(int argc, char** argv) {
  const unsigned calls = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
  for (unsigned i = 0; i < calls; ++i) walk(i, 14);
  puts("done");
  fflush(stdout);
  while (getchar() != EOF) {
  }
  return 0;
}
