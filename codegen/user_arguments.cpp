// `args` of user functions: each parameter is where the debug information says, in registers or in the process's memory.
#include <linux/bpf.h>

#include <algorithm>

#include "codegen/program.h"

namespace kawk {
namespace {

constexpr uint64_t kWord = 8;

uint64_t RoundUp(uint64_t bytes) { return (bytes + kWord - 1) / kWord * kWord; }

llvm::Value* SumOf(Program& p, const DebugPiece& piece) {
  llvm::Value* number = p.I64(static_cast<uint64_t>(piece.offset));
  return piece.base.empty() ? number : p.ir().CreateAdd(ReadRegister(p, piece.base), number);
}

// Writes a piece to memory that has room for whole words behind it.
void StorePiece(Program& p, llvm::Value* memory, const DebugPiece& piece, const Location& at) {
  auto& ir = p.ir();
  if (piece.place == DebugPiece::Place::Memory) {
    llvm::Value* failed = p.Helper(BPF_FUNC_probe_read_user, ir.getInt64Ty(), {memory, p.I32(piece.size), SumOf(p, piece)});
    return p.CheckRead(BPF_FUNC_probe_read_user, failed, at);
  }
  const bool is_width = piece.size == 1 || piece.size == 2 || piece.size == 4;
  llvm::Value* v = ir.CreateTrunc(SumOf(p, piece), ir.getIntNTy(is_width ? piece.size * 8 : kWord * 8));
  ir.CreateAlignedStore(v, memory, llvm::Align(1));
}

uint64_t BytesOf(const std::vector<DebugPiece>& pieces) {
  uint64_t bytes = 0;
  for (const DebugPiece& piece : pieces) bytes += RoundUp(piece.size);
  return bytes;
}

}  // namespace

Program::Place Program::UserArgument(const StructField& field, const Location& at) {
  const size_t index = static_cast<size_t>(&field - unit_.args->info->Fields().data());
  const std::vector<DebugPiece>& pieces = unit_.arg_pieces[index];
  if (pieces.size() == 1 && pieces[0].place == DebugPiece::Place::Memory)
    return {AddressSpace::User, SumOf(*this, pieces[0]), nullptr, 0, &at};
  llvm::Value* memory = Allocate(std::max(BytesOf(pieces), RoundUp(SizeOfType(field.type))));
  uint64_t done = 0;
  for (const DebugPiece& piece : pieces) {
    StorePiece(*this, At(memory, done), piece, at);
    done += piece.size;
  }
  return {AddressSpace::Bpf, memory, nullptr, 0};
}

llvm::Value* Program::AllUserArguments(const Location& at) {
  const StructInfo& info = *unit_.args->info;
  llvm::Value* memory = Allocate(RoundUp(info.size) + kWord);
  Zero(memory, RoundUp(info.size) + kWord);
  for (const StructField& field : info.Fields()) {
    const Place place = UserArgument(field, at);
    if (place.space == AddressSpace::Bpf) {
      Copy(At(memory, field.offset), place.base, SizeOfType(field.type));
    } else {
      ReadBytes(At(memory, field.offset), SizeOfType(field.type), place);
    }
  }
  return memory;
}

}  // namespace kawk
