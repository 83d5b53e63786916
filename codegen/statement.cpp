// Statements: one overload per kind of node.
#include <linux/bpf.h>

#include <algorithm>

#include "ast/walk.h"
#include "base/check.h"
#include "codegen/program.h"

namespace kawk {
namespace {

class Emitter {
 public:
  explicit Emitter(Program& program) : p_(program), ir_(program.ir()) {}

  void operator()(const ExprStmt& s) { Drop(s.expr); }
  void operator()(const Discard& s) { Drop(s.expr); }
  void operator()(const Block& s) { p_.Statements(s.statements); }

  void operator()(const Let& s) {
    const int index = p_.typed().lets[s.id.value];
    LetVariable(index, s);
    p_.ForgetVariable(index);
  }

  void LetVariable(int index, const Let& s) {
    const Type* type = p_.typed().variables[index].type;
    if (s.value != nullptr) {
      p_.EvaluateInto(p_.Variable(index), type, s.value);
    } else if (type->IsScalar()) {
      auto* integer = ir_.getIntNTy(type->is(TypeKind::Bool) ? 1 : SizeOfType(type) * 8);
      p_.Store(p_.Variable(index), type, {llvm::ConstantInt::get(integer, 0), type});
    } else {
      p_.Zero(p_.Variable(index), SizeOfType(type));
    }
  }

  void operator()(const Assign& s) {
    if (const auto* variable = As<ScratchVar>(s.target)) {
      AssignVariable(p_.typed().Info(variable).variable, s);
      p_.ForgetVariable(p_.typed().Info(variable).variable);
      return;
    }
    const Program::Target target = p_.TargetOf(s.target);
    const Type* type = p_.typed().maps[target.map].value;
    if (type->IsAggregate()) {
      const auto* call = As<Call>(s.value);
      CHECK(call != nullptr);
      p_.EmitAggregate(target, *call);
    } else if (s.compound) {
      p_.UpdateMap(target, s.op, p_.Scalar(s.value, type), false);
    } else {
      p_.WriteMap(target, s.value);
    }
  }

  void operator()(const kawk::If& s) {
    llvm::Value* condition = p_.Truth(s.condition);
    if (s.otherwise != nullptr) {
      p_.If(condition, [&] { p_.Statements(s.then->statements); }, [&] { p_.Statement(s.otherwise); });
    } else {
      p_.If(condition, [&] { p_.Statements(s.then->statements); });
    }
  }

  void operator()(const While& s) { p_.LoopWhile(s); }

  void operator()(const Unroll& s) {
    const uint64_t count = *p_.typed().Info(s.count).integer;
    llvm::BasicBlock* end = p_.NewBlock("unrolled");
    for (uint64_t i = 0; i < count; ++i) {
      p_.ForgetAll();  // `continue` may have left the turn before early
      llvm::BasicBlock* next = p_.NewBlock("next");
      p_.loops().push_back({next, end});
      p_.Statements(s.body->statements);
      p_.loops().pop_back();
      ir_.CreateBr(next);
      ir_.SetInsertPoint(next);
    }
    ir_.CreateBr(end);
    ir_.SetInsertPoint(end);
    p_.ForgetAll();
  }

  void operator()(const ForRange& s) {
    if (p_.NeedsFunction(s)) return p_.LoopOverRange(s);
    const int index = p_.typed().lets[s.id.value];
    const Type* type = p_.typed().variables[index].type;
    llvm::Value* variable = p_.Variable(index);
    llvm::Value* counter = p_.Allocate(8);  // its own: the body may write the variable
    llvm::Value* last = p_.Scalar(s.to, type);
    ir_.CreateStore(p_.Scalar(s.from, type), counter);
    llvm::BasicBlock* test = p_.NewBlock("for");
    llvm::BasicBlock* body = p_.NewBlock("do");
    llvm::BasicBlock* next = p_.NewBlock("next");
    llvm::BasicBlock* end = p_.NewBlock("done");
    ir_.CreateBr(test);
    ir_.SetInsertPoint(test);
    llvm::Value* now = p_.Load(counter, type);
    ir_.CreateCondBr(type->is_signed ? ir_.CreateICmpSLT(now, last) : ir_.CreateICmpULT(now, last), body, end);
    ir_.SetInsertPoint(body);
    p_.ForgetAll();  // the turn before may have written what was known
    ir_.CreateStore(now, variable);
    p_.loops().push_back({next, end});
    p_.Statements(s.body->statements);
    p_.loops().pop_back();
    ir_.CreateBr(next);
    ir_.SetInsertPoint(next);
    llvm::Value* old = p_.Load(counter, type);
    ir_.CreateStore(ir_.CreateAdd(old, llvm::ConstantInt::get(old->getType(), 1)), counter);
    ir_.CreateBr(test);
    ir_.SetInsertPoint(end);
    p_.ForgetAll();
  }

