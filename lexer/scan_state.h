// What the scanner remembers between tokens: where it is, and just enough of the past to tell apart the characters that
// have two meanings. Private to lexer/: the rules in lexer.l call these, one call each where possible.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostics.h"
#include "lexer/lookahead.h"
#include "lexer/token.h"

namespace kawk {

inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

class ScanState {
 public:
  ScanState(std::string_view text, uint32_t file, Diagnostics& diagnostics)
      : text_(text), file_(file), diagnostics_(diagnostics) {}

  // The kind of root item being read; it says where the item ends and the root begins again.
  enum class Item : uint8_t { Probe, Config, Import, LetMap, Macro };

  // Called by flex before each action: `length` more characters are read.
  void Advance(int length);
  // The current match, as written.
  std::string_view text() const { return text_.substr(begin_, end_ - begin_); }
  // Gives back all but the first `length` characters of the match.
  void Trim(int length);

  // The current match as a token.
  Token Make(TokenKind kind);
  Token Word(TokenKind keyword);  // after `.`, `->` and `struct` every word is a name
  Token If();
  Token Integer(std::string_view text);
  Token Character(std::string_view text);
  Token Positional(std::string_view text);
  Token BadCharacter(std::string_view text);

  // A string is read in pieces.
  void BeginString();
  void AppendString(std::string_view text) { string_ += text; }
  void AppendEscape(std::string_view escape);
  Token EndString();
  Token UnterminatedString();

  void BeginComment() { open_ = Here(); }
  void UnterminatedComment();

  // A C definition is read in pieces, too. Each returns whether the definition ends here.
  void BeginDefinition();
  bool DefinitionBrace(bool open);
  bool DefinitionSemicolon() const { return braces_ == 0; }
  Token EndDefinition(bool closed);
  Token Preprocessor();

  // Root items. The root is left with BeginItem; true from the others means that the item has ended.
  Token BeginItem(Item item, TokenKind kind);
  Token AttachPoint(TokenKind kind, std::string_view text);
  void BeginPredicate();
  Token Open(TokenKind kind);
  bool Close(TokenKind kind);
  bool EndsItem(TokenKind kind) const;
  // A `/`: the end of the predicate when a `{` comes next.
  Token Slash();
  bool AfterDot() const { return previous_ == TokenKind::DOT || previous_ == TokenKind::ARROW; }
  bool AtStart() const { return begin_ == (text_.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0); }
  // So many errors that the rest is hardly a script: the scanner stops.
  bool GivesUp() const { return errors_ >= kMaxErrors; }

 private:
  static constexpr int kMaxErrors = 20;

  Location Here() const { return Location{file_, begin_position_, position_}; }
  Token MakeAt(TokenKind kind, const Location& location, std::string text);
  bool WantsOperand() const;
  bool WantsCondition() const;
  bool AtStatement() const;
  template <class... Args>
  void Report(Diag id, const Location& location, std::string hint, const Args&... args) {
    if (!GivesUp()) diagnostics_.EmitWithHint(id, location, std::move(hint), args...);
    ++errors_;
  }

  std::string_view text_;
  uint32_t file_;
  Diagnostics& diagnostics_;
  int errors_ = 0;

  size_t begin_ = 0;  // of the current match
  size_t end_ = 0;
  Position begin_position_;
  Position position_;

  Location open_;        // where the string, comment or C definition began
  size_t open_at_ = 0;   // and its offset
  size_t body_end_ = 0;  // behind the last `}` of a C definition
  Position body_end_position_;
  bool typedef_ = false;
  std::string string_;
  TypeNames types_;

  Item item_ = Item::Probe;
  TokenKind previous_ = TokenKind::END_OF_FILE;
  bool in_predicate_ = false;
  int braces_ = 0;
  int parens_ = 0;            // only `let @m = …(…)` needs them
  std::vector<bool> casts_;   // of the parentheses open here: whether they hold the type of a cast
  bool closed_cast_ = false;  // of the last `)`
};

}  // namespace kawk
