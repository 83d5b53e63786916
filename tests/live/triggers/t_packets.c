// t_packets [COUNT]: COUNT datagrams over 127.0.0.1, and 10,000 bytes at once over TCP, which the kernel keeps apart from the
// packet's header.
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "trigger.h"

int main(int argc, char** argv) {
  static char text[10000];
  wait_for_tracer();
  for (size_t i = 0; i < sizeof text; i++) text[i] = (char)('0' + i % 10);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  const int receiver = socket(AF_INET, SOCK_DGRAM, 0);
  if (bind(receiver, (struct sockaddr*)&address, length) != 0) return 1;
  getsockname(receiver, (struct sockaddr*)&address, &length);
  for (long i = 0; i < number(argc, argv, 1, 1); i++) {
    if (sendto(receiver, "datagram", 8, 0, (struct sockaddr*)&address, length) != 8) return 1;
    if (recv(receiver, text + 9000, 8, 0) != 8) return 1;
  }
  memcpy(text + 9000, "01234567", 8);

  address.sin_port = 0;
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr*)&address, length) != 0 || listen(listener, 1) != 0) return 1;
  getsockname(listener, (struct sockaddr*)&address, &length);
  if (connect(client, (struct sockaddr*)&address, length) != 0) return 1;
  const int sent = write(client, text, sizeof text) == sizeof text;
  close(client);
  close(listener);
  return !sent;
}
