// t_stack N MS: N times calls through functions whose bytes are known, the innermost of which calls getppid(2) once; then
// sleeps MS. Frame by frame the stack is t_inner+11, then +9 in each of the others: the prologue takes four bytes, a call five.
// Their names are plain, C++, Rust's older and Rust's newer scheme; the one in front is code that the program writes at run
// time and names in /tmp/perf-PID.map, as JIT compilers do.
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "trigger.h"

#define FUNCTION(name, body)                                                                             \
  asm(".text\n.globl " name "\n.type " name ", @function\n" name ":\n push %rbp\n mov %rsp, %rbp\n" body \
      "\n pop %rbp\n ret\n"                                                                              \
      ".size " name ", . - " name "\n")
FUNCTION("t_inner", "mov $110, %eax\n syscall");
FUNCTION("_RNvC7t_stack4rust", "call t_inner");
FUNCTION("_ZN7t_stack3old17h0123456789abcdefE", "call _RNvC7t_stack4rust");
FUNCTION("_ZN7t_stack3cppEi", "call _ZN7t_stack3old17h0123456789abcdefE");
FUNCTION("t_outer", "call _ZN7t_stack3cppEi");

void t_outer(void);

// push %rbp; mov %rsp, %rbp; mov $target, %rax; call *%rax; pop %rbp; ret
static void (*make_jit(void))(void) {
  unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xd0, 0x5d, 0xc3};
  void (*target)(void) = t_outer;
  memcpy(&code[6], &target, sizeof target);
  void* memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) exit(1);
  memcpy(memory, code, sizeof code);
  if (mprotect(memory, 4096, PROT_READ | PROT_EXEC) != 0) exit(1);
  void (*jit)(void);
  memcpy(&jit, &memory, sizeof jit);
  return jit;
}

int main(int argc, char** argv) {
  wait_for_tracer();
  const long milliseconds = number(argc, argv, 2, 0);
  void (*function)(void) = t_outer;
  char map[64] = "";
  if (milliseconds > 0) {
    function = make_jit();
    snprintf(map, sizeof map, "/tmp/perf-%d.map", getpid());
    FILE* file = fopen(map, "w");
    if (file == NULL) return 1;
    fprintf(file, "%lx 12 jitted function\n", (unsigned long)function);
    fclose(file);
  }
  for (long i = number(argc, argv, 1, 1); i > 0; i--) function();
  usleep((useconds_t)(milliseconds * 1000));
  if (map[0] != '\0') unlink(map);
  return 0;
}
