#include "runtime/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "runtime/perf.h"

namespace kawk {
namespace {

constexpr char kHarnessName[] = "__BPFTRACE_NOTIFY_PROBES_ATTACHED";

}  // namespace

void NotifyManager(std::string_view state) {
  const char* path = getenv("NOTIFY_SOCKET");
  sockaddr_un address = {};
  if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  const size_t length = strlen(path);
  memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0';  // abstract: a leading NUL and no NUL at the end
  const Fd socket_fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket_fd) return;
  const socklen_t size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  (void)!sendto(socket_fd.get(), state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), size);
}

void NotifyHarness() {
  if (!getenv(kHarnessName)) return;
  char line[sizeof kHarnessName];
  memcpy(line, kHarnessName, sizeof line);
  line[sizeof line - 1] = '\n';
  (void)!write(STDOUT_FILENO, line, sizeof line);
}

}  // namespace kawk
