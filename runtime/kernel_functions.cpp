#include "runtime/kernel_functions.h"

#include <charconv>
#include <fstream>
#include <utility>

namespace kawk {

// "ffffffff81000000 T name" or "ffffffffc0000000 t name<TAB>[module]".
void KernelFunctions::Read() {
  if (std::exchange(read_, true)) return;
  std::ifstream file("/proc/kallsyms");
  std::string line;
  while (std::getline(file, line)) {
    uint64_t address = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), address, 16);
    if (error != std::errc() || end + 3 > line.data() + line.size()) continue;
    const char type = end[1];
    if (type != 't' && type != 'T' && type != 'w' && type != 'W') continue;
    const std::string_view rest(end + 3, static_cast<size_t>(line.data() + line.size() - end - 3));
    const size_t tab = rest.find('\t');
    std::string name(rest.substr(0, tab));
    if (tab != std::string_view::npos && rest.size() > tab + 3) {
      name = std::string(rest.substr(tab + 2, rest.size() - tab - 3)) + ":" + name;
    }
    Places& places = functions_[std::move(name)];
    if (places.count++ == 0) places.address = address;
  }
}

const KernelFunctions::Places* KernelFunctions::Find(const std::string& module, const std::string& function) {
  Read();
  const bool of_module = !module.empty() && module != "vmlinux";
  const auto found = functions_.find(of_module ? module + ":" + function : function);
  return found == functions_.end() ? nullptr : &found->second;
}

uint64_t KernelFunctions::Address(const std::string& module, const std::string& function) {
  const Places* places = Find(module, function);
  return places == nullptr ? 0 : places->address;
}

size_t KernelFunctions::Count(const std::string& module, const std::string& function) {
  const Places* places = Find(module, function);
  return places == nullptr ? 0 : places->count;
}

}  // namespace kawk
