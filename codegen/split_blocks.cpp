#include "codegen/split_blocks.h"

#include <llvm/IR/BasicBlock.h>
#include <llvm/IR/Function.h>
#include <llvm/IR/Instructions.h>
#include <llvm/Pass.h>

#include <cstddef>
#include <vector>

namespace kawk {
namespace {

constexpr size_t kPiece = 256;  // instructions

class SplitBlocks : public llvm::FunctionPass {
 public:
  static char id;
  SplitBlocks() : FunctionPass(id) {}
  llvm::StringRef getPassName() const override { return "Split long blocks"; }

  bool runOnFunction(llvm::Function& function) override {
    std::vector<llvm::BasicBlock*> blocks;
    for (llvm::BasicBlock& block : function) {
      if (block.size() > 2 * kPiece) blocks.push_back(&block);
    }
    for (llvm::BasicBlock* block : blocks) Split(block);
    return !blocks.empty();
  }

 private:
  // Behind something with an effect: there most often a statement ends, and no value is waiting for its only use.
  static void Split(llvm::BasicBlock* block) {
    size_t length = 0;
    size_t left = block->size();
    for (auto instruction = block->begin(); instruction != block->end() && left > kPiece; ++instruction, --left) {
      if (++length < kPiece || !instruction->mayHaveSideEffects()) continue;
      block = block->splitBasicBlock(std::next(instruction));
      instruction = block->begin();
      length = 0;
    }
  }
};

char SplitBlocks::id = 0;

}  // namespace

llvm::FunctionPass* CreateSplitBlocksPass() { return new SplitBlocks; }

}  // namespace kawk
