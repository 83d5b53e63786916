#include "lexer/token.h"

#include <array>

namespace kawk {
namespace {

constexpr std::array kDescriptions = {
#define TOKEN(id, description) std::string_view(description),
#include "lexer/tokens.def"
};

}  // namespace

std::string_view Describe(TokenKind kind) { return kDescriptions[static_cast<size_t>(kind)]; }

}  // namespace kawk
