// t_scratch CALLS [PAUSE]: three processes at once call two functions CALLS times each, with a string of 900 times a letter of
// their own; each rests PAUSE microseconds after every 20 calls.
// t_scratch check CALLS FILE: counts the lines in FILE that a tracer printed of those strings: whole, of several letters, cut
// short, and of something else (lines that begin with "tick", "@" or "_" aside).
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trigger.h"

#define PROBED __attribute__((noinline, used, visibility("default")))
enum { PROCESSES = 3, FUNCTIONS = 2, LENGTH = 900 };

// Not optimised away: each stores what it was called with.
volatile char last_letter;

PROBED void first_string(const char* text) { last_letter = text[0]; }
PROBED void second_string(const char* text) { last_letter = text[1]; }

static void call(char letter, long calls, long pause) {
  static char text[LENGTH + 1];
  memset(text, letter, LENGTH);
  for (long i = 0; i < calls; i++) {
    first_string(text);
    second_string(text);
    if (pause && i % 20 == 19) usleep((useconds_t)pause);
  }
}

static int run(long calls, long pause) {
  wait_for_tracer();
  for (int i = 0; i < PROCESSES; i++) {
    if (fork() == 0) {
      call((char)('a' + i), calls, pause);
      _exit(0);
    }
  }
  while (wait(NULL) > 0) {
  }
  return 0;
}

// How many bytes at the start of `line` are its first letter.
static size_t same(const char* line) {
  size_t count = 0;
  while (line[count] && line[count] == line[0]) count++;
  return count;
}

static int check(long calls, const char* path) {
  FILE* file = fopen(path, "r");
  if (!file) return 1;
  long whole = 0, mixed = 0, cut = 0, other = 0, by_letter[PROCESSES] = {0};
  char* line = NULL;
  size_t size = 0;
  ssize_t got;
  while ((got = getline(&line, &size, file)) > 0) {
    if (line[got - 1] == '\n') line[--got] = 0;
    const int is_ours = got && line[0] >= 'a' && line[0] < 'a' + PROCESSES;
    if (!got || line[0] == '_' || line[0] == '@' || strncmp(line, "tick", 4) == 0) continue;
    if (is_ours && same(line) == LENGTH && got == LENGTH) {
      whole++;
      by_letter[line[0] - 'a']++;
    } else if (is_ours && same(line) == (size_t)got && got < LENGTH) {
      cut++;
    } else if (is_ours && strspn(line, "abc") == (size_t)got) {
      mixed++;
    } else {
      other++;
    }
  }
  const long wanted = calls * PROCESSES * FUNCTIONS;
  printf("whole %ld of %ld, mixed %ld, cut %ld, other %ld\n", whole, wanted, mixed, cut, other);
  for (int i = 0; i < PROCESSES; i++) printf("%c: %ld\n", 'a' + i, by_letter[i]);
  fclose(file);
  return 0;
}

int main(int argc, char** argv) {
  if (argc > 3 && strcmp(argv[1], "check") == 0) return check(number(argc, argv, 2, 1), argv[3]);
  return run(number(argc, argv, 1, 1), number(argc, argv, 2, 0));
}
