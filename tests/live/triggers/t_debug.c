// t_debug N: N rounds of functions whose parameters are of all kinds, for `args` of uprobes. Tests name lines of this file.
#include <stdint.h>

#include "trigger.h"

#define PROBED __attribute__((noinline, used))

struct point {
  int x, y;
};
enum color { RED, GREEN = 5 };
struct node {
  const char* name;
  struct point at;
  struct node* next;
  enum color color;
  unsigned flag : 3, rest : 5;
  char text[8];
};
struct large {
  long numbers[4];
};
typedef struct node node_t;

volatile long sink;

PROBED long walk(const node_t* first, struct point place, enum color color, char letter, int8_t small) {
  sink += first->at.x + place.x + place.y + (long)color + letter + small;
  return sink;
}

// Six registers, then the stack; floating-point numbers have registers of their own.
PROBED long many(int a, double share, int b, int c, int d, int e, int f, int seventh, struct large large, short ninth) {
  sink += a + (long)share + b + c + d + e + f + seventh + large.numbers[2] + ninth;
  return sink;
}

// The result is larger than two registers: its address takes the first.
PROBED struct large make(int seed) {
  struct large made = {{seed, seed, seed, seed}};
  sink += seed;
  return made;
}

static inline __attribute__((always_inline)) long inlined(long value) {
  sink += value;  // line 46
  return value * 3;
}

PROBED long caller(long value) { return inlined(value) + sink; }

int main(int argc, char** argv) {
  wait_for_tracer();
  const long count = number(argc, argv, 1, 1);
  node_t second = {"second", {3, 4}, NULL, GREEN, 5, 9, "two"};
  node_t first = {"first", {1, 2}, &second, RED, 2, 8, "one"};
  struct large large = {{11, 22, 33, 44}};
  for (long i = 0; i < count; i++) {
    walk(&first, (struct point){(int)i, 20}, GREEN, 'x', -3);
    many(1, 2.5, 3, 4, 5, 6, 7, 8, large, -9);
    sink += make((int)i + 70).numbers[1];
    sink += inlined(i);
    sink += caller(i + 1000);
  }
  return 0;
}
