// What a careful programmer would write by hand for each benchmark: one program per case and attach point, NAME on the
// tracepoint itself, NAME_raw on the raw tracepoint of all system calls.
// clang-format off: the helpers need the types of the first
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <asm/ptrace.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/usdt.bpf.h>
// clang-format on

#ifdef __TARGET_ARCH_x86  // the compiler itself targets BPF
#define NR_openat 257
// The kernel's pt_regs, as a raw tracepoint's program finds them.
struct registers {
  unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax;
};
#define SECOND_ARGUMENT si
#define CALL_NUMBER orig_ax
#else
#define NR_openat 56
struct registers {
  unsigned long x[31], sp, pc, pstate, orig_x0;
  int syscallno;
};
#define CALL_NUMBER syscallno
#define SECOND_ARGUMENT x[1]
#endif

// The record of syscalls:sys_enter_openat.
struct openat_event {
  unsigned long long common;
  long nr;
  long dfd;
  const char* filename;
};

struct comm_key {
  char comm[16];
};
struct path_key {
  char path[256];
};
struct path_record {
  unsigned int pid;
  char comm[16];
  char path[256];
};

#define PER_CPU_COUNTS(NAME, KEY)           \
  struct {                                  \
    __uint(type, BPF_MAP_TYPE_PERCPU_HASH); \
    __uint(max_entries, 4096);              \
    __type(key, KEY);                       \
    __type(value, unsigned long long);      \
  } NAME SEC(".maps")

PER_CPU_COUNTS(by_comm, struct comm_key);
PER_CPU_COUNTS(by_path, struct path_key);
PER_CPU_COUNTS(by_stack, unsigned int);
PER_CPU_COUNTS(by_cpu, unsigned int);

struct {
  __uint(type, BPF_MAP_TYPE_STACK_TRACE);
  __uint(max_entries, 16384);
  __uint(key_size, sizeof(unsigned int));
  __uint(value_size, 127 * sizeof(unsigned long long));
} stacks SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 4096);
  __type(key, unsigned int);
  __type(value, unsigned long long);
} started SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 64);
  __type(key, unsigned int);
  __type(value, unsigned long long);
} histogram SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, unsigned int);
  __type(value, unsigned long long);
} total SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, unsigned int);
  __type(value, struct path_key);
} scratch SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 24);
} ring SEC(".maps");

unsigned long long shared_counter;
unsigned long long lost;

static __always_inline int bump(void* map, const void* key) {
  unsigned long long* value = bpf_map_lookup_elem(map, key);
  if (value) {
    ++*value;
    return 0;
  }
  const unsigned long long one = 1;
  bpf_map_update_elem(map, key, &one, BPF_ANY);
  return 0;
}

static __always_inline int count_comm(void) {
  struct comm_key key;
  bpf_get_current_comm(&key, sizeof key);
  return bump(&by_comm, &key);
}

static __always_inline int count_path(const char* filename) {
  const unsigned int zero = 0;
  struct path_key* key = bpf_map_lookup_elem(&scratch, &zero);
  if (!key) return 0;
  __builtin_memset(key, 0, sizeof *key);
  bpf_probe_read_user_str(key->path, sizeof key->path, filename);
  return bump(&by_path, key);
}

static __always_inline int send_path(const char* filename) {
  struct path_record* record = bpf_ringbuf_reserve(&ring, sizeof *record, 0);
  if (!record) {
    __sync_fetch_and_add(&lost, 1);
    return 0;
  }
  record->pid = bpf_get_current_pid_tgid() >> 32;
  bpf_get_current_comm(record->comm, sizeof record->comm);
  bpf_probe_read_user_str(record->path, sizeof record->path, filename);
  bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
  return 0;
}

static __always_inline int count_all(void) {
  const unsigned int zero = 0;
  return bump(&total, &zero);
}

static __always_inline int count_stack(void* ctx) {
  const unsigned int id = (unsigned int)bpf_get_stackid(ctx, &stacks, 0);
  return bump(&by_stack, &id);
}

