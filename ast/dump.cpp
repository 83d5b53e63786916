// The tree as text, for `-d` and for tests: one node per line, two spaces per level, names and values behind the kind.
// Short, and stable: no ids, no locations.
#include <fmt/format.h>

#include <string_view>

#include "ast/nodes.h"

namespace kawk {
namespace {

// A string as it would be written, so that a line stays a line.
std::string Quote(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == quote || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + quote;
}

class Dumper {
 public:
  explicit Dumper(const std::function<std::string(const Expr&)>& annotate) : annotate_(annotate) {}

  std::string Run(const Ast& ast);

  void operator()(const IntLit& node) { Line(node, fmt::format("int {}", node.value)); }
  void operator()(const BoolLit& node) { Line(node, node.value ? "bool true" : "bool false"); }
  void operator()(const StrLit& node) { Line(node, "str " + Quote(node.value, '"')); }
  void operator()(const Ident& node) { Line(node, "ident " + node.name); }
  void operator()(const ScratchVar& node) { Line(node, "var " + node.name); }
  void operator()(const MapRef& node) { Line(node, "map " + node.name); }
  void operator()(const Positional& node) { Line(node, node.index == 0 ? "param $#" : fmt::format("param ${}", node.index)); }
  void operator()(const Index& node) { Tree(node, "index", {node.base, node.index}); }
  void operator()(const Member& node) { Tree(node, (node.arrow ? "member ->" : "member .") + node.name, {node.base}); }
  void operator()(const Call& node) { Tree(node, "call " + node.name, node.args); }
  void operator()(const Unary& node);
  void operator()(const Binary& node) { Tree(node, std::string("binary ") + Spelling(node.op), {node.left, node.right}); }
  void operator()(const Ternary& node);
  void operator()(const Cast& node) { Tree(node, "cast " + TypeText(*node.type), {node.operand}); }
  void operator()(const TupleExpr& node) { Tree(node, "tuple", node.elements); }
  void operator()(const RecordExpr& node);
  void operator()(const SizeOf& node) { OfType(node, "sizeof", node.type, node.operand, ""); }
  void operator()(const OffsetOf& node);
  void operator()(const TypeOf& node) { OfType(node, "typeof", node.type, node.operand, ""); }
  void operator()(const BlockExpr& node);

  void operator()(const ExprStmt& node) { Sub(node.expr); }
  void operator()(const Assign& node);
  void operator()(const Discard& node) { Node("discard", {node.expr}); }
  void operator()(const Let& node);
  void operator()(const If& node);
  void operator()(const While& node);
  void operator()(const ForRange& node);
  void operator()(const ForIn& node);
  void operator()(const Unroll& node);
  void operator()(const Break&) { Line("break"); }
  void operator()(const Continue&) { Line("continue"); }
  void operator()(const Return& node) { Node("return", {node.value}); }
  void operator()(const Block& node);

 private:
  void Line(std::string_view text) { out_.append(indent_ * 2, ' ').append(text).append("\n"); }
  void Line(const Expr& node, std::string text) {
    if (annotate_ != nullptr) {
      if (const std::string note = annotate_(node); !note.empty()) text += " :: " + note;
    }
    Line(text);
  }
  void Sub(const Expr* node) {
    if (node == nullptr) return;
    VisitExpr(*node, *this);
  }
  void Children(const std::vector<Expr*>& children) {
    ++indent_;
    for (const Expr* child : children) Sub(child);
    --indent_;
  }
  void Node(std::string_view text, const std::vector<Expr*>& children) {
    Line(text);
    Children(children);
  }
  void Tree(const Expr& node, std::string text, const std::vector<Expr*>& children) {
    Line(node, std::move(text));
    Children(children);
  }
  void Statements(const std::vector<Stmt*>& statements) {
    ++indent_;
    for (const Stmt* statement : statements) VisitStmt(*statement, *this);
    --indent_;
  }
  void Body(std::string_view label, const Stmt* body) {
    if (!label.empty()) Line(label);
    if (const auto* block = As<Block>(body)) {
      Statements(block->statements);
    } else {
      ++indent_;
      VisitStmt(*body, *this);
      --indent_;
    }
  }
  // A type in one line; the expressions in its typeofs are dumped below, in order.
  std::string TypeText(const TypeSpec& type);
  void OfType(const Expr& node, std::string text, const TypeSpec* type, const Expr* operand, const std::string& more);

