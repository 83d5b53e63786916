// t_connect: one TCP connection to itself over 127.0.0.1.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "trigger.h"

int main(void) {
  wait_for_tracer();
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr*)&address, length) != 0 || listen(listener, 1) != 0) return 1;
  getsockname(listener, (struct sockaddr*)&address, &length);
  const int failed = connect(client, (struct sockaddr*)&address, length);
  close(client);
  close(listener);
  return failed != 0;
}
