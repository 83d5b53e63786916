#include "codegen/demangle.h"

#include <llvm/Demangle/Demangle.h>

#include <cstdlib>
#include <memory>

namespace kawk {

std::string DemangleRust(std::string_view mangled) {
  const std::unique_ptr<char, void (*)(void*)> text(llvm::rustDemangle(mangled), std::free);
  return text == nullptr ? "" : text.get();
}

}  // namespace kawk
