// The instruction set is pinned to v3 (5.12 and later): newer ones are not understood by every kernel we support, and
// LLVM's default changes between releases.
#include "codegen/object.h"

#include <fmt/format.h>
#include <llvm/Analysis/ValueTracking.h>
#include <llvm/CodeGen/MachineModuleInfo.h>
#include <llvm/CodeGen/Passes.h>
#include <llvm/CodeGen/TargetPassConfig.h>
#include <llvm/IR/DiagnosticInfo.h>
#include <llvm/IR/DiagnosticPrinter.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/ErrorHandling.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Transforms/Utils/Cloning.h>

#include <cstdio>
#include <cstdlib>

#include "base/check.h"
#include "codegen/split_blocks.h"

extern "C" {
void LLVMInitializeBPFTargetInfo();
void LLVMInitializeBPFTarget();
void LLVMInitializeBPFTargetMC();
void LLVMInitializeBPFAsmPrinter();
void LLVMInitializeBPFAsmParser();
}

namespace kawk {
namespace {

// LLVM stops the process where a program is too large for its code generator; then at least in our words.
void GiveUp(void*, const char* reason, bool) {
  std::fprintf(stderr, "ERROR: the script does not fit the limits of BPF: %s\nHINT: split large probes\n", reason);
  std::_Exit(1);
}

llvm::LLVMTargetMachine& Machine() {
  static llvm::LLVMTargetMachine* machine = [] {
    llvm::install_fatal_error_handler(GiveUp);
    LLVMInitializeBPFTargetInfo();
    LLVMInitializeBPFTarget();
    LLVMInitializeBPFTargetMC();
    LLVMInitializeBPFAsmPrinter();
    LLVMInitializeBPFAsmParser();  // for the inline assembly of Program::Bound
    std::string error;
    const llvm::Target* target = llvm::TargetRegistry::lookupTarget("bpf", error);
    CHECK(target != nullptr);
    return static_cast<llvm::LLVMTargetMachine*>(target->createTargetMachine("bpf", "v3", "", {}, std::nullopt));
  }();
  return *machine;
}

// Collects what the backend reports instead of printing it and going on.
struct Complaints : llvm::DiagnosticHandler {
  explicit Complaints(std::string& text) : text(text) {}
  bool handleDiagnostics(const llvm::DiagnosticInfo& info) override {
    if (info.getSeverity() == llvm::DS_Error && text.empty()) {  // the others say the same of other places
      llvm::raw_string_ostream stream(text);
      llvm::DiagnosticPrinterRawOStream printer(stream);
      info.print(printer);
    }
    return true;
  }
  std::string& text;
};

// Jumps of the instruction set reach 32767 instructions. A function that has far more of LLVM's, before and after they are
// optimised, cannot fit: told before the code generator spends a minute on it.
constexpr unsigned kMostInstructions = 200'000;
constexpr unsigned kMostOptimized = 50'000;
constexpr unsigned kManyStores = 40;  // fewer cannot make LLVM run out of stack

Error TooLarge(unsigned size) {
  return Error{fmt::format("the script does not fit the limits of BPF: a probe has {} instructions", size), "split large probes"};
}

// Whether it reads or writes memory other than the stack.
bool UsesMemory(const llvm::Instruction& instruction) {
  const llvm::Value* pointer = llvm::getLoadStorePointerOperand(&instruction);
  return pointer != nullptr && !llvm::isa<llvm::AllocaInst>(llvm::getUnderlyingObject(pointer));
}

}  // namespace

void PrepareModule(llvm::Module& module) {
  module.setTargetTriple("bpf");
  module.setDataLayout(Machine().createDataLayout());
}

std::unique_ptr<llvm::Module> SpareCopy(const llvm::Module& module) {
  unsigned stores = 0;
  for (const llvm::Function& function : module) {
    for (const llvm::Instruction& instruction : llvm::instructions(function)) {
      stores += llvm::isa<llvm::StoreInst>(instruction) && UsesMemory(instruction) ? 1u : 0u;
    }
  }
  return stores < kManyStores ? nullptr : llvm::CloneModule(module);
}

void KeepInMemory(llvm::Module& module) {
  for (llvm::Function& function : module) {
    for (llvm::Instruction& instruction : llvm::instructions(function)) {
      if (!UsesMemory(instruction)) continue;
      if (auto* load = llvm::dyn_cast<llvm::LoadInst>(&instruction)) load->setVolatile(true);
      if (auto* store = llvm::dyn_cast<llvm::StoreInst>(&instruction)) store->setVolatile(true);
    }
  }
}

Status OptimizeForBpf(llvm::Module& module) {
  for (const llvm::Function& function : module) {
    const unsigned size = function.getInstructionCount();
    if (size > kMostInstructions) return TooLarge(size);
  }
  llvm::PipelineTuningOptions tuning;
  // BPF has no vectors, and unrolled loops only cost the verifier time.
  tuning.LoopVectorization = tuning.SLPVectorization = tuning.LoopUnrolling = tuning.LoopInterleaving = false;
  llvm::PassBuilder builder(&Machine(), tuning);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager sccs;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(sccs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, sccs, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(module, modules);
  for (const llvm::Function& function : module) {
    if (function.getInstructionCount() > kMostOptimized) return TooLarge(function.getInstructionCount());
  }
  return Ok{};
}

namespace {

// What addPassesToEmitFile does, with a pass of our own in between.
void AddPassesToEmit(llvm::legacy::PassManager& passes, llvm::raw_pwrite_stream& stream) {
  llvm::TargetPassConfig* config = Machine().createPassConfig(passes);
  config->setDisableVerify(true);
  const std::unique_ptr<llvm::Pass> prepare(llvm::createCodeGenPrepareLegacyPass());
  config->insertPass(prepare->getPassID(), CreateSplitBlocksPass());
  passes.add(config);
  auto* machine_module = new llvm::MachineModuleInfoWrapperPass(&Machine());
  passes.add(machine_module);
  if (config->addISelPasses()) UNREACHABLE("no instruction selector");
  config->addMachinePasses();
  config->setInitialized();
  llvm::MCContext& context = machine_module->getMMI().getContext();
  if (Machine().addAsmPrinter(passes, stream, nullptr, llvm::CodeGenFileType::ObjectFile, context))
    UNREACHABLE("no object emitter");
  passes.add(llvm::createFreeMachineFunctionPass());
}

}  // namespace

Result<std::vector<uint8_t>> EmitObject(llvm::Module& module) {
  std::string complaints;
  module.getContext().setDiagnosticHandler(std::make_unique<Complaints>(complaints));
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  AddPassesToEmit(passes, stream);
  passes.run(module);
  if (!complaints.empty()) {
    return Error{"the script does not fit the limits of BPF: " + complaints,
                 "split large probes, or use fewer and smaller variables"};
  }
  return std::vector<uint8_t>(bytes.begin(), bytes.end());
}

std::string PrintModule(const llvm::Module& module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream, nullptr);
  return text;
}

}  // namespace kawk
