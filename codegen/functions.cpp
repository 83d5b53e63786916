// Functions: one emitter per row of stdlib/functions.def.
#include "codegen/functions.h"

#include "base/check.h"

namespace kawk {
namespace {

// The map that a call's first argument names: `f(@m)`, `f(@m, key)` or the old `f(@m[key])`.
Program::Target MapArgument(Program& p, const Call& call) {
  Program::Target target = p.TargetOf(call.args[0]);
  if (call.args.size() > 1) target.key = call.args[1];
  return target;
}

uint64_t Constant(Program& p, const Call& call, size_t index) {
  return index < call.args.size() ? *p.typed().Info(call.args[index]).integer : 0;
}

// Aggregates appear only as the value of an assignment, which Program::EmitAggregate generates.
Value NotAValue() { UNREACHABLE("aggregate outside of an assignment"); }

}  // namespace

Value EmitPrintCall(Program& p, const Call& call) {
  const auto* map = As<MapRef>(call.args[0]);
  if (map == nullptr) {
    p.SendRecord(EventOf(image::EventKind::PrintValue, call), {call.args[0]});
    return Nothing(p);
  }
  image::EventSpec event = EventOf(image::EventKind::PrintMap, call);
  event.top = Constant(p, call, 1);
  event.div = Constant(p, call, 2);
  p.PrintMap(p.typed().Info(map).map, std::move(event), p.PrintsBeforeClear(call));
  return Nothing(p);
}

Value EmitClearCall(Program& p, const Call& call) {
  p.ClearMap(p.TargetOf(call.args[0]).map, EventOf(image::EventKind::ClearMap, call));
  return Nothing(p);
}
Value EmitZeroCall(Program& p, const Call& call) {
  p.ZeroMap(p.TargetOf(call.args[0]).map, EventOf(image::EventKind::ZeroMap, call));
  return Nothing(p);
}

Value EmitExitCall(Program& p, const Call& call) {
  auto& ir = p.ir();
  if (!call.args.empty()) {
    llvm::Value* code = p.Scalar(call.args[0], p.typed().types->Int(32, true));
    ir.CreateStore(code, p.module().Global(offsetof(image::ProgramState, exit_code)));
  }
  ir.CreateStore(p.I32(0), p.module().Global(offsetof(image::ProgramState, active)))->setVolatile(true);
  p.SendRecord(EventOf(image::EventKind::Exit, call), {}, true);
  p.Leave();
  return Nothing(p);
}

Value EmitDeleteCall(Program& p, const Call& call) { return {p.DeleteKey(MapArgument(p, call)), p.typed().types->Bool()}; }
Value EmitHasKeyCall(Program& p, const Call& call) { return {p.HasKey(MapArgument(p, call)), p.typed().types->Bool()}; }

Value EmitFindCall(Program& p, const Call& call) {
  const Program::Target target = p.TargetOf(call.args[0]);
  const int variable = p.typed().Info(call.args[2]).variable;
  const Type* type = p.typed().variables[variable].type;
  llvm::Value* found = p.FindInto({.map = target.map, .key = call.args[1]}, p.Variable(variable), type);
  p.ForgetVariable(variable);
  return {found, p.typed().types->Bool()};
}

Value EmitStrCall(Program& p, const Call& call) {
  const Type* type = p.typed().TypeOf(&call);
  llvm::Value* memory = p.Allocate(LengthMask(type->length) + 1);
  llvm::Value* length = p.StringInto(memory, type->length, &call);
  return {memory, type, length, false};
}

Value EmitGetoptCall(Program&, const Call&) { UNREACHABLE("an option is a constant"); }

Value EmitCountCall(Program&, const Call&) { return NotAValue(); }
Value EmitSumCall(Program&, const Call&) { return NotAValue(); }
Value EmitMinCall(Program&, const Call&) { return NotAValue(); }
Value EmitMaxCall(Program&, const Call&) { return NotAValue(); }
Value EmitAvgCall(Program&, const Call&) { return NotAValue(); }
Value EmitStatsCall(Program&, const Call&) { return NotAValue(); }
Value EmitHistCall(Program&, const Call&) { return NotAValue(); }
Value EmitLhistCall(Program&, const Call&) { return NotAValue(); }
Value EmitTseriesCall(Program&, const Call&) { return NotAValue(); }

}  // namespace kawk
