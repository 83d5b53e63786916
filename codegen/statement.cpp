// Statements: one overload per kind of node.
#include <linux/bpf.h>

#include "base/check.h"
#include "codegen/program.h"

namespace kawk {
namespace {

class Emitter {
 public:
  explicit Emitter(Program& program) : p_(program), ir_(program.ir()) {}

  void operator()(const ExprStmt& s) { p_.Evaluate(s.expr); }
  void operator()(const Discard& s) { p_.Evaluate(s.expr); }
  void operator()(const Block& s) { p_.Statements(s.statements); }

  void operator()(const Let& s) {
    const int index = p_.typed().lets[s.id.value];
    const Type* type = p_.typed().variables[index].type;
    if (s.value != nullptr) {
      p_.EvaluateInto(p_.Variable(index), type, s.value);
    } else {
      p_.Zero(p_.Variable(index), SizeOfType(type));
    }
  }

  void operator()(const Assign& s) {
    if (const auto* variable = As<ScratchVar>(s.target)) {
      AssignVariable(p_.typed().Info(variable).variable, s);
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

  void operator()(const While& s) {
    llvm::BasicBlock* test = p_.NewBlock("while");
    llvm::BasicBlock* body = p_.NewBlock("do");
    llvm::BasicBlock* end = p_.NewBlock("done");
    ir_.CreateBr(test);
    ir_.SetInsertPoint(test);
    ir_.CreateCondBr(p_.Truth(s.condition), body, end);
    ir_.SetInsertPoint(body);
    p_.loops().push_back({test, end});
    p_.Statements(s.body->statements);
    p_.loops().pop_back();
    ir_.CreateBr(test);
    ir_.SetInsertPoint(end);
  }

  void operator()(const Unroll& s) {
    const uint64_t count = *p_.typed().Info(s.count).integer;
    llvm::BasicBlock* end = p_.NewBlock("unrolled");
    for (uint64_t i = 0; i < count; ++i) {
      llvm::BasicBlock* next = p_.NewBlock("next");
      p_.loops().push_back({next, end});
      p_.Statements(s.body->statements);
      p_.loops().pop_back();
      ir_.CreateBr(next);
      ir_.SetInsertPoint(next);
    }
    ir_.CreateBr(end);
    ir_.SetInsertPoint(end);
  }

  void operator()(const ForRange& s) {
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
  }

  void operator()(const ForIn&) { UNREACHABLE("for over maps is refused by the checker"); }

  void operator()(const Break&) { Jump(p_.loops().back().end); }
  void operator()(const Continue&) { Jump(p_.loops().back().next); }
  void operator()(const Return& s) {
    if (s.value != nullptr) p_.Evaluate(s.value);
    p_.Leave();
  }

 private:
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
  for (const Stmt* stmt : statements) Statement(stmt);
}

llvm::Value* Program::Variable(int index) {
  llvm::Value*& memory = variables_[index];
  if (memory == nullptr) memory = Allocate(SizeOfType(typed().variables[index].type));
  return memory;
}

}  // namespace kawk
