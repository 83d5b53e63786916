// floor OBJECT PROGRAM [BINARY]: loads and attaches one program of floor.bpf.o, or all that are called PROGRAM__…, and waits for
// SIGINT; `start` ends at once. Programs of user space hang on call_loop, the BINARY.
// It prints the line that tells the benchmark it is ready, and drains the ring every 10 ms as kawk does.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct path_record {
  unsigned int pid;
  char comm[16];
  char path[256];
};

static volatile sig_atomic_t stopped;

static void stop(int signal) {
  (void)signal;
  stopped = 1;
}

static int show(void* context, void* data, size_t size) {
  (void)context;
  (void)size;
  const struct path_record* record = data;
  printf("%u %s %s\n", record->pid, record->comm, record->path);
  return 0;
}

// Counts that the program left in its maps, so that nobody can say it did nothing.
static void print_counts(struct bpf_object* object) {
  struct bpf_map* map = bpf_object__find_map_by_name(object, ".bss");
  if (!map) return;
  const unsigned int zero = 0;
  unsigned long long values[2] = {0, 0};
  if (bpf_map__lookup_elem(map, &zero, sizeof zero, values, bpf_map__value_size(map), 0) == 0)
    fprintf(stderr, "shared %llu lost %llu\n", values[0], values[1]);
}

static int is_chosen(const struct bpf_program* program, const char* name) {
  const char* found = bpf_program__name(program);
  const size_t length = strlen(name);
  return !strncmp(found, name, length) && (found[length] == 0 || !strncmp(found + length, "__", 2));
}

static struct bpf_link* attach(struct bpf_program* program, const char* binary) {
  const char* section = bpf_program__section_name(program);
  if (!strcmp(section, "usdt")) return bpf_program__attach_usdt(program, -1, binary, "kawk_bench", "mark", NULL);
  if (strcmp(section, "uprobe") && strcmp(section, "uretprobe")) return bpf_program__attach(program);
  LIBBPF_OPTS(bpf_uprobe_opts, options, .func_name = "traced", .retprobe = !strcmp(section, "uretprobe"));
  return bpf_program__attach_uprobe_opts(program, -1, binary, 0, &options);
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  struct bpf_object* object = bpf_object__open_file(argv[1], NULL);
  if (!object) return 1;
  struct bpf_program* program;
  bpf_object__for_each_program(program, object) bpf_program__set_autoload(program, is_chosen(program, argv[2]));
  // Maps of the other cases are not created.
  const int with_ring = !strncmp(argv[2], "printf_path", 11);
  if (!with_ring) bpf_map__set_autocreate(bpf_object__find_map_by_name(object, "ring"), false);
  if (bpf_object__load(object)) return 1;
  bpf_object__for_each_program(program, object) {
    if (is_chosen(program, argv[2]) && !attach(program, argc > 3 ? argv[3] : "")) return 1;
  }
  if (!strcmp(argv[2], "start")) return 0;
  signal(SIGINT, stop);
  struct ring_buffer* ring = NULL;
  if (with_ring) ring = ring_buffer__new(bpf_object__find_map_fd_by_name(object, "ring"), show, NULL, NULL);
  fprintf(stderr, "__BPFTRACE_NOTIFY_PROBES_ATTACHED\n");
  while (!stopped) {
    usleep(10000);
    if (ring) ring_buffer__consume(ring);
  }
  print_counts(object);
  return 0;
}
