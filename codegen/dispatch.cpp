#include "codegen/dispatch.h"

#include <linux/bpf.h>

#include "codegen/program.h"
#include "stdlib/syscalls.h"

namespace kawk {

const char* DispatcherName(ContextKind context) {
  return context == ContextKind::SyscallEnter ? "syscalls_enter" : "syscalls_exit";
}

void Dispatcher::Add(llvm::Function* function, const std::vector<uint32_t>& syscalls, const Location& location) {
  if (units_.empty()) location_ = location;
  units_.push_back({function, syscalls});
}

namespace {

llvm::Value* CallHelper(llvm::IRBuilder<>& ir, uint32_t id, std::vector<llvm::Value*> arguments) {
  std::vector<llvm::Type*> types;
  for (llvm::Value* argument : arguments) types.push_back(argument->getType());
  auto* callee = llvm::ConstantExpr::getIntToPtr(ir.getInt64(id), ir.getPtrTy());
  return ir.CreateCall(llvm::FunctionType::get(ir.getPtrTy(), types, false), callee, arguments);
}

llvm::Value* LoadAt(llvm::IRBuilder<>& ir, llvm::Value* base, uint64_t offset) {
  return ir.CreateLoad(ir.getInt64Ty(), ir.CreateConstInBoundsGEP1_64(ir.getInt8Ty(), base, offset));
}

}  // namespace

void Dispatcher::Generate() {
  if (units_.empty()) return;
  const FunctionFrame frame = module_.MakeFunction(DispatcherName(context_), FunctionKind::Program, location_);
  llvm::Function* program = frame.function;
  auto block = [&](const char* name) { return llvm::BasicBlock::Create(module_.context(), name, program); };
  llvm::IRBuilder<> ir(block("entry"));
  ir.SetCurrentDebugLocation(
      llvm::DILocation::get(module_.context(), location_.begin.line, location_.begin.column, frame.subprogram));
  llvm::BasicBlock* live = block("live");
  llvm::BasicBlock* exit = block("exit");
  auto* active = ir.CreateLoad(ir.getInt32Ty(), module_.Global(offsetof(image::ProgramState, active)));
  active->setVolatile(true);
  ir.CreateCondBr(ir.CreateICmpNE(active, ir.getInt32(0)), live, exit);
  ir.SetInsertPoint(live);
  llvm::Value* number = nullptr;
  if (context_ == ContextKind::SyscallEnter) {
    number = LoadAt(ir, program->getArg(0), 8);
  } else {
    llvm::Value* task = CallHelper(ir, BPF_FUNC_get_current_task_btf, {});
    number = LoadAt(ir, CallHelper(ir, BPF_FUNC_task_pt_regs, {task}), kOriginalAx);
  }
  if (units_.size() == 1) {  // a call less, and a frame less in stacks
    units_[0].function->removeFnAttr(llvm::Attribute::NoInline);
    units_[0].function->addFnAttr(llvm::Attribute::AlwaysInline);
  }
  for (const Unit& unit : units_) GenerateUnit(ir, program, number, unit);
  ir.CreateBr(exit);
  ir.SetInsertPoint(exit);
  ir.CreateRet(ir.getInt64(0));
}

void Dispatcher::GenerateUnit(llvm::IRBuilder<>& ir, llvm::Function* program, llvm::Value* number, const Unit& unit) {
  auto block = [&](const char* name) { return llvm::BasicBlock::Create(module_.context(), name, program); };
  llvm::BasicBlock* run = block("run");
  llvm::BasicBlock* next = block("next");
  llvm::Value* target = ir.getInt64(0);
  if (unit.syscalls.size() == 1) {
    ir.CreateCondBr(ir.CreateICmpEQ(number, ir.getInt64(unit.syscalls[0])), run, next);
  } else {
    // number → place in the list + 1, as u16; 0: not wanted.
    std::string table(kSyscallLimit * 2, '\0');
    for (size_t i = 0; i < unit.syscalls.size(); ++i) {
      table[unit.syscalls[i] * 2] = static_cast<char>((i + 1) & 0xff);
      table[unit.syscalls[i] * 2 + 1] = static_cast<char>((i + 1) >> 8);
    }
    llvm::BasicBlock* look = block("look");
    ir.CreateCondBr(ir.CreateICmpULT(number, ir.getInt64(kSyscallLimit)), look, next);
    ir.SetInsertPoint(look);
    llvm::Value* element = ir.CreateInBoundsGEP(ir.getInt16Ty(), module_.Bytes(table), {ir.CreateAnd(number, kSyscallLimit - 1)});
    llvm::Value* place = ir.CreateZExt(ir.CreateAlignedLoad(ir.getInt16Ty(), element, llvm::Align(2)), ir.getInt64Ty());
    ir.CreateCondBr(ir.CreateICmpNE(place, ir.getInt64(0)), run, next);
    ir.SetInsertPoint(run);
    target = ir.CreateSub(place, ir.getInt64(1));
  }
  ir.SetInsertPoint(run);
  ir.CreateCall(unit.function, {program->getArg(0), target});
  ir.CreateBr(next);
  ir.SetInsertPoint(next);
}

}  // namespace kawk
