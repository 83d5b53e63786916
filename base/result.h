// The error channel for the environment (kernel, files, processes). The user's script uses Diagnostics instead,
// and our own bugs use CHECK. No exception crosses a folder.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace kawk {

struct Error {
  std::string message;  // what happened, with the object's name; lower case, no full stop
  std::string hint;     // the way out, or empty
  int code = 0;         // errno where there is one, else 0
};

// A value or an Error. Test with `if (!result)`.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  explicit operator bool() const { return std::holds_alternative<T>(state_); }
  T& operator*() & { return std::get<T>(state_); }
  const T& operator*() const& { return std::get<T>(state_); }
  T&& operator*() && { return std::get<T>(std::move(state_)); }
  T* operator->() { return &std::get<T>(state_); }
  const T* operator->() const { return &std::get<T>(state_); }
  const Error& error() const { return std::get<Error>(state_); }

 private:
  std::variant<T, Error> state_;
};

struct Ok {};
using Status = Result<Ok>;

}  // namespace kawk
