#include "parser/builder.h"

#include <algorithm>

namespace kawk {

void Builder::SetHeight(const Location& location, Children children, int floor) {
  int height = floor;
  for (const Node* child : children) height = std::max(height, Height(child));
  heights_.push_back(height + 1);
  if (height + 1 > kMaxNesting) tokens_.StopTooDeep(location);
}

int Builder::Height(const TypeSpec* type) const {
  const auto found = type_heights_.find(type);
  return found == type_heights_.end() ? 0 : found->second;
}

// --- the root ---------------------------------------------------------------------------------------------------------

void Builder::CDefinition(Token text) { ast_.c_definitions.push_back({text.location, std::move(text.text)}); }

void Builder::ConfigEntry(const Location& location, Token key, Token value) {
  std::string text = value.kind == TokenKind::INTEGER ? std::to_string(value.integer) : std::move(value.text);
  ast_.config.push_back({location, std::move(key.text), value.location, std::move(text)});
}

void Builder::Import(const Location& location, Token path) { ast_.imports.push_back({location, std::move(path.text)}); }

void Builder::MapDecl(const Location& location, Token name, Token type, Expr* max_entries) {
  ast_.map_decls.push_back({location, std::move(name.text), std::move(type.text), type.location, max_entries});
}

void Builder::Macro(const Location& location, Token name, std::vector<MacroParam> params, kawk::BlockExpr* body) {
  ast_.macros.push_back({location, std::move(name.text), std::move(params), body});
}

void Builder::Probe(const Location& location, std::vector<AttachPointText> attach_points, Expr* predicate, kawk::Block* body) {
  ast_.probes.push_back({location, std::move(attach_points), predicate, body});
}

MacroParam Builder::Param(MacroParam::Kind kind, Token name) { return {kind, std::move(name.text), name.location}; }

AttachPointText Builder::AttachPoint(const Location& location, Token name, Token text) {
  return {location, std::move(text.text), std::move(name.text)};
}

// --- statements -------------------------------------------------------------------------------------------------------

Body Builder::Append(Body body, Stmt* statement, bool open) {
  if (statement != nullptr) body.statements.push_back(statement);
  body.open = open;
  return body;
}

kawk::Block* Builder::Block(const Location& location, Body body) {
  auto* node = New<kawk::Block>(location, {}, Highest(body.statements));
  if (body.open) open_blocks_.insert(node);
  node->statements = std::move(body.statements);
  return node;
}

// Whether a last statement is a value: an expression, a block that ends in one, or an `if` whose branches all do.
bool Builder::HasValue(const Stmt* statement) const {
  if (Height(statement) > kMaxNesting) return false;
  if (statement->kind == NodeKind::ExprStmt) return true;
  if (const auto* block = As<kawk::Block>(statement)) {
    return open_blocks_.contains(block) && !block->statements.empty() && HasValue(block->statements.back());
  }
  if (const auto* branch = As<kawk::If>(statement)) {
    return branch->otherwise != nullptr && HasValue(branch->then) && HasValue(branch->otherwise);
  }
  return false;
}

Expr* Builder::TakeValue(Stmt* statement) {
  if (auto* expr = As<kawk::ExprStmt>(statement)) return expr->expr;
  if (auto* block = As<kawk::Block>(statement)) return BlockExpr(block->location, {std::move(block->statements), true});
  auto* branch = As<kawk::If>(statement);
  Expr* then = TakeValue(branch->then);
  return Ternary(branch->location, branch->condition, then, TakeValue(branch->otherwise));
}

kawk::BlockExpr* Builder::BlockExpr(const Location& location, Body body) {
  Expr* value = nullptr;
  if (body.open && !body.statements.empty() && HasValue(body.statements.back())) {
    value = TakeValue(body.statements.back());
    body.statements.pop_back();
  }
  auto* node = New<kawk::BlockExpr>(location, {value}, Highest(body.statements));
  node->statements = std::move(body.statements);
  node->value = value;
  return node;
}

Stmt* Builder::ExprStmt(const Location& location, Expr* expr) {
  auto* node = New<kawk::ExprStmt>(location, {expr});
  node->expr = expr;
  return node;
}

Stmt* Builder::Assign(const Location& location, Expr* target, Expr* value) {
  if (const auto* ident = As<Ident>(target); ident != nullptr && ident->name == "_") {
    auto* node = New<Discard>(location, {value});
    node->expr = value;
    return node;
  }
  auto* node = New<kawk::Assign>(location, {target, value});
  node->target = target;
  node->value = value;
  return node;
}

Stmt* Builder::CompoundAssign(const Location& location, Expr* target, BinaryOp op, Expr* value) {
  auto* node = New<kawk::Assign>(location, {target, value});
  node->target = target;
  node->value = value;
  node->compound = true;
  node->op = op;
  return node;
}

Stmt* Builder::Let(const Location& location, Token name, TypeSpec* type, Expr* value) {
  auto* node = New<kawk::Let>(location, {value}, Height(type));
  node->name = std::move(name.text);
  node->name_location = name.location;
  node->type = type;
  node->value = value;
  return node;
}

Stmt* Builder::Return(const Location& location, Expr* value) {
  auto* node = New<kawk::Return>(location, {value});
  node->value = value;
  return node;
}

Stmt* Builder::If(const Location& location, Expr* condition, kawk::Block* then, Stmt* otherwise) {
  auto* node = New<kawk::If>(location, {condition, then, otherwise});
  node->condition = condition;
  node->then = then;
  node->otherwise = otherwise;
  return node;
}

Stmt* Builder::While(const Location& location, Expr* condition, kawk::Block* body) {
  auto* node = New<kawk::While>(location, {condition, body});
  node->condition = condition;
  node->body = body;
  return node;
}

Stmt* Builder::Unroll(const Location& location, Expr* count, kawk::Block* body) {
  auto* node = New<kawk::Unroll>(location, {count, body});
  node->count = count;
  node->body = body;
  return node;
}

Stmt* Builder::ForIn(const Location& location, Token variable, Expr* iterable, kawk::Block* body) {
  auto* node = New<kawk::ForIn>(location, {iterable, body});
  node->variable = std::move(variable.text);
  node->variable_location = variable.location;
  node->iterable = iterable;
  node->body = body;
  return node;
}

Stmt* Builder::ForRange(const Location& location, Token variable, Expr* from, Expr* to, kawk::Block* body) {
  auto* node = New<kawk::ForRange>(location, {from, to, body});
  node->variable = std::move(variable.text);
  node->variable_location = variable.location;
  node->from = from;
  node->to = to;
  node->body = body;
  return node;
}

// --- expressions ------------------------------------------------------------------------------------------------------

Expr* Builder::IntLit(Token token) {
  auto* node = New<kawk::IntLit>(token.location, {});
  node->value = token.integer;
  return node;
}

Expr* Builder::StrLit(Token token) {
  auto* node = New<kawk::StrLit>(token.location, {});
  node->value = std::move(token.text);
  return node;
}

Expr* Builder::BoolLit(const Location& location, bool value) {
  auto* node = New<kawk::BoolLit>(location, {});
  node->value = value;
  return node;
}

Expr* Builder::Positional(Token token) {
  auto* node = New<kawk::Positional>(token.location, {});
  node->index = static_cast<uint32_t>(token.integer);
  return node;
}

Expr* Builder::Member(const Location& location, Expr* base, Token name, bool arrow) {
  auto* node = New<kawk::Member>(location, {base});
  node->base = base;
  node->name = std::move(name.text);
  node->name_location = name.location;
  node->arrow = arrow;
  return node;
}

Expr* Builder::Index(const Location& location, Expr* base, Expr* index) {
  auto* node = New<kawk::Index>(location, {base, index});
  node->base = base;
  node->index = index;
  return node;
}

Expr* Builder::Call(const Location& location, Token name, std::vector<Expr*> args) {
  auto* node = New<kawk::Call>(location, {}, Highest(args));
  node->name = std::move(name.text);
  node->name_location = name.location;
  node->args = std::move(args);
  return node;
}

Expr* Builder::Unary(const Location& location, UnaryOp op, Expr* operand) {
  auto* node = New<kawk::Unary>(location, {operand});
  node->op = op;
  node->operand = operand;
  return node;
}

Expr* Builder::Binary(const Location& location, const Location& op_location, BinaryOp op, Expr* left, Expr* right) {
  auto* node = New<kawk::Binary>(location, {left, right});
  node->op = op;
  node->op_location = op_location;
  node->left = left;
  node->right = right;
  return node;
}

Expr* Builder::Ternary(const Location& location, Expr* condition, Expr* then, Expr* otherwise) {
  auto* node = New<kawk::Ternary>(location, {condition, then, otherwise});
  node->condition = condition;
  node->then = then;
  node->otherwise = otherwise;
  return node;
}

Expr* Builder::Cast(const Location& location, TypeSpec* type, Expr* operand) {
  auto* node = New<kawk::Cast>(location, {operand}, Height(type));
  node->type = type;
  node->operand = operand;
  return node;
}

Expr* Builder::Tuple(const Location& location, Expr* first, std::vector<Expr*> rest) {
  if (first != nullptr) rest.insert(rest.begin(), first);
  auto* node = New<TupleExpr>(location, {}, Highest(rest));
  node->elements = std::move(rest);
  return node;
}

Fields Builder::Field(Fields fields, Token name, Expr* value) {
  fields.names.push_back(std::move(name.text));
  fields.elements.push_back(value);
  return fields;
}

Expr* Builder::Record(const Location& location, Fields fields) {
  auto* node = New<RecordExpr>(location, {}, Highest(fields.elements));
  node->names = std::move(fields.names);
  node->elements = std::move(fields.elements);
  return node;
}

Expr* Builder::SizeOf(const Location& location, TypeSpec* type, Expr* operand) {
  auto* node = New<kawk::SizeOf>(location, {operand}, Height(type));
  node->type = type;
  node->operand = operand;
  return node;
}

Expr* Builder::TypeOf(const Location& location, TypeSpec* type, Expr* operand) {
  auto* node = New<kawk::TypeOf>(location, {operand}, Height(type));
  node->type = type;
  node->operand = operand;
  return node;
}

Expr* Builder::OffsetOf(const Location& location, TypeSpec* type, Expr* operand, std::vector<std::string> path) {
  auto* node = New<kawk::OffsetOf>(location, {operand}, Height(type));
  node->type = type;
  node->operand = operand;
  node->path = std::move(path);
  return node;
}

Expr* Builder::ContainerOf(const Location& location, Expr* pointer, TypeSpec* type, std::vector<std::string> path) {
  TypeSpec* copy = ast_.NewTypeSpec(type->location);
  *copy = *type;
  if (type->of_expr != nullptr || type->of_type != nullptr) type_heights_.emplace(copy, Height(type));
  Expr* offset = OffsetOf(location, type, nullptr, std::move(path));
  Expr* bytes = Cast(location, Pointer(location, Type(location, "int8")), pointer);
  return Cast(location, Pointer(location, copy), Binary(location, location, BinaryOp::Sub, bytes, offset));
}

// --- types ------------------------------------------------------------------------------------------------------------

TypeSpec* Builder::Type(const Location& location, std::string name) {
  TypeSpec* type = ast_.NewTypeSpec(location);
  type->name = std::move(name);
  return type;
}

TypeSpec* Builder::TypeOfExpr(const Location& location, Expr* expr) {
  TypeSpec* type = ast_.NewTypeSpec(location);
  type->of_expr = expr;
  type_heights_.emplace(type, Height(expr) + 1);
  return type;
}

TypeSpec* Builder::TypeOfType(const Location& location, TypeSpec* inner) {
  TypeSpec* type = ast_.NewTypeSpec(location);
  type->of_type = inner;
  type_heights_.emplace(type, Height(inner) + 1);
  return type;
}

TypeSpec* Builder::Pointer(const Location& location, TypeSpec* type) {
  type->location = location;
  type->postfixes.push_back({TypeSpec::Postfix::Pointer});
  return type;
}

TypeSpec* Builder::Array(const Location& location, TypeSpec* type, Token size) {
  type->location = location;
  type->postfixes.push_back({TypeSpec::Postfix::Array, size.integer});
  return type;
}

TypeSpec* Builder::InferredArray(const Location& location, TypeSpec* type) {
  type->location = location;
  type->postfixes.push_back({TypeSpec::Postfix::Array, 0, true});
  return type;
}

}  // namespace kawk
