// The Lexer is a thin owner of the generated scanner; the rules are in lexer.l and what they need to know of the past in
// scan_state.cpp.
#include "lexer/lexer.h"

#include <algorithm>
#include <optional>
#include <string>

#include "base/check.h"
#include "lexer/scan_state.h"
#include "lexer/scanner.h"

kawk::Token kawk_scan(yyscan_t scanner);

namespace kawk {

struct Lexer::Impl {
  Impl(std::string_view text, uint32_t file, Diagnostics& diagnostics) : state(text, file, diagnostics) {
    CHECK(kawk_lex_init_extra(&state, &scanner) == 0);
    // flex starts a token anew at each NUL in it. Another byte that no rule takes stands for it; texts and messages come
    // from the original.
    std::string copy(text);
    if (copy.starts_with(kByteOrderMark)) copy.replace(0, kByteOrderMark.size(), kByteOrderMark.size(), ' ');
    std::replace(copy.begin(), copy.end(), '\0', '\x01');
    kawk__scan_bytes(copy.data(), static_cast<int>(copy.size()), scanner);
  }
  ~Impl() { kawk_lex_destroy(scanner); }

  ScanState state;
  yyscan_t scanner = nullptr;
  std::optional<Token> end;  // once reached: flex must not be asked again
};

Lexer::Lexer(std::string_view text, uint32_t file, Diagnostics& diagnostics)
    : impl_(std::make_unique<Impl>(text, file, diagnostics)) {}
Lexer::~Lexer() = default;

Token Lexer::Next() {
  if (impl_->end) return *impl_->end;
  Token token = kawk_scan(impl_->scanner);
  if (token.kind == TokenKind::END_OF_FILE) impl_->end = token;
  return token;
}

}  // namespace kawk
