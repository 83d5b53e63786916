// Telling others that the probes are live: service managers by NOTIFY_SOCKET, test harnesses by a line.
#pragma once

#include <string_view>

namespace kawk {

// Sends `state` ("READY=1", "STOPPING=1") to the service manager that asked for it; does nothing when none did.
void NotifyManager(std::string_view state);
// Prints the line that harnesses wait for when they have set the variable of that name.
void NotifyHarness();

}  // namespace kawk
