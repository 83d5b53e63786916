// Arguments of USDT probes: the operand that the note names, read from the registers at the probe.
#include <linux/bpf.h>

#include <array>

#include "base/check.h"
#include "codegen/program.h"

namespace kawk {
namespace {

struct RegisterRow {
  std::string_view name;
  uint64_t offset;  // in x86-64's struct pt_regs
};
constexpr std::array kRegisters = {
    RegisterRow{"r15", 0},   RegisterRow{"r14", 8},  RegisterRow{"r13", 16}, RegisterRow{"r12", 24},  RegisterRow{"rbp", 32},
    RegisterRow{"rbx", 40},  RegisterRow{"r11", 48}, RegisterRow{"r10", 56}, RegisterRow{"r9", 64},   RegisterRow{"r8", 72},
    RegisterRow{"rax", 80},  RegisterRow{"rcx", 88}, RegisterRow{"rdx", 96}, RegisterRow{"rsi", 104}, RegisterRow{"rdi", 112},
    RegisterRow{"rip", 128}, RegisterRow{"rsp", 152}};

llvm::Value* ReadOperand(Program& p, const UsdtArgument& argument, const Location& at) {
  auto& ir = p.ir();
  if (argument.place == UsdtArgument::Place::Constant) return p.I64(static_cast<uint64_t>(argument.value));
  if (argument.place == UsdtArgument::Place::Register) return ir.CreateLShr(ReadRegister(p, argument.base), argument.shift);
  llvm::Value* address = p.I64(static_cast<uint64_t>(argument.value));
  if (!argument.base.empty()) address = ir.CreateAdd(address, ReadRegister(p, argument.base));
  if (!argument.index.empty())
    address = ir.CreateAdd(address, ir.CreateMul(ReadRegister(p, argument.index), p.I64(argument.scale)));
  llvm::Value* memory = p.Allocate(8);
  ir.CreateStore(p.I64(0), memory);
  llvm::Value* failed = p.Helper(BPF_FUNC_probe_read_user, ir.getInt64Ty(), {memory, p.I32(argument.size), address});
  p.CheckRead(BPF_FUNC_probe_read_user, failed, at);
  return ir.CreateLoad(ir.getInt64Ty(), memory);
}

}  // namespace

llvm::Value* ReadRegister(Program& p, const std::string& name) {
  for (const RegisterRow& row : kRegisters) {
    if (row.name == name) return p.Context(row.offset, p.ir().getInt64Ty());
  }
  UNREACHABLE("register of an argument");
}

Value UsdtArgumentValue(Program& p, const Expr& expr, uint32_t n) {
  const Type* type = p.typed().TypeOf(&expr);
  const std::vector<UsdtArgument>& arguments = p.unit().targets[0].arguments;  // those of the others are the same
  if (n >= arguments.size()) return {p.I64(0), type};
  llvm::Value* v = ReadOperand(p, arguments[n], expr.location);
  return {p.ir().CreateTrunc(v, p.ir().getIntNTy(SizeOfType(type) * 8)), type};
}

}  // namespace kawk
