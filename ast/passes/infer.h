// The inside of the type pass. Inference runs over all units again and again until no variable and no map changes its type.
// Each round starts with empty slots and reads what the round before found, so that the order of statements does not
// matter and a type that was only a first guess leaves nothing behind. The last round reports.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ast/nodes.h"
#include "ast/passes/flow.h"
#include "ast/passes/fold.h"
#include "ast/type_source.h"
#include "ast/typed.h"
#include "base/diagnostics.h"
#include "stdlib/names.h"

namespace kawk {

// Whether the value lies in memory that has an address: a field, an element.
bool HasPlace(const Expr* expr, const Typed& typed);

class Inference {
 public:
  Inference(const ScriptInput& input, TypeSource& source, Typed& typed, Diagnostics& diagnostics)
      : input_(input), source_(source), typed_(typed), diagnostics_(diagnostics) {}
  void Run();

  // Expressions, one overload per kind: computes the flow, notes type and value in typed_.
  Flow operator()(const IntLit& e);
  Flow operator()(const BoolLit& e);
  Flow operator()(const StrLit& e);
  Flow operator()(const Ident& e);
  Flow operator()(const ScratchVar& e);
  Flow operator()(const MapRef& e);
  Flow operator()(const Positional& e);
  Flow operator()(const Index& e);
  Flow operator()(const Member& e);
  Flow operator()(const Call& e);
  Flow operator()(const Unary& e);
  Flow operator()(const Binary& e);
  Flow operator()(const Ternary& e);
  Flow operator()(const Cast& e);
  Flow operator()(const TupleExpr& e);
  Flow operator()(const RecordExpr& e);
  Flow operator()(const SizeOf& e);
  Flow operator()(const OffsetOf& e);
  Flow operator()(const TypeOf& e);
  Flow operator()(const BlockExpr& e);

  void operator()(const ExprStmt& s);
  void operator()(const Assign& s);
  void operator()(const Discard& s);
  void operator()(const Let& s);
  void operator()(const If& s);
  void operator()(const While& s);
  void operator()(const ForRange& s);
  void operator()(const ForIn& s);
  void operator()(const Unroll& s);
  void operator()(const Break&) {}
  void operator()(const Continue&) {}
  void operator()(const Return& s);
  void operator()(const Block& s);

 private:
  // What one round finds for a variable, a map's key or its values.
  struct Slot {
    Flow flow;
    const Type* declared = nullptr;  // by `let $x: T`
    bool assigned = false;           // if only by what has no type because of an error
  };
  struct MapUse {
    Slot key;
    Slot value;
    bool keyed = false;
    bool scalar = false;
    bool read = false;
  };

  // --- infer.cpp: rounds and statements
  bool Round();  // true when a type changed
  void GiveDefaults();
  bool CallsKsym() const;
  Flow Visit(const Expr* expr);
  void Visit(const Stmt* stmt);
  void AssignTo(const Expr& target, const Expr& value, const Flow& flow);
  void AssignToVariable(int variable, const Expr& value, const Flow& flow);
  void AssignToMap(const Expr& target, const Expr& value, const Flow& flow);
  void MergeValue(Slot& slot, const std::string& name, const Location& location, const Flow& flow);
  void CheckDeclared(const Type* declared, const std::string& name, const Location& location, const Flow& flow);
  void ForElements(const ForIn& s);
  Flow CompoundFlow(BinaryOp op, const Expr& target, const Expr& value);
  Flow Condition(const Expr* expr);

  // --- infer_expr.cpp
  Flow Done(const Expr& expr, const Flow& flow);
  Flow Constant(const Expr& expr, Known value);
  Flow ConstantBool(const Expr& expr, bool value);
  Flow ConstantString(const Expr& expr, std::string value);
  std::optional<Known> KnownValue(const Expr* expr) const;
  bool IsOpen(const Expr* expr) const;
  Flow AsNumber(Flow flow);  // aggregates as the integer they stand for
  void Adapt(const Expr* expr, const Type* type);
  Flow UseMap(const Expr& expr, int map, const Expr* key);
  Flow ReadMap(const Expr& expr, int map, const Expr* key);
  void MergeKey(int map, const Location& location, const Expr* key);
  Flow Step(const Unary& e);
  Flow IndexTuple(const Expr& e, const Flow& base, std::optional<Known> index);
  Flow Elements(const Expr& e, const std::vector<Expr*>& elements, const std::vector<std::string>& names);

