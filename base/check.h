// CHECK is for our own bugs: it prints the place and aborts. Never for user input or the environment.
#pragma once

namespace kawk {
[[noreturn]] void CheckFailed(const char* file, int line, const char* what);
}  // namespace kawk

#define CHECK(condition)                                                 \
  do {                                                                   \
    if (!(condition)) kawk::CheckFailed(__FILE__, __LINE__, #condition); \
  } while (0)
#define UNREACHABLE(what) kawk::CheckFailed(__FILE__, __LINE__, what)
