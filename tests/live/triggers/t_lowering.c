// t_lowering FOLDER: a little of everything that raises the tracepoints of stdlib/raw_fields.def, all under one name.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "trigger.h"

static int to_partner[2], from_partner[2];

static void* partner(void* unused) {
  char byte;
  while (read(to_partner[0], &byte, 1) == 1) write(from_partner[1], &byte, 1);
  return unused;
}

static void switch_threads(void) {
  pthread_t thread;
  if (pipe(to_partner) || pipe(from_partner)) exit(1);
  pthread_create(&thread, NULL, partner, NULL);
  char byte = 0;
  for (int i = 0; i < 100; i++) {
    write(to_partner[1], &byte, 1);
    read(from_partner[0], &byte, 1);
  }
  close(to_partner[1]);
  pthread_join(thread, NULL);
}

static void start_processes(char** argv) {
  for (int i = 0; i < 10; i++) {
    const pid_t child = fork();
    if (child == 0) {
      if (i % 2) execl(argv[0], argv[0], "leaf", NULL);
      _exit(0);
    }
    waitpid(child, NULL, 0);
  }
}

static void on_signal(int signal) { (void)signal; }

static void send_signals(void) {
  signal(SIGUSR1, on_signal);
  for (int i = 0; i < 20; i++) kill(getpid(), SIGUSR1);
}

static void write_files(const char* folder) {
  char path[4096];
  snprintf(path, sizeof path, "%s/file", folder);
  void* page = NULL;
  if (posix_memalign(&page, 4096, 4096)) exit(1);
  memset(page, 'x', 4096);
  for (int i = 0; i < 10; i++) {
    const int fd = open(path, O_CREAT | O_RDWR | (i % 2 ? O_DIRECT : 0), 0600);
    if (fd < 0) continue;
    pwrite(fd, page, 4096, i * 4096);
    fsync(fd);
    close(fd);
  }
  unlink(path);
}

static void use_network(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  const int server = socket(AF_INET, SOCK_STREAM, 0);
  bind(server, (struct sockaddr*)&address, size);
  listen(server, 4);
  getsockname(server, (struct sockaddr*)&address, &size);
  for (int i = 0; i < 10; i++) {
    const int client = socket(AF_INET, SOCK_STREAM, 0);
    connect(client, (struct sockaddr*)&address, size);
    const int accepted = accept(server, NULL, NULL);
    char bytes[100] = {0};
    send(client, bytes, sizeof bytes, 0);
    recv(accepted, bytes, sizeof bytes, 0);
    close(client);
    close(accepted);
  }
  close(server);
}

static void use_memory(void) {
  for (int i = 0; i < 10; i++) {
    char* memory = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(memory, 1, 1 << 16);
    munmap(memory, 1 << 16);
  }
}

static void change_cpus(void) {
  for (int i = 0; i < 20; i++) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(i % 2, &set);
    sched_setaffinity(0, sizeof set, &set);
  }
}

static void wait_and_spin(void) {
  const struct timespec nap = {0, 1000000};
  for (int i = 0; i < 20; i++) nanosleep(&nap, NULL);
  const clock_t start = clock();
  while (clock() - start < CLOCKS_PER_SEC / 5) continue;
}

int main(int argc, char** argv) {
  if (argc > 1 && !strcmp(argv[1], "leaf")) return 0;
  wait_for_tracer();
  switch_threads();
  start_processes(argv);
  send_signals();
  write_files(argc > 1 ? argv[1] : ".");
  use_network();
  use_memory();
  change_cpus();
  wait_and_spin();
  prctl(PR_SET_NAME, "t_other");
  return 0;
}
