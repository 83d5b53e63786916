// Where functions of the kernel are: /proc/kallsyms, read when first asked.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

namespace kawk {

class KernelFunctions {
 public:
  // 0 when there is no such function, or addresses are hidden. An empty module is the kernel itself.
  uint64_t Address(const std::string& module, const std::string& function);
  // How many functions have this name.
  size_t Count(const std::string& module, const std::string& function);

 private:
  struct Places {
    uint64_t address = 0;
    size_t count = 0;
  };
  const Places* Find(const std::string& module, const std::string& function);
  void Read();
  bool read_ = false;
  std::string text_;
  std::unordered_map<std::string, Places> functions_;  // by "module:function", or "function"
};

}  // namespace kawk
