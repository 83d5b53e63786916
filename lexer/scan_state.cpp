#include "lexer/scan_state.h"

#include "lexer/literals.h"

namespace kawk {

void ScanState::Advance(int length) {
  begin_ = end_;
  begin_position_ = position_;
  Trim(length);
}

void ScanState::Trim(int length) {
  end_ = begin_;
  position_ = begin_position_;
  for (const char c : text_.substr(begin_, static_cast<size_t>(length))) {
    if (c == '\n') {
      ++position_.line;
      position_.column = 1;
    } else {
      ++position_.column;
    }
  }
  end_ += static_cast<size_t>(length);
}

Token ScanState::MakeAt(TokenKind kind, const Location& location, std::string text) {
  previous_ = kind;
  Token token{};
  token.kind = kind;
  token.location = location;
  token.text = std::move(text);
  return token;
}

Token ScanState::Make(TokenKind kind) {
  if (kind == TokenKind::END_OF_FILE) return MakeAt(kind, Location{file_, position_, position_}, "");
  return MakeAt(kind, Here(), std::string(text()));
}

Token ScanState::Word(TokenKind keyword) {
  const bool name = AfterDot() || previous_ == TokenKind::STRUCT || previous_ == TokenKind::UNION || previous_ == TokenKind::ENUM;
  return Make(name ? TokenKind::IDENT : keyword);
}

Token ScanState::If() { return Word(AtStatement() ? TokenKind::IF : TokenKind::IF_VALUE); }

Token ScanState::Integer(std::string_view text) {
  const std::string written(text);
  Token token{};
  if (AfterDot()) {  // a tuple's index: just its digits
    return Make(TokenKind::INTEGER);
  }
  token = Make(TokenKind::INTEGER);
  switch (ParseInteger(written, &token.integer)) {
    case IntegerError::None: break;
    case IntegerError::Malformed:
      Report(Diag::BadInteger, token.location,
             "write `10`, `0x1f`, `017`, `1_000` or `1e6`, with ns, us, ms, s, m, h or d behind it for a duration", written);
      break;
    case IntegerError::OutOfRange:
      Report(Diag::IntegerOutOfRange, token.location, "the largest is 18446744073709551615", written);
      break;
  }
  return token;
}

Token ScanState::Character(std::string_view text) {
  Token token = Make(TokenKind::INTEGER);
  const std::string_view inside = text.substr(1, text.size() - 2);
  int value = -1;
  if (inside.size() == 1) value = static_cast<unsigned char>(inside[0]);
  if (inside.size() > 1 && inside[0] == '\\') value = ParseEscape(inside.substr(1));
  if (value < 0) {
    Report(Diag::BadCharacterLiteral, token.location, "strings are written with double quotes", text);
    return token;
  }
  token.integer = static_cast<uint64_t>(value);
  return token;
}

Token ScanState::Positional(std::string_view text) {
  Token token = Make(TokenKind::POSITIONAL);
  if (text == "$#") return token;
  if (ParseInteger(text.substr(text.find_first_not_of("$0") == std::string_view::npos ? 1 : text.find_first_not_of("$0")),
                   &token.integer) != IntegerError::None ||
      token.integer == 0 || token.integer > UINT32_MAX) {
    Report(Diag::BadPositional, token.location, "the first parameter is `$1`, their number is `$#`", text);
    token.integer = 1;
  }
  return token;
}

Token ScanState::BadCharacter(std::string_view text) {
  const auto byte = static_cast<unsigned char>(text[0]);
  const bool quote = text.starts_with("\xE2\x80\x98") || text.starts_with("\xE2\x80\x99") || text.starts_with("\xE2\x80\x9C") ||
                     text.starts_with("\xE2\x80\x9D");
  std::string shown(1, text[0]);
  if (byte < 0x20 || byte >= 0x7f) shown = fmt::format("\\x{:02x}", byte);
  if (byte >= 0xc2) {  // one whole UTF-8 character, when it is one
    size_t size = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    bool whole = text.size() >= size;
    for (size_t i = 1; whole && i < size; ++i) whole = (static_cast<unsigned char>(text[i]) & 0xc0) == 0x80;
    if (whole) shown = text.substr(0, size);
  }
  std::string hint;
  if (quote) hint = "strings are written with plain double quotes";
  if (byte == '\'') hint = "strings are written with double quotes";
  if (byte == '#') hint = "preprocessor lines stand outside of probes";
  if (byte == '$') hint = "variables are `$name`, positional parameters `$1`, their number `$#`";
  Report(Diag::UnexpectedCharacter, Here(), std::move(hint), shown);
  return Make(TokenKind::INVALID);
}

void ScanState::BeginString() {
  open_ = Here();
  string_.clear();
}

void ScanState::AppendEscape(std::string_view escape) {
  const int value = ParseEscape(escape.substr(1));
  if (value >= 0) {
    string_ += static_cast<char>(value);
    return;
  }
  Location at = Here();
  const auto byte = static_cast<unsigned char>(escape[1]);
  const std::string shown = byte < 0x20 || byte >= 0x7f ? fmt::format("\\x{:02x}", byte) : std::string(1, escape[1]);
  Report(Diag::BadEscape, at, R"(the escapes are \n \t \r \e \\ \" \' \0nn and \xNN; a backslash itself is \\)", shown);
}

Token ScanState::EndString() { return MakeAt(TokenKind::STRING, Span(open_, Here()), std::move(string_)); }

Token ScanState::UnterminatedString() {
  const Location at{file_, open_.begin, position_};
  Report(Diag::UnterminatedString, at, "");
  return MakeAt(TokenKind::INVALID, at, "");
}

void ScanState::UnterminatedComment() { Report(Diag::UnterminatedComment, open_, ""); }

}  // namespace kawk
