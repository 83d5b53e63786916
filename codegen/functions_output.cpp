// Functions whose work is done by the runtime: a record each. (print(), clear() and zero() are in functions.cpp.)
#include <linux/bpf.h>

#include "base/check.h"
#include "codegen/functions.h"

namespace kawk {
namespace {

// A format and its arguments.
Value SendFormatted(Program& p, const Call& call, image::EventKind kind) {
  image::EventSpec event = EventOf(kind, call);
  for (const FormatSpec& piece : p.typed().formats[p.typed().Info(&call).format]) {
    event.format.push_back({piece.literal, piece.flags, piece.width, piece.precision, piece.length, piece.conversion, piece.arg,
                            piece.width_arg, piece.precision_arg});
  }
  p.SendRecord(std::move(event), {call.args.begin() + 1, call.args.end()});
  return Nothing(p);
}

std::string Literal(Program& p, const Call& call, size_t index, const char* otherwise) {
  return index < call.args.size() ? *p.typed().Info(call.args[index]).string : otherwise;
}

constexpr uint64_t kJoinStrings = 16;
constexpr uint64_t kJoinBytes = 1024;  // of each, with its NUL

// Reads the strings behind `argv` one behind the other to record + fixed, each with its NUL. Returns where they end. Written
// out sixteen times instead of a loop: so the verifier knows the largest `used` at each read.
llvm::Value* ReadStrings(Program& p, llvm::Value* record, uint64_t fixed, llvm::Value* argv, Readers readers,
                         const Location& at) {
  auto& ir = p.ir();
  llvm::Value* pointer = p.Allocate(8);
  llvm::BasicBlock* end = p.NewBlock("joined");
  std::vector<std::pair<llvm::Value*, llvm::BasicBlock*>> ends;
  llvm::Value* used = p.I64(fixed);
  const auto stop_if = [&](llvm::Value* condition) {
    llvm::BasicBlock* more = p.NewBlock("join");
    ends.emplace_back(used, ir.GetInsertBlock());
    ir.CreateCondBr(condition, end, more);
    ir.SetInsertPoint(more);
  };
  for (uint64_t i = 0; i < kJoinStrings; ++i) {
    llvm::Value* failed = p.Helper(readers.memory, ir.getInt64Ty(), {pointer, p.I32(8), ir.CreateAdd(argv, p.I64(8 * i))});
    p.CheckRead(readers.memory, failed, at);
    stop_if(ir.CreateICmpNE(failed, p.I64(0)));
    llvm::Value* string = ir.CreateLoad(ir.getInt64Ty(), pointer);
    stop_if(ir.CreateICmpEQ(string, p.I64(0)));
    llvm::Value* place = ir.CreateInBoundsGEP(ir.getInt8Ty(), record, {used});
    llvm::Value* got = p.Helper(readers.string, ir.getInt64Ty(), {place, p.I32(kJoinBytes), string});
    p.CheckRead(readers.string, got, at);
    // A string that cannot be read counts as empty: the helper has left zeros.
    llvm::Value* length = ir.CreateSelect(ir.CreateICmpSLE(got, p.I64(0)), p.I64(0), ir.CreateSub(got, p.I64(1)));
    // Bounded anew, so that the least it can be is 0 on every way: the verifier follows one for all.
    used = p.Bound(ir.CreateAdd(used, ir.CreateAdd(p.Bound(length, LengthMask(kJoinBytes)), p.I64(1))),
                   LengthMask(fixed + kJoinStrings * kJoinBytes));
  }
  ends.emplace_back(used, ir.GetInsertBlock());
  ir.CreateBr(end);
  ir.SetInsertPoint(end);
  auto* result = ir.CreatePHI(ir.getInt64Ty(), ends.size());
  for (auto [value, block] : ends) result->addIncoming(value, block);
  return result;
}

}  // namespace

Value EmitPrintfCall(Program& p, const Call& call) {
  if (!IsPinned(p.unit())) return SendFormatted(p, call, image::EventKind::Printf);
  PrintToReader(p, call);
  return Nothing(p);
}
Value EmitErrorfCall(Program& p, const Call& call) { return SendFormatted(p, call, image::EventKind::Errorf); }
Value EmitWarnfCall(Program& p, const Call& call) { return SendFormatted(p, call, image::EventKind::Warnf); }
Value EmitCatCall(Program& p, const Call& call) { return SendFormatted(p, call, image::EventKind::Cat); }
Value EmitSystemCall(Program& p, const Call& call) { return SendFormatted(p, call, image::EventKind::System); }

Value EmitTimeCall(Program& p, const Call& call) {
  image::EventSpec event = EventOf(image::EventKind::Time, call);
  event.probe = p.index();
  event.format.push_back({.literal = Literal(p, call, 0, "%H:%M:%S\n")});
  const uint32_t at = sizeof(image::RecordHeader);
  event.args.push_back({p.module().TypeOf(p.typed().types->Int(64, false)), at, false});
  event.fixed_size = at + 8;
  const uint32_t id = p.module().AddEvent(std::move(event));
  p.SendFixed(id, at + 8, false, [&](llvm::Value* record) {
    p.ir().CreateStore(p.Helper(BPF_FUNC_ktime_get_boot_ns, p.ir().getInt64Ty(), {}), p.At(record, at));
  });
  return Nothing(p);
}

Value EmitUnwatchCall(Program& p, const Call& call) {
  image::EventSpec event = EventOf(image::EventKind::Unwatch, call);
  const uint32_t at = sizeof(image::RecordHeader);
  event.args.push_back({p.module().TypeOf(p.typed().types->Int(64, false)), at, false});
  event.fixed_size = at + 8;
  const Value address = p.AddressValue(call.args[0]);
  llvm::Value* number = p.Convert(address.v, address.type, p.typed().types->Int(64, false));
  p.SendFixed(p.module().AddEvent(std::move(event)), at + 8, false,
              [&](llvm::Value* record) { p.ir().CreateStore(number, p.At(record, at)); });
  return Nothing(p);
}

Value EmitStrftimeCall(Program& p, const Call& call) {
  auto& ir = p.ir();
  llvm::Value* memory = p.Allocate(8);
  llvm::Value* time = p.Scalar(call.args[1], p.typed().types->Int(64, false));
  const std::optional<BuiltinId> clock = p.typed().Info(call.args[1]).builtin;
  if (clock == BuiltinId::NsecsTai || clock == BuiltinId::NsecsSwTai) {
    llvm::Constant* distance = p.module().Global(offsetof(image::ProgramState, tai_minus_boot));
    time = ir.CreateSub(time, ir.CreateLoad(ir.getInt64Ty(), distance));
  }
  ir.CreateStore(time, memory);
  return {memory, p.typed().TypeOf(&call)};
}

Value EmitJoinCall(Program& p, const Call& call) {
  auto& ir = p.ir();
  const Value argv = p.AddressValue(call.args[0]);
  p.SetLocation(call.location);
  image::EventSpec event = EventOf(image::EventKind::Join, call);
  event.probe = p.index();
  event.format.push_back({.literal = Literal(p, call, 1, " ")});
  const uint32_t length_at = sizeof(image::RecordHeader);
  const uint32_t fixed = length_at + 4;
  event.args.push_back({p.module().TypeOf(p.typed().types->Buffer(kJoinStrings * kJoinBytes)), length_at, true});
  event.fixed_size = fixed;
  llvm::Value* record = p.AllocateScratch(fixed + kJoinStrings * kJoinBytes);
  ir.CreateStore(p.I64(p.module().AddEvent(std::move(event))), record);
  llvm::Value* from = p.Convert(argv.v, argv.type, p.typed().types->Int(64, false));
  llvm::Value* used = ReadStrings(p, record, fixed, from, ReadersFor(p, argv.type), call.location);
  llvm::Value* length = ir.CreateTrunc(ir.CreateSub(used, p.I64(fixed)), ir.getInt32Ty());
  ir.CreateAlignedStore(length, p.At(record, length_at), llvm::Align(4));
  p.Output(record, used);
  return Nothing(p);
}

}  // namespace kawk
