// t_unwind MODE DELAY: after DELAY ms calls through functions that have no frame pointers and put nonsense into rbp. Their
// bytes are known: frame by frame the stack is u_inner+17, u_middle+9, u_outer+10. MODE `call`: from main, and u_inner
// calls getppid(2). `signal`: the same from a signal's handler. `aligned`: by way of u_aligned+28, whose frame only an
// expression finds. `spin`: by way of it again and again, for half a second.
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "trigger.h"
#pragma GCC optimize("omit-frame-pointer")

#define FUNCTION(name, body)                                                                                              \
  asm(".text\n.globl " name "\n.type " name ", @function\n" name ":\n.cfi_startproc\n" body "\n.cfi_endproc\n.size " name \
      ", . - " name "\n")
FUNCTION("u_inner",
         "push %rbp\n.cfi_def_cfa_offset 16\n.cfi_offset %rbp, -16\n mov $1, %ebp\n sub $24, %rsp\n.cfi_def_cfa_offset 40\n"
         "mov $110, %eax\n syscall\n add $24, %rsp\n.cfi_def_cfa_offset 16\n pop %rbp\n.cfi_def_cfa_offset 8\n ret");
FUNCTION("u_middle", "sub $40, %rsp\n.cfi_def_cfa_offset 48\n call u_inner\n add $40, %rsp\n.cfi_def_cfa_offset 8\n ret");
FUNCTION("u_outer",
         "push %rbx\n.cfi_def_cfa_offset 16\n.cfi_offset %rbx, -16\n sub $16, %rsp\n.cfi_def_cfa_offset 32\n call u_middle\n"
         "add $16, %rsp\n.cfi_def_cfa_offset 16\n pop %rbx\n.cfi_def_cfa_offset 8\n ret");
// A stack that is aligned anew, with the caller's stack pointer kept in the frame: the CFA is an expression.
FUNCTION("u_aligned",
         "lea 8(%rsp), %r10\n.cfi_def_cfa %r10, 0\n and $-64, %rsp\n push -8(%r10)\n push %rbp\n mov %rsp, %rbp\n"
         ".cfi_escape 0x10,0x6,0x2,0x76,0x0\n push %r10\n.cfi_escape 0x0f,0x3,0x76,0x78,0x6\n sub $104, %rsp\n call u_outer\n"
         "add $104, %rsp\n pop %r10\n.cfi_def_cfa %r10, 0\n pop %rbp\n lea -8(%r10), %rsp\n.cfi_def_cfa %rsp, 8\n ret");

void u_outer(void);
void u_aligned(void);

static void on_signal(int number) {
  (void)number;
  u_outer();
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

int main(int argc, char** argv) {
  const char* mode = argc > 1 ? argv[1] : "call";
  wait_for_tracer();
  usleep((useconds_t)(number(argc, argv, 2, 0) * 1000));
  if (strcmp(mode, "signal") == 0) {
    signal(SIGUSR1, on_signal);
    raise(SIGUSR1);
  } else if (strcmp(mode, "spin") == 0) {
    for (const double end = now() + 0.5; now() < end;) u_aligned();
  } else if (strcmp(mode, "aligned") == 0) {
    u_aligned();
  } else {
    u_outer();
  }
  return 0;
}
