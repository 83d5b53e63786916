// One factory per syntax node: what the grammar's actions call. It also watches the height of the tree.
#pragma once

#include <initializer_list>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "ast/nodes.h"
#include "lexer/token.h"
#include "parser/token_source.h"

namespace kawk {

// Statements between braces. `open`: nothing, not even a `;`, stands behind the last one, so it may be the block's value.
struct Body {
  std::vector<Stmt*> statements;
  bool open = false;
};

// `name=expr, …` of a record.
struct Fields {
  std::vector<std::string> names;
  std::vector<Expr*> elements;
};

class Builder {
 public:
  Builder(Ast& ast, TokenSource& tokens) : ast_(ast), tokens_(tokens) {}

  void CDefinition(Token text);
  void ConfigEntry(const Location& location, Token key, Token value);
  void Import(const Location& location, Token path);
  void MapDecl(const Location& location, Token name, Token type, Expr* max_entries);
  void Macro(const Location& location, Token name, std::vector<MacroParam> params, kawk::BlockExpr* body);
  void Probe(const Location& location, std::vector<AttachPointText> attach_points, Expr* predicate, kawk::Block* body);
  MacroParam Param(MacroParam::Kind kind, Token name);
  AttachPointText AttachPoint(const Location& location, Token name, Token text);

  Body Append(Body body, Stmt* statement, bool open);
  kawk::Block* Block(const Location& location, Body body);
  kawk::BlockExpr* BlockExpr(const Location& location, Body body);
  Stmt* ExprStmt(const Location& location, Expr* expr);
  Stmt* Assign(const Location& location, Expr* target, Expr* value);
  Stmt* CompoundAssign(const Location& location, Expr* target, BinaryOp op, Expr* value);
  Stmt* Let(const Location& location, Token name, TypeSpec* type, Expr* value);
  Stmt* Return(const Location& location, Expr* value);
  Stmt* If(const Location& location, Expr* condition, kawk::Block* then, Stmt* otherwise);
  Stmt* While(const Location& location, Expr* condition, kawk::Block* body);
  Stmt* Unroll(const Location& location, Expr* count, kawk::Block* body);
  Stmt* ForIn(const Location& location, Token variable, Expr* iterable, kawk::Block* body);
  Stmt* ForRange(const Location& location, Token variable, Expr* from, Expr* to, kawk::Block* body);
  template <class T>
  T* Leaf(const Location& location) {
    return New<T>(location, {});
  }

  Expr* IntLit(Token token);
  Expr* StrLit(Token token);
  Expr* BoolLit(const Location& location, bool value);
  Expr* Positional(Token token);
  template <class T>
  Expr* Named(Token token) {
    T* node = New<T>(token.location, {});
    node->name = std::move(token.text);
    return node;
  }
  Expr* Member(const Location& location, Expr* base, Token name, bool arrow);
  Expr* Index(const Location& location, Expr* base, Expr* index);
  Expr* Call(const Location& location, Token name, std::vector<Expr*> args);
  Expr* Unary(const Location& location, UnaryOp op, Expr* operand);
  Expr* Binary(const Location& location, const Location& op_location, BinaryOp op, Expr* left, Expr* right);
  Expr* Ternary(const Location& location, Expr* condition, Expr* then, Expr* otherwise);
  Expr* Cast(const Location& location, TypeSpec* type, Expr* operand);
  Expr* Tuple(const Location& location, Expr* first, std::vector<Expr*> rest);  // a null `first` for `()`
  Fields Field(Fields fields, Token name, Expr* value);
  Expr* Record(const Location& location, Fields fields);
  Expr* SizeOf(const Location& location, TypeSpec* type, Expr* operand);
  Expr* TypeOf(const Location& location, TypeSpec* type, Expr* operand);
  Expr* OffsetOf(const Location& location, TypeSpec* type, Expr* operand, std::vector<std::string> path);
  // `(T *)((int8 *)pointer - offsetof(T, path))`
  Expr* ContainerOf(const Location& location, Expr* pointer, TypeSpec* type, std::vector<std::string> path);

  TypeSpec* Type(const Location& location, std::string name);
  TypeSpec* TypeOfExpr(const Location& location, Expr* expr);
  TypeSpec* TypeOfType(const Location& location, TypeSpec* type);
  TypeSpec* Pointer(const Location& location, TypeSpec* type);
  TypeSpec* Array(const Location& location, TypeSpec* type, Token size);
  TypeSpec* InferredArray(const Location& location, TypeSpec* type);

 private:
  using Children = std::initializer_list<const Node*>;

  template <class T>
  T* New(const Location& location, Children children, int floor = 0) {
    T* node = ast_.New<T>(location);
    SetHeight(location, children, floor);
    return node;
  }
  void SetHeight(const Location& location, Children children, int floor);
  template <class T>
  int Highest(const std::vector<T*>& nodes) const {
    int highest = 0;
    for (const T* node : nodes) highest = std::max(highest, Height(node));
    return highest;
  }
  int Height(const Node* node) const { return node == nullptr ? 0 : heights_[node->id.value]; }
  int Height(const TypeSpec* type) const;
  bool HasValue(const Stmt* statement) const;
  Expr* TakeValue(Stmt* statement);

  Ast& ast_;
  TokenSource& tokens_;
  std::vector<int> heights_;                               // by NodeId
  std::unordered_map<const TypeSpec*, int> type_heights_;  // only of those that hold others
  std::unordered_set<const kawk::Block*> open_blocks_;     // whose last statement may be a value
};

}  // namespace kawk
