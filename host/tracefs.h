// Tracepoints and traceable functions, from tracefs.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "host/host.h"

namespace kawk {

class Tracefs {
 public:
  // `roots`: where tracefs may be mounted, best first. The first that has an `events` folder is used.
  // `functions`: a file to read instead of its available_filter_functions, or empty.
  explicit Tracefs(std::vector<std::string> roots, std::string functions = "")
      : roots_(std::move(roots)), functions_path_(std::move(functions)) {}

  Result<TracepointFormat> ReadTracepoint(const std::string& category, const std::string& event);
  Result<std::vector<std::string>> MatchTracepoints(const std::string& category, const std::string& event);
  Result<std::vector<std::string>> MatchKernelFunctions(const std::string& module, const std::string& function);

 private:
  Result<std::string> Root();
  // "category:event" of everything there is, or of one category; sorted.
  Result<const std::vector<std::string>*> AllEvents();
  Result<const std::vector<std::string>*> EventsOf(const std::string& category);
  Result<const std::vector<std::string>*> FilterFunctions();

  std::vector<std::string> roots_;
  std::string functions_path_;
  std::optional<std::string> root_;
  std::optional<std::vector<std::string>> all_events_;
  std::map<std::string, std::vector<std::string>> events_;  // by category
  std::map<std::string, TracepointFormat> formats_;         // by "category:event"
  std::optional<std::vector<std::string>> functions_;
};

// Lines of available_filter_functions, "name" or "name [module]", as "name" or "module:name", sorted and unique.
std::vector<std::string> ParseFilterFunctions(std::string_view text);

}  // namespace kawk
