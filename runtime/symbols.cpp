#include "runtime/symbols.h"

#include <list>
#include <mutex>
#include <unordered_map>

#include "runtime/kernel_symbols.h"
#include "runtime/process_symbols.h"
#include "runtime/text.h"

namespace kawk {

using image::StackMode;

namespace {

// Each may hold the symbol tables of all its libraries.
constexpr size_t kProcessesBound = 64;

std::string Number(uint64_t address) {
  std::string text = "0x";
  AppendHex(text, address);
  return text;
}

void AppendOffset(std::string& out, uint64_t offset) {
  out += '+';
  AppendUnsigned(out, offset);
}

}  // namespace

struct Symbols::Impl {
  struct Process {
    Process(uint32_t pid, bool demangle) : pid(pid), symbols(pid, demangle) {}
    uint32_t pid;
    ProcessSymbols symbols;
  };
  ProcessSymbols& ProcessOf(uint32_t pid);

  bool demangle = true;
  std::mutex mutex;
  KernelSymbols kernel;
  std::list<Process> processes;  // the last used first
  std::unordered_map<uint32_t, std::list<Process>::iterator> by_pid;
};

ProcessSymbols& Symbols::Impl::ProcessOf(uint32_t pid) {
  const auto known = by_pid.find(pid);
  if (known != by_pid.end() && known->second->symbols.StillSame()) {
    processes.splice(processes.begin(), processes, known->second);
    return processes.front().symbols;
  }
  if (known != by_pid.end()) {
    processes.erase(known->second);
    by_pid.erase(known);
  }
  if (processes.size() >= kProcessesBound) {
    by_pid.erase(processes.back().pid);
    processes.pop_back();
  }
  processes.emplace_front(pid, demangle);
  by_pid[pid] = processes.begin();
  return processes.front().symbols;
}

Symbols::Symbols(const image::Config& config) : impl_(std::make_unique<Impl>()) { impl_->demangle = config.cpp_demangle; }
Symbols::~Symbols() = default;

std::string Symbols::Kernel(uint64_t address, bool with_offset, StackMode mode) {
  const std::lock_guard lock(impl_->mutex);
  const KernelName& found = impl_->kernel.Lookup(address);
  if (found.name.empty()) return Number(address);
  std::string text = found.name;
  if (with_offset) AppendOffset(text, found.offset);
  if (with_offset && mode == StackMode::Perf && !found.module.empty()) text += " ([" + found.module + "])";
  return text;
}

std::string Symbols::User(uint32_t pid, uint64_t address, bool with_offset, StackMode mode) {
  const std::lock_guard lock(impl_->mutex);
  ProcessSymbols& process = impl_->ProcessOf(pid);
  if (with_offset && mode == StackMode::BuildId) {
    std::string text = process.BuildId(address);
    if (text.empty()) AppendHex(text, address);
    return text;
  }
  const UserName& found = process.Lookup(address);
  std::string text = found.name.empty() ? Number(address) : found.name;
  if (with_offset && !found.name.empty()) AppendOffset(text, found.offset);
  if (with_offset && mode == StackMode::Perf) text += " (" + (found.module.empty() ? "[unknown]" : found.module) + ")";
  return text;
}

void Symbols::NoteProcess(uint32_t pid) {
  const std::lock_guard lock(impl_->mutex);
  impl_->ProcessOf(pid);
}

}  // namespace kawk
