// Programs of pinned iterators. When somebody reads the file, the tracer has ended: the kernel itself formats, piece by piece.
#include <linux/bpf.h>

#include "base/check.h"
#include "codegen/functions.h"

namespace kawk {
namespace {

// The context begins with a struct bpf_iter_meta *, which begins with the struct seq_file *.
llvm::Value* SeqFile(Program& p) {
  auto& ir = p.ir();
  llvm::Value* meta = ir.CreateLoad(ir.getPtrTy(), p.ContextPointer());
  return ir.CreateLoad(ir.getPtrTy(), meta);
}

void Write(Program& p, const std::string& text) {
  if (text.empty()) return;
  p.Helper(BPF_FUNC_seq_write, p.ir().getInt64Ty(),
           {SeqFile(p), p.module().Bytes(text), p.I32(static_cast<uint32_t>(text.size()))});
}

// What the kernel's printf is given for an argument: 64 bits, of a string its address.
llvm::Value* ArgumentOf(Program& p, const Expr* expr) {
  const Value value = p.Evaluate(expr);
  if (!value.type->IsScalar()) return p.AsInteger(value.v);
  const bool is_signed = value.type->is(TypeKind::Int) && value.type->is_signed;
  return p.ir().CreateIntCast(value.v, p.ir().getInt64Ty(), is_signed);
}

void WritePiece(Program& p, const FormatSpec& piece, const Expr* argument) {
  std::string format = "%" + piece.flags;
  if (piece.width >= 0) format += std::to_string(piece.width);
  const std::string& conversion = piece.conversion;
  const char letter = conversion.front();
  const bool is_number = std::string_view("diuxX").find(letter) != std::string_view::npos;
  format += is_number ? "ll" + conversion : letter == 'p' ? "#llx" : conversion;
  const uint32_t size = static_cast<uint32_t>(format.size() + 1);
  llvm::Value* data = p.AllocateStack(8);
  p.ir().CreateStore(ArgumentOf(p, argument), data);
  p.Helper(BPF_FUNC_seq_printf, p.ir().getInt64Ty(),
           {SeqFile(p), p.module().Bytes(format + std::string(1, '\0')), p.I32(size), data, p.I32(8)});
}

}  // namespace

bool IsPinned(const ProbeUnit& unit) { return unit.kind == ProbeKind::Iter && !unit.targets[0].path.empty(); }

void PrintToReader(Program& p, const Call& call) {
  for (const FormatSpec& piece : p.typed().formats[p.typed().Info(&call).format]) {
    Write(p, piece.literal);
    if (!piece.conversion.empty()) WritePiece(p, piece, call.args[1 + piece.arg]);
  }
}

}  // namespace kawk