  void operator()(const ForIn& s) {
    p_.typed().TypeOf(s.iterable)->is(TypeKind::Array) ? p_.LoopOverArray(s) : p_.LoopOverMap(s);
  }

  void operator()(const Break&) { Jump(p_.loops().back().end); }
  void operator()(const Continue&) { Jump(p_.loops().back().next); }
  void operator()(const Return& s) {
    if (s.value != nullptr) p_.SetResult(p_.Scalar(s.value, p_.typed().types->Int(64, true)));
    p_.Leave();
  }

 private:
  // A histogram by itself is no value to read.
  void Drop(const Expr* expr) {
    const Type* type = p_.typed().TypeOf(expr);
    if (!type->IsAggregate() || p_.typed().types->AggregateInt(type) != nullptr) p_.Evaluate(expr);
  }

  void Jump(llvm::BasicBlock* to) {
    ir_.CreateBr(to);
    ir_.SetInsertPoint(p_.NewBlock("unreachable"));
  }

  void AssignVariable(int index, const Assign& s) {
    const Type* type = p_.typed().variables[index].type;
    llvm::Value* memory = p_.Variable(index);
    if (!s.compound) {
      // The value may read the variable itself: memory types go through a copy.
      if (type->IsScalar() || As<StrLit>(s.value) != nullptr) {
        p_.EvaluateInto(memory, type, s.value);
        return;
      }
      llvm::Value* copy = p_.Allocate(SizeOfType(type));
      p_.EvaluateInto(copy, type, s.value);
      p_.Copy(memory, copy, SizeOfType(type));
      return;
    }
    llvm::Value* operand = p_.Scalar(s.value, type);
    if (type->is(TypeKind::Pointer)) operand = ir_.CreateMul(operand, p_.I64(std::max(SizeOfType(type->element), 1u)));
    llvm::Value* result = EmitArithmetic(p_, s.op, p_.Load(memory, type), operand, type->is_signed);
    p_.Store(memory, type, {result, type});
  }

  Program& p_;
  llvm::IRBuilder<>& ir_;
};

}  // namespace

void Program::Statement(const Stmt* stmt) {
  SetLocation(stmt->location);
  VisitStmt(*stmt, Emitter(*this));
}

void Program::Statements(const std::vector<Stmt*>& statements) {
  MarkPrintsBeforeClear(statements);
  for (const Stmt* stmt : statements) Statement(stmt);
}

// `print(@m); clear(@m);`, or zero(@m), shows all that was ever in the epoch, so that what other CPUs add between the two is not
// lost. Any other print(@scalar) shows the value at the call.
void Program::MarkPrintsBeforeClear(const std::vector<Stmt*>& statements) {
  auto map_of = [&](const Stmt* stmt, FunctionId id) {
    const auto* expression = As<ExprStmt>(stmt);
    const auto* call = expression != nullptr ? As<Call>(expression->expr) : nullptr;
    if (call == nullptr || typed().Info(call).function != id || call->args.empty()) return -1;
    const auto* map = As<MapRef>(call->args[0]);
    return map != nullptr ? typed().Info(map).map : -1;
  };
  auto mentions = [&](const Stmt* stmt, int map) {
    bool found = false;
    Walker walker;
    walker.on_expr = [&](const Expr& expr) { found = found || (As<MapRef>(&expr) != nullptr && typed().Info(&expr).map == map); };
    walker.Walk(stmt);
    return found;
  };
  for (size_t i = 0; i < statements.size(); ++i) {
    const int map = map_of(statements[i], FunctionId::Print);
    if (map < 0) continue;
    for (size_t j = i + 1; j < statements.size(); ++j) {
      if (map_of(statements[j], FunctionId::Clear) == map || map_of(statements[j], FunctionId::Zero) == map) {
        prints_before_clear_.insert(static_cast<const ExprStmt*>(statements[i])->expr);
        break;
      }
      const bool plain = As<ExprStmt>(statements[j]) != nullptr || As<Assign>(statements[j]) != nullptr;
      if (!plain || mentions(statements[j], map)) break;
    }
  }
}

llvm::Value* Program::Variable(int index) {
  if (frame_ != nullptr) return SharedVariable(index);
  llvm::Value*& memory = variables_[index];
  if (memory == nullptr) memory = Allocate(SizeOfType(typed().variables[index].type));
  return memory;
}

}  // namespace kawk