static __always_inline int add_by_cpu(unsigned long long n) {
  const unsigned int cpu = bpf_get_smp_processor_id();
  unsigned long long* value = bpf_map_lookup_elem(&by_cpu, &cpu);
  if (value)
    *value += n;
  else
    bpf_map_update_elem(&by_cpu, &cpu, &n, BPF_ANY);
  return 0;
}

static __always_inline int add_to_histogram(unsigned long long n) {
  unsigned int bucket = 0;
  for (int shift = 32; shift > 0; shift /= 2) {
    if (n >> shift == 0) continue;
    n >>= shift;
    bucket += shift;
  }
  unsigned long long* count = bpf_map_lookup_elem(&histogram, &bucket);
  if (count) ++*count;
  return 0;
}

static __always_inline int begin(void) {
  const unsigned int thread = bpf_get_current_pid_tgid();
  const unsigned long long now = bpf_ktime_get_ns();
  bpf_map_update_elem(&started, &thread, &now, BPF_ANY);
  return 0;
}

static __always_inline int finish(void) {
  const unsigned int thread = bpf_get_current_pid_tgid();
  const unsigned long long* start = bpf_map_lookup_elem(&started, &thread);
  if (!start) return 0;
  add_to_histogram(bpf_ktime_get_ns() - *start);
  bpf_map_delete_elem(&started, &thread);
  return 0;
}

static __always_inline int count_shared(void) {
  __sync_fetch_and_add(&shared_counter, 1);
  return 0;
}

static __always_inline const char* raw_filename(struct bpf_raw_tracepoint_args* ctx) {
  const struct registers* registers = (const struct registers*)ctx->args[0];
  const char* filename = 0;
  bpf_probe_read_kernel(&filename, sizeof filename, &registers->SECOND_ARGUMENT);
  return filename;
}

// Both forms of one case; EXPRESSION may use `filename`.
#define CASE(NAME, EXPRESSION)                                        \
  SEC("tracepoint/syscalls/sys_enter_openat")                         \
  int NAME(struct openat_event* ctx) {                                \
    const char* filename __attribute__((unused)) = ctx->filename;     \
    return EXPRESSION;                                                \
  }                                                                   \
  SEC("raw_tracepoint/sys_enter")                                     \
  int NAME##_raw(struct bpf_raw_tracepoint_args* ctx) {               \
    if (ctx->args[1] != NR_openat) return 0;                          \
    const char* filename __attribute__((unused)) = raw_filename(ctx); \
    return EXPRESSION;                                                \
  }

CASE(count_by_comm, count_comm())
CASE(printf_path, send_path(filename))
CASE(count_by_path, count_path(filename))
CASE(count, count_all())
CASE(increment, count_shared())

CASE(count_by_stack, count_stack(ctx))
CASE(sum_by_cpu, add_by_cpu((unsigned long long)filename & 7))

// A pair of programs: NAME__… are attached together.
SEC("tracepoint/syscalls/sys_enter_openat")
int latency__enter(void* ctx) { return begin(); }
SEC("tracepoint/syscalls/sys_exit_openat")
int latency__exit(void* ctx) { return finish(); }
SEC("raw_tracepoint/sys_enter")
int latency_raw__enter(struct bpf_raw_tracepoint_args* ctx) { return ctx->args[1] == NR_openat ? begin() : 0; }
SEC("raw_tracepoint/sys_exit")
int latency_raw__exit(struct bpf_raw_tracepoint_args* ctx) {
  const struct registers* registers = (const struct registers*)ctx->args[0];
  unsigned long number = 0;
  bpf_probe_read_kernel(&number, sizeof number, &registers->CALL_NUMBER);
  return number == NR_openat ? finish() : 0;
}

SEC("uprobe")
int call_count(void* ctx) { return count_all(); }
SEC("uretprobe")
int call_result(struct pt_regs* ctx) { return add_to_histogram(PT_REGS_RC(ctx)); }
SEC("usdt")
int BPF_USDT(mark_sum, long value) { return add_by_cpu((unsigned long long)value); }

// For the start benchmark: loads, attaches, does nothing.
SEC("raw_tracepoint/sys_enter")
int start(void* ctx) { return 0; }

char LICENSE[] SEC("license") = "GPL";
