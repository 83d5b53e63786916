#include "runtime/symbols.h"

#include <algorithm>
#include <mutex>

#include "runtime/kernel_symbols.h"
#include "runtime/text.h"
#include "runtime/unwind_tables.h"
#include "runtime/user_symbols.h"

namespace kawk {

using image::StackMode;

namespace {

// As printf's `%p`: a null address has no prefix.
std::string Number(uint64_t address) {
  std::string text = address != 0 ? "0x" : "";
  AppendHex(text, address);
  return text;
}

void AppendOffset(std::string& out, uint64_t offset) {
  out += '+';
  AppendUnsigned(out, offset);
}

}  // namespace

struct Symbols::Impl {
  Impl(bool demangle, RustDemangler rust) : user(demangle, rust) {}
  std::mutex mutex;
  KernelSymbols kernel;
  UserSymbols user;
};

Symbols::Symbols(const image::Config& config, RustDemangler rust) : impl_(std::make_unique<Impl>(config.cpp_demangle, rust)) {}
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
  if (with_offset && mode == StackMode::BuildId) {
    std::string text = impl_->user.BuildId(pid, address);
    if (text.empty()) AppendHex(text, address);
    return text;
  }
  const UserName found = impl_->user.Lookup(pid, address);
  std::string text = found.name.empty() ? Number(address) : found.name;
  if (with_offset && !found.name.empty()) AppendOffset(text, found.offset);
  if (with_offset && mode == StackMode::Perf) text += " (" + (found.module.empty() ? "[unknown]" : found.module) + ")";
  return text;
}

void Symbols::NoteProcess(uint32_t pid) { impl_->user.maps().Note(pid); }

void Symbols::Watch(const image::Image& image, uint32_t pid, UnwindTables* unwind) {
  if (unwind != nullptr) {
    impl_->user.maps().Watch(pid, [unwind](uint32_t of, const std::vector<Mapping>& now) { unwind->Update(of, now); });
    return;
  }
  const auto needs = [](const image::ValueType& type) {
    if (type.kind == image::ValueKind::UserSymbol) return true;
    return type.kind == image::ValueKind::UserStack && type.stack_mode != StackMode::Raw;
  };
  if (std::ranges::any_of(image.types, needs)) impl_->user.maps().Watch(pid);
}

}  // namespace kawk
