// Script text → tokens. Context that needs no grammar (is this `/` a predicate or a division? is this word an attach
// point?) is decided here, from the tokens before it, so that the grammar stays free of it.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/diagnostics.h"
#include "lexer/token.h"

namespace kawk {

class Lexer {
 public:
  // `text` must outlive the lexer. `file` is its index in the SourceMap, for locations.
  Lexer(std::string_view text, uint32_t file, Diagnostics& diagnostics);
  ~Lexer();
  Lexer(const Lexer&) = delete;
  Lexer& operator=(const Lexer&) = delete;

  // The next token; END_OF_FILE for ever at the end. Bad input is reported and handed on as one INVALID token.
  Token Next();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kawk
