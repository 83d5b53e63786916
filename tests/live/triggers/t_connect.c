// t_connect [FILE]: one TCP connection to itself over 127.0.0.1; the cookie of the client's socket goes to FILE.
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "trigger.h"

// Whether it could be written.
static int write_cookie(const char* path, int socket) {
  uint64_t cookie;
  socklen_t length = sizeof cookie;
  if (getsockopt(socket, SOL_SOCKET, SO_COOKIE, &cookie, &length) != 0) return 0;
  FILE* file = fopen(path, "w");
  if (file == NULL) return 0;
  fprintf(file, "%" PRIu64, cookie);
  return fclose(file) == 0;
}

int main(int argc, char** argv) {
  wait_for_tracer();
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr*)&address, length) != 0 || listen(listener, 1) != 0) return 1;
  if (argc > 1 && !write_cookie(argv[1], client)) return 2;
  getsockname(listener, (struct sockaddr*)&address, &length);
  const int failed = connect(client, (struct sockaddr*)&address, length);
  close(client);
  close(listener);
  return failed != 0;
}
