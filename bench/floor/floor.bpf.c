// What a careful programmer would write by hand for each benchmark: one program per case and attach point, NAME on the
// tracepoint itself, NAME_raw on the raw tracepoint of all system calls.
// clang-format off: the helpers need the types of the first
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
// clang-format on

#ifdef __TARGET_ARCH_x86  // the compiler itself targets BPF
#define NR_openat 257
// The kernel's pt_regs, as a raw tracepoint's program finds them.
struct registers {
  unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di;
};
#define SECOND_ARGUMENT si
#else
#define NR_openat 56
struct registers {
  unsigned long x[31];
};
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

// For the start benchmark: loads, attaches, does nothing.
SEC("raw_tracepoint/sys_enter")
int start(void* ctx) { return 0; }

char LICENSE[] SEC("license") = "GPL";
