// The part of ScanState that follows the structure of a script: C definitions, root items, brackets, predicates.
#include "lexer/scan_state.h"

namespace kawk {

void ScanState::BeginDefinition() {
  open_ = Here();
  open_at_ = begin_;
  braces_ = 0;
  typedef_ = text() == "typedef";
}

bool ScanState::DefinitionBrace(bool open) {
  if (open) {
    ++braces_;
    return false;
  }
  if (braces_ > 0) --braces_;
  body_end_ = end_;
  body_end_position_ = position_;
  return braces_ == 0 && !typedef_;  // what follows a typedef's `}` is its name
}

// `closed` is false at the end of the file inside of it. A `;` that is missing behind the last `}` is added, so that the
// definitions can be pasted together.
Token ScanState::EndDefinition(bool closed) {
  const bool semicolon = end_ > begin_ && text_[end_ - 1] == ';';
  if (!semicolon && closed) {
    const Location at{file_, open_.begin, body_end_position_};
    std::string text(text_.substr(open_at_, body_end_ - open_at_));
    types_.emplace(DeclaredType(text));
    return MakeAt(TokenKind::C_DEFINITION, at, text + ";");
  }
  const Location at{file_, open_.begin, position_};
  std::string text(text_.substr(open_at_, end_ - open_at_));
  if (!closed) {
    Report(Diag::UnterminatedDefinition, open_, braces_ > 0 ? "a `}` is missing" : "a `;` is missing");
    return MakeAt(TokenKind::INVALID, open_, "");
  }
  types_.emplace(DeclaredType(text));
  return MakeAt(TokenKind::C_DEFINITION, at, std::move(text));
}

Token ScanState::Preprocessor() {
  Token token = Make(TokenKind::C_DEFINITION);
  while (!token.text.empty() && token.text.back() == '\r') token.text.pop_back();
  return token;
}

Token ScanState::BeginItem(Item item, TokenKind kind) {
  item_ = item;
  in_predicate_ = false;
  braces_ = kind == TokenKind::LBRACE ? 1 : 0;
  parens_ = 0;
  casts_.clear();
  return Make(kind);
}

Token ScanState::AttachPoint(TokenKind kind, std::string_view text) {
  if (kind == TokenKind::PROBE_NAME) text = text.substr(0, text.find_first_of(" \t\r\n\f\v="));
  return MakeAt(kind, Here(), std::string(text));
}

void ScanState::BeginPredicate() {
  item_ = Item::Probe;
  in_predicate_ = true;
  braces_ = 0;
}

// Whether the grammar can take an operand here. Only asked where both answers are possible.
bool ScanState::WantsOperand() const {
  switch (previous_) {
    case TokenKind::IDENT:
    case TokenKind::INTEGER:
    case TokenKind::STRING:
    case TokenKind::SCRATCH:
    case TokenKind::MAP:
    case TokenKind::POSITIONAL:
    case TokenKind::TRUE_:
    case TokenKind::FALSE_:
    case TokenKind::RBRACKET:
    case TokenKind::INCREMENT:
    case TokenKind::DECREMENT:
    case TokenKind::PREDICATE_CLOSE: return false;
    case TokenKind::RPAREN: return closed_cast_;
    default: return true;
  }
}

// Whether a condition starts here: what stands in parentheses is most likely all of it.
bool ScanState::WantsCondition() const {
  return previous_ == TokenKind::IF || previous_ == TokenKind::IF_VALUE || previous_ == TokenKind::WHILE ||
         previous_ == TokenKind::FOR || previous_ == TokenKind::UNROLL;
}

// Whether a `{` or `if` here belongs to a statement and not to a value.
bool ScanState::AtStatement() const {
  return !WantsOperand() || WantsCondition() || previous_ == TokenKind::LBRACE || previous_ == TokenKind::BLOCK_OPEN ||
         previous_ == TokenKind::RBRACE || previous_ == TokenKind::SEMICOLON || previous_ == TokenKind::ELSE;
}

Token ScanState::Open(TokenKind kind) {
  if (kind == TokenKind::LPAREN) {
    ++parens_;
    const bool of_type = previous_ == TokenKind::SIZEOF || previous_ == TokenKind::OFFSETOF || previous_ == TokenKind::TYPEOF;
    if (of_type && StartsType(text_, end_, types_)) kind = TokenKind::TYPE_OPEN;
    if (!of_type && WantsOperand() && StartsCast(text_, end_, types_, WantsCondition())) kind = TokenKind::CAST_OPEN;
    casts_.push_back(kind == TokenKind::CAST_OPEN);
  }
  if (kind == TokenKind::LBRACE) {
    if (!AtStatement() && !(item_ == Item::Config && braces_ == 0)) kind = TokenKind::BLOCK_OPEN;
    if (kind == TokenKind::LBRACE && braces_ == 0) in_predicate_ = false;  // its closing `/` was forgotten
    ++braces_;
  }
  return Make(kind);
}

bool ScanState::Close(TokenKind kind) {
  if (kind == TokenKind::RPAREN) {
    if (parens_ > 0) --parens_;
    closed_cast_ = !casts_.empty() && casts_.back();
    if (!casts_.empty()) casts_.pop_back();
    return item_ == Item::LetMap && parens_ == 0 && braces_ == 0;
  }
  if (braces_ > 0) --braces_;
  return braces_ == 0 && !in_predicate_;
}

bool ScanState::EndsItem(TokenKind kind) const {
  if (braces_ > 0) return false;
  if (kind == TokenKind::STRING) return item_ == Item::Import;
  return item_ == Item::Import || item_ == Item::LetMap;
}

Token ScanState::Slash() {
  if (in_predicate_ && braces_ == 0) {
    const size_t next = SkipBlank(text_, end_);
    if (next < text_.size() && text_[next] == '{') {
      in_predicate_ = false;
      return Make(TokenKind::PREDICATE_CLOSE);
    }
  }
  return Make(TokenKind::SLASH);
}

}  // namespace kawk
