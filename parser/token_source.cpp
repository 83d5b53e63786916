#include "parser/token_source.h"

namespace kawk {
namespace {

bool StartsItem(TokenKind kind) {
  switch (kind) {
    case TokenKind::C_DEFINITION:
    case TokenKind::CONFIG:
    case TokenKind::IMPORT:
    case TokenKind::LET_MAP:
    case TokenKind::MACRO:
    case TokenKind::PROBE_NAME:
    case TokenKind::ATTACH_POINT:
    case TokenKind::END_OF_FILE: return true;
    default: return false;
  }
}

bool IsBrace(TokenKind kind) { return kind == TokenKind::LBRACE || kind == TokenKind::BLOCK_OPEN; }

bool IsOpening(TokenKind kind) {
  return IsBrace(kind) || kind == TokenKind::LPAREN || kind == TokenKind::CAST_OPEN || kind == TokenKind::TYPE_OPEN ||
         kind == TokenKind::LBRACKET;
}

}  // namespace

TokenSource::TokenSource(std::string_view text, uint32_t file, Diagnostics& diagnostics)
    : lexer_(text, file, diagnostics), diagnostics_(diagnostics) {}

void TokenSource::Pop() {
  if (IsBrace(context_.brackets.back().kind)) --braces_;
  context_.brackets.pop_back();
}

// Everything that is open inside of the innermost brace.
void TokenSource::PopToBrace() {
  while (!context_.brackets.empty() && !IsBrace(context_.brackets.back().kind)) Pop();
}

Token TokenSource::Read() {
  if (ahead_) {
    Token token = std::move(*ahead_);
    ahead_.reset();
    return token;
  }
  return lexer_.Next();
}

Token TokenSource::Next() {
  if (started_) Track(context_.guilty);
  started_ = true;
  context_.before_previous = std::move(context_.previous);
  context_.previous = context_.guilty;
  if (stopped_) {
    context_.guilty.kind = TokenKind::END_OF_FILE;
  } else {
    context_.guilty = resync_ ? Resync() : Read();
  }
  resync_ = false;
  if (IsOpening(context_.guilty.kind) && context_.brackets.size() >= kMaxNesting) {
    StopTooDeep(context_.guilty.location);
    context_.guilty.kind = TokenKind::END_OF_FILE;
  }
  return context_.guilty;
}

void TokenSource::Track(const Token& token) {
  auto& brackets = context_.brackets;
  if (IsOpening(token.kind)) {
    const bool header = token.kind == TokenKind::LPAREN && context_.previous.kind == TokenKind::FOR;
    brackets.push_back({token.kind, token.location, header});
    if (IsBrace(token.kind)) ++braces_;
    if (token.kind == TokenKind::LBRACE) context_.in_predicate = context_.in_header = false;
    return;
  }
  switch (token.kind) {
    case TokenKind::ATTACH_POINT: context_.in_header = true; break;
    case TokenKind::RPAREN:
    case TokenKind::RBRACKET:
      if (!brackets.empty() && !IsBrace(brackets.back().kind)) Pop();
      break;
    case TokenKind::RBRACE:  // what is still open inside of the block was reported or will be
      PopToBrace();
      if (!brackets.empty()) Pop();
      context_.in_header = false;
      break;
    case TokenKind::SEMICOLON:
      context_.in_header = false;
      PopToBrace();
      break;
    case TokenKind::PREDICATE_OPEN:
      context_.in_predicate = true;
      context_.in_header = false;
      break;
    case TokenKind::PREDICATE_CLOSE: context_.in_predicate = false; break;
    default: break;
  }
}

// Whether the grammar's error productions go on with the guilty token itself.
bool TokenSource::IsFreshStart() const {
  const TokenKind kind = context_.guilty.kind;
  if (kind == TokenKind::END_OF_FILE) return true;
  if (resync_braces_ > 0) return kind == TokenKind::SEMICOLON || kind == TokenKind::RBRACE;
  if (context_.in_predicate) return kind == TokenKind::PREDICATE_CLOSE || kind == TokenKind::LBRACE;
  return !context_.in_header && StartsItem(kind);
}

void TokenSource::SyntaxError(const TokenSet& expected) {
  const Token& guilty = context_.guilty;
  if (stopped_ || (last_error_ && *last_error_ == guilty.location)) return;
  // `kprobe:{a,b} { … }`: the body behind what was taken for a body.
  const bool echo = guilty.kind == TokenKind::LBRACE && context_.previous.kind == TokenKind::RBRACE && last_error_ &&
                    last_error_->begin.line == guilty.location.begin.line;
  last_error_ = guilty.location;
  resync_braces_ = braces_;
  resync_ = !IsFreshStart();
  if (guilty.kind == TokenKind::INVALID || echo) return;  // it has been said
  diagnostics_.EmitWithHint(Diag::Syntax, guilty.location, HintFor(expected, context_), DescribeSyntaxError(expected, context_));
  if (++errors_ >= kMaxErrors) stopped_ = true;
}

bool TokenSource::KeepsGuilty() const { return StartsItem(context_.guilty.kind); }

void TokenSource::StopTooDeep(const Location& location) {
  if (!too_deep_) diagnostics_.Emit(Diag::NestedTooDeep, location, kMaxNesting);
  stopped_ = true;
  too_deep_ = true;
}

// The token where parsing goes on. Blocks inside of what is skipped are skipped as a whole; a statement that ends with
// one gets the `;` that it does not need.
Token TokenSource::Resync() {
  if (resync_braces_ == 0) return ResyncRoot();
  for (;;) {
    Token token = Read();
    const bool level = braces_ == resync_braces_;
    if (token.kind == TokenKind::END_OF_FILE) return token;
    if (level && token.kind == TokenKind::RBRACE) return token;
    const bool header = !context_.brackets.empty() && context_.brackets.back().for_header;
    if (level && token.kind == TokenKind::SEMICOLON && !header) return token;
    if (token.kind == TokenKind::SEMICOLON && header) continue;
    Track(token);
    context_.previous = token;
    if (token.kind != TokenKind::RBRACE || braces_ != resync_braces_ || !IsBrace(context_.brackets.back().kind)) continue;
    ahead_ = Read();
    if (ahead_->kind == TokenKind::ELSE) continue;
    if (ahead_->kind == TokenKind::SEMICOLON) return Read();
    token.kind = TokenKind::SEMICOLON;
    return token;
  }
}

Token TokenSource::ResyncRoot() {
  for (;;) {
    Token token = Read();
    if (token.kind == TokenKind::END_OF_FILE) return token;
    if (braces_ == 0) {
      if (StartsItem(token.kind) && !context_.in_header) return token;
      if (context_.in_header && token.kind == TokenKind::LBRACE) return token;
      if (context_.in_predicate && (token.kind == TokenKind::PREDICATE_CLOSE || token.kind == TokenKind::LBRACE)) return token;
    }
    Track(token);
    context_.previous = token;
  }
}

}  // namespace kawk
