// The program behind all system call probes of one direction: looks which call it is and runs what the script wants of it.
#pragma once

#include <cstdint>
#include <vector>

#include "codegen/lower.h"
#include "codegen/module.h"

namespace kawk {

class Dispatcher {
 public:
  Dispatcher(ModuleBuilder& module, ContextKind context) : module_(module), context_(context) {}

  bool empty() const { return units_.empty(); }
  // `function` is to run for the calls with these numbers; its second argument is the number's place in the list.
  void Add(llvm::Function* function, const std::vector<uint32_t>& syscalls, const Location& location);
  // Makes the program; nothing when no unit was added.
  void Generate();

 private:
  struct Unit {
    llvm::Function* function;
    std::vector<uint32_t> syscalls;
  };
  void GenerateUnit(llvm::IRBuilder<>& ir, llvm::Function* program, llvm::Value* number, const Unit& unit);

  ModuleBuilder& module_;
  ContextKind context_;
  std::vector<Unit> units_;
  Location location_;
};

// Its function in the object.
const char* DispatcherName(ContextKind context);

}  // namespace kawk
