// Between the lexer and bison: hands the tokens on, knows which brackets are open, and after a syntax error skips to
// where parsing can start afresh (behind the statement's `;`, before the block's `}`, at the next root item), so that
// one run shows several errors and none of them is an echo.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/diagnostics.h"
#include "lexer/lexer.h"
#include "parser/syntax_error.h"

namespace kawk {

// How deep brackets may nest and how high a tree may grow: every walk over the tree is recursive.
inline constexpr int kMaxNesting = 500;

class TokenSource {
 public:
  TokenSource(std::string_view text, uint32_t file, Diagnostics& diagnostics);

  Token Next();
  // The last token handed out does not fit.
  void SyntaxError(const TokenSet& expected);
  // After an error at the root: can the guilty token start an item?
  bool KeepsGuilty() const;
  // No more tokens: the tree would get too high at `location`.
  void StopTooDeep(const Location& location);
  bool too_deep() const { return too_deep_; }

 private:
  static constexpr int kMaxErrors = 20;

  Token Read();
  Token Resync();
  Token ResyncRoot();
  void Track(const Token& token);
  bool IsFreshStart() const;
  void Pop();
  void PopToBrace();

  Lexer lexer_;
  Diagnostics& diagnostics_;
  std::optional<Token> ahead_;
  ErrorContext context_;  // context_.guilty is the last token handed out; it is tracked when the next is asked for
  bool started_ = false;
  bool resync_ = false;
  int braces_ = 0;  // among context_.brackets
  int resync_braces_ = 0;
  bool stopped_ = false;
  bool too_deep_ = false;
  int errors_ = 0;
  std::optional<Location> last_error_;
};

}  // namespace kawk
