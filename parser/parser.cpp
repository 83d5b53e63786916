#include "parser/parser.h"

#include "parser/builder.h"
#include "parser/grammar.h"
#include "parser/token_source.h"

namespace kawk {

std::unique_ptr<Ast> Parse(const SourceMap& sources, uint32_t file, Diagnostics& diagnostics) {
  auto ast = std::make_unique<Ast>();
  TokenSource tokens(sources.text(file), file, diagnostics);
  Builder build(*ast, tokens);
  Grammar(tokens, build).parse();
  // What was built may be too high even to be dumped.
  if (tokens.too_deep()) return std::make_unique<Ast>();
  return ast;
}

}  // namespace kawk
