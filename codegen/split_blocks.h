// LLVM selects instructions block by block, in time that grows with the square of a block's length.
#pragma once

namespace llvm {
class FunctionPass;
}

namespace kawk {

// Cuts long blocks into pieces that only fall through to each other. Must run after CodeGenPrepare, which would put them
// together again; the pieces are one block in the end.
llvm::FunctionPass* CreateSplitBlocksPass();

}  // namespace kawk