  // --- infer_memory.cpp
  AddressSpace DefaultSpace() const;
  const Type* AsSeen(const Type* type, AddressSpace space);
  Flow IndexElements(const Index& e, const Type* base);
  Flow RecordMember(const Member& e, const Flow& base);
  Flow FieldOf(const Member& e, const Type* type);
  Flow Deref(const Unary& e, const Type* pointer);
  Flow AddressOf(const Unary& e, const Type* target);

  // --- infer_cast.cpp
  bool CanCast(const Type* to, const Type* from, const Expr& operand);
  Flow CastTo(const Cast& e, const Type* to, const Flow& from);
  const Type* InferredArray(const TypeSpec& spec, const Type* element, const Type* from);
  const Type* TypeOfSpec(const TypeSpec* spec, const Type* from = nullptr);
  const Type* TypeOfOperand(const TypeSpec* spec, const Expr* operand);
  std::optional<uint64_t> OffsetOfPath(const OffsetOf& e, const Type* type);

  // --- infer_binary.cpp
  Flow Fold(const Binary& e, Known left, Known right);
  std::optional<Flow> FoldStrings(const Binary& e);
  Flow Rest(const Binary& e, const std::string& text);
  Flow Compare(const Binary& e, const Flow& left, const Flow& right);
  Flow Arithmetic(const Binary& e, const Flow& left, const Flow& right);
  Flow PointerArithmetic(const Binary& e, const Type* left, const Type* right);
  void BadOperands(const Binary& e, const Flow& left, const Flow& right);
  void WarnLossy(const Expr* expr, const Type* to);

  // --- infer_call.cpp
  const Type* TaskStruct();
  Flow ContextFlow();
  Flow RetvalFlow(const Expr& e);
  Flow ArgumentFlow(const Expr& e, BuiltinId id);
  Flow BuiltinFlow(const Expr& e, BuiltinId id);
  Flow StackFlow(const Expr& e, bool user, const std::vector<Expr*>& args);
  Flow FunctionFlow(const Call& e, FunctionId id);
  Flow StrFlow(const Call& e);
  Flow OptionFlow(const Call& e);
  Flow BufFlow(const Call& e);
  Flow SkboutputFlow(const Call& e);
  Flow StrftimeFlow(const Call& e);
  // --- infer_library.cpp
  void FindInto(const Expr& result, const Type* value);
  Flow ProbeTypeFlow(const Expr& e);
  Flow StrcapFlow(const Call& e);
  Flow PathFlow(const Call& e);
  Flow NumberNameFlow(const Call& e, const NameTable& table, bool either_sign);
  Flow BswapFlow(const Call& e);
  Flow KaddrFlow(const Call& e);
  Flow PercpuKaddrFlow(const Call& e);
  Flow UaddrFlow(const Call& e);
  Flow PtonFlow(const Call& e);
  Flow CgroupIdFlow(const Call& e);
  Flow CgroupPathFlow(const Call& e);
  Flow StrConcatFlow(const Call& e);
  Flow QuestionFlow(const Call& e, FunctionId id);
  bool Answer(FunctionId id, const Expr& about);
  uint64_t TextCapacity(const Expr& e) const;
  Flow SpaceFlow(const Call& e, AddressSpace space);
  Flow MapFunction(const Call& e, FunctionId id);
  Flow AggregateFlow(const Call& e, TypeKind kind);
  std::optional<std::string> LiteralText(const Expr& e) const;
  const Type* NameString(bool function_name);

  TypeTable& types() { return *typed_.types; }
  const Type* Resolved(const Flow& flow) { return TypeOfFlow(flow, types()); }
  template <class... Args>
  void Report(Diag id, const Location& location, const Args&... args) {
    if (reporting_) diagnostics_.Emit(id, location, args...);
  }
  template <class... Args>
  void ReportWithHint(Diag id, const Location& location, std::string hint, const Args&... args) {
    if (reporting_) diagnostics_.EmitWithHint(id, location, std::move(hint), args...);
  }

  const ScriptInput& input_;
  TypeSource& source_;
  Typed& typed_;
  Diagnostics& diagnostics_;
  bool uses_ksym_ = false;  // then `func` of kernel functions is a symbol too, as in the peer, so that both go into one map
  bool reporting_ = false;
  bool accumulate_ = false;  // keep slots between rounds: types only grow, so this ends
  const ProbeUnit* unit_ = nullptr;
  const Call* allowed_aggregate_ = nullptr;  // the call that stands right of `@m =`
  std::vector<Slot> variables_;
  std::vector<MapUse> maps_;
};

// The type that the type or result column of a registry row names.
const Type* TypeFromText(std::string_view text, TypeTable& types);

}  // namespace kawk
