// -k: what a program does when it could not read memory. It tells the runtime at once, in order with what it prints, but
// no more than kMostReports times in about a second, so that a probe whose every read fails does not drown the rest; the
// others are counted.
#include <linux/bpf.h>

#include <array>

#include "base/check.h"
#include "codegen/program.h"

namespace kawk {
namespace {

constexpr uint64_t kMostReports = 32;
constexpr uint64_t kWindowShift = 30;  // of nanoseconds
// A program's word: the window of its last report, and how many were sent in it.
constexpr uint64_t kCountBits = 8;
constexpr uint64_t kCountMask = (1 << kCountBits) - 1;

constexpr std::array kHelperNames = {
#define HELPER_NAME(name, ...) #name
    __BPF_FUNC_MAPPER(HELPER_NAME)
#undef HELPER_NAME
};

}  // namespace

void Program::CheckRead(uint32_t helper, llvm::Value* result, const Location& at) {
  if (!module_.options().read_warnings) return;
  image::EventSpec event;
  event.kind = image::EventKind::HelperError;
  event.probe = index_;
  event.location = at;
  event.format.push_back({.literal = kHelperNames[helper]});
  const uint32_t code_at = sizeof(image::RecordHeader);
  event.args.push_back({module_.TypeOf(typed().types->Int(64, true)), code_at, false});
  event.fixed_size = code_at + 8;
  const uint32_t id = module_.AddEvent(std::move(event));
  If(ir_.CreateICmpSLT(result, I64(0)), [&] {
    llvm::Constant* word = module_.Global(module_.ReadWarningsOffset(index_));
    llvm::Value* window = ir_.CreateLShr(Helper(BPF_FUNC_ktime_get_boot_ns, ir_.getInt64Ty(), {}), I64(kWindowShift));
    llvm::Value* before = ir_.CreateLoad(ir_.getInt64Ty(), word);
    llvm::Value* same = ir_.CreateICmpEQ(ir_.CreateLShr(before, I64(kCountBits)), window);
    llvm::Value* sent = ir_.CreateSelect(same, ir_.CreateAnd(before, I64(kCountMask)), I64(0));
    // Two CPUs may count the same report as their own: a few more are sent than are allowed, none goes uncounted.
    If(
        ir_.CreateICmpULT(sent, I64(kMostReports)),
        [&] {
          llvm::Value* now = ir_.CreateOr(ir_.CreateShl(window, I64(kCountBits)), ir_.CreateAdd(sent, I64(1)));
          ir_.CreateStore(now, word);
          SendFixed(id, code_at + 8, false, [&](llvm::Value* record) { ir_.CreateStore(result, At(record, code_at)); });
        },
        [&] { CountLoss(image::LossCause::ReadFailed); });
  });
}

}  // namespace kawk