  const std::function<std::string(const Expr&)>& annotate_;
  std::string out_;
  size_t indent_ = 0;
};

void Dumper::operator()(const Unary& node) {
  const bool post = node.op == UnaryOp::PostInc || node.op == UnaryOp::PostDec;
  Tree(node, std::string(post ? "postfix " : "unary ") + Spelling(node.op), {node.operand});
}

void Dumper::operator()(const Ternary& node) {
  Tree(node, node.then == nullptr ? "ternary ?:" : "ternary", {node.condition, node.then, node.otherwise});
}

void Dumper::operator()(const RecordExpr& node) {
  Line(node, "record");
  ++indent_;
  for (size_t i = 0; i < node.elements.size(); ++i) Node(node.names[i] + " =", {node.elements[i]});
  --indent_;
}

void Dumper::operator()(const OffsetOf& node) {
  std::string path;
  for (const std::string& name : node.path) path += (path.empty() ? "" : ".") + name;
  OfType(node, "offsetof", node.type, node.operand, path);
}

void Dumper::OfType(const Expr& node, std::string text, const TypeSpec* type, const Expr* operand, const std::string& more) {
  if (type != nullptr) text += fmt::format(" {}", TypeText(*type));
  if (!more.empty()) text += fmt::format("{}{}", type != nullptr ? ", " : " ", more);
  Line(node, std::move(text));
  ++indent_;
  Sub(operand);
  --indent_;
}

std::string Dumper::TypeText(const TypeSpec& type) {
  std::string text = type.name;
  if (type.of_type != nullptr) text = fmt::format("typeof({})", TypeText(*type.of_type));
  if (type.of_expr != nullptr) {  // the expression in one line: its own dump, joined
    Dumper inner(annotate_);
    inner.Sub(type.of_expr);
    for (size_t i = 0; (i = inner.out_.find('\n', i)) != std::string::npos;) {
      size_t next = i + 1;
      while (next < inner.out_.size() && inner.out_[next] == ' ') ++next;
      inner.out_.replace(i, next - i, next < inner.out_.size() ? ", " : "");
    }
    text = fmt::format("typeof({})", inner.out_);
  }
  for (const TypeSpec::Postfix& postfix : type.postfixes) {
    if (postfix.kind == TypeSpec::Postfix::Pointer) {
      text += '*';
    } else {
      text += postfix.inferred ? "[]" : fmt::format("[{}]", postfix.size);
    }
  }
  return text;
}

void Dumper::operator()(const BlockExpr& node) {
  Line(node, "block");
  Statements(node.statements);
  if (node.value != nullptr) {
    ++indent_;
    Node("value", {node.value});
    --indent_;
  }
}

void Dumper::operator()(const Assign& node) {
  Node(node.compound ? fmt::format("assign {}=", Spelling(node.op)) : "assign", {node.target, node.value});
}

void Dumper::operator()(const Let& node) {
  Node(node.type == nullptr ? "let " + node.name : fmt::format("let {}: {}", node.name, TypeText(*node.type)), {node.value});
}

void Dumper::operator()(const If& node) {
  Node("if", {node.condition});
  Body("then", node.then);
  if (node.otherwise != nullptr) Body("else", node.otherwise);
}

void Dumper::operator()(const While& node) {
  Node("while", {node.condition});
  Body("do", node.body);
}

void Dumper::operator()(const ForRange& node) {
  Node("for " + node.variable + " range", {node.from, node.to});
  Body("do", node.body);
}

void Dumper::operator()(const ForIn& node) {
  Node("for " + node.variable + " in", {node.iterable});
  Body("do", node.body);
}

void Dumper::operator()(const Unroll& node) {
  Node("unroll", {node.count});
  Body("do", node.body);
}

void Dumper::operator()(const Block& node) {
  Line("block");
  Statements(node.statements);
}

std::string Dumper::Run(const Ast& ast) {
  for (const CDefinition& definition : ast.c_definitions) Line("c " + Quote(definition.text, '`'));
  for (const ConfigEntry& entry : ast.config) Line("config " + entry.key + " = " + Quote(entry.value, '"'));
  for (const Import& import : ast.imports) Line("import " + Quote(import.path, '"'));
  for (const MapDecl& decl : ast.map_decls) Node("let " + decl.name + " = " + decl.map_type, {decl.max_entries});
  for (const Macro& macro : ast.macros) {
    std::string params;
    for (const MacroParam& param : macro.params) params += (params.empty() ? "" : ", ") + param.name;
    Node("macro " + macro.name + "(" + params + ")", {macro.body});
  }
  for (const Probe& probe : ast.probes) {
    std::string points;
    for (const AttachPointText& point : probe.attach_points) {
      points += points.empty() ? " " : ", ";
      if (!point.name.empty()) points += point.name + "=";
      points += point.text;
    }
    Line("probe" + points);
    ++indent_;
    if (probe.predicate != nullptr) Node("predicate", {probe.predicate});
    --indent_;
    Statements(probe.body->statements);
  }
  return std::move(out_);
}

}  // namespace

std::string Dump(const Ast& ast, const std::function<std::string(const Expr&)>& annotate) { return Dumper(annotate).Run(ast); }

}  // namespace kawk
