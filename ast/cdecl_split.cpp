// A header → its preprocessor lines and definitions of types, each with its place. Functions and variables are left out.
#include <cctype>

#include "ast/cdecl.h"

namespace kawk {
namespace {

class Splitter {
 public:
  Splitter(std::string_view text, uint32_t file) : text_(text), file_(file) {}

  std::vector<CDefinition> Run() {
    while (SkipBlank()) {
      begin_ = at_;
      begin_position_ = position_;
      if (Peek() == '#') {
        Directive();
        Add();
      } else if (Item()) {
        Add();
      }
    }
    return std::move(found_);
  }

 private:
  char Peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool AtEnd() const { return at_ >= text_.size(); }
  void Step() {
    const bool newline = text_[at_++] == '\n';
    position_ = newline ? Position{position_.line + 1, 1} : Position{position_.line, position_.column + 1};
  }

  // Behind a comment that begins here; false when none does.
  bool SkipComment() {
    if (Peek() != '/' || (Peek(1) != '/' && Peek(1) != '*')) return false;
    const bool line = Peek(1) == '/';
    Step();
    Step();
    while (!AtEnd() && !(line ? Peek() == '\n' : Peek() == '*' && Peek(1) == '/')) Step();
    for (int i = 0; i < 2 && !line && !AtEnd(); ++i) Step();
    return true;
  }

  bool SkipBlank() {
    while (!AtEnd() && (std::isspace(static_cast<unsigned char>(Peek())) != 0 || Peek() == ';' || SkipComment())) {
      if (!AtEnd() && (std::isspace(static_cast<unsigned char>(Peek())) != 0 || Peek() == ';')) Step();
    }
    return !AtEnd();
  }

  // To the end of the line, over continuations.
  void Directive() {
    for (; !AtEnd() && Peek() != '\n'; Step()) {
      if (Peek() == '/' && Peek(1) == '*') {
        SkipComment();
        if (AtEnd() || Peek() == '\n') return;
      }
      if (Peek() == '\\' && Peek(1) == '\n') Step();
    }
  }

  // To the `;` behind the item, or the `}` of a function's body. True: it may define a type.
  bool Item() {
    bool function = false;
    for (int depth = 0; !AtEnd();) {
      if (SkipComment()) continue;
      const char c = Peek();
      if (c == '"' || c == '\'') SkipString(c);
      if (depth == 0 && c == ')') function = true;
      if (c == '{' || c == '(') ++depth;
      if (c == '}' || c == ')') depth = std::max(0, depth - 1);
      if (c == '{' && depth == 1) body_in_function_ = function;
      Step();
      if (depth == 0 && (c == ';' || (c == '}' && body_in_function_))) break;
      if (c == ')' && depth == 0) function = true;
    }
    std::string_view item = text_.substr(begin_, at_ - begin_);
    const bool is_function = std::exchange(body_in_function_, false);
    for (const std::string_view word : {"struct", "union", "enum", "typedef"}) {
      if (!is_function && item.starts_with(word)) return true;
    }
    return false;
  }

  void SkipString(char quote) {
    for (Step(); !AtEnd() && Peek() != quote && Peek() != '\n'; Step()) {
      if (Peek() == '\\') Step();
    }
  }

  void Add() {
    const Location at{file_, begin_position_, position_};
    found_.push_back({at, std::string(text_.substr(begin_, at_ - begin_)), true});
  }

  std::string_view text_;
  uint32_t file_;
  size_t at_ = 0;
  size_t begin_ = 0;
  Position position_;
  Position begin_position_;
  bool body_in_function_ = false;
  std::vector<CDefinition> found_;
};

}  // namespace

std::vector<CDefinition> SplitHeader(std::string_view text, uint32_t file) { return Splitter(text, file).Run(); }

}  // namespace kawk
