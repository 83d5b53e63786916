// ParseSignature: the small language of the signature column, as described on top of functions.def. The rows are ours, so
// whatever does not parse is a bug of ours and a CHECK; a test parses every row.
#include <algorithm>
#include <cctype>
#include <iterator>

#include "base/check.h"
#include "stdlib/registry.h"

namespace kawk {
namespace {

struct ClassName {
  std::string_view name;
  ParamClass value;
};
constexpr ClassName kClassNames[] = {
    {"int", kInt}, {"const_int", kConstInt}, {"str", kStr}, {"literal", kLiteral}, {"bool", kBool}, {"ptr", kPtr},
    {"map", kMap}, {"stack", kStack},        {"any", kAny}, {"type", kType},
};

class SignatureParser {
 public:
  explicit SignatureParser(std::string_view text) : rest_(text) {}

  Signature Parse() {
    Signature signature;
    Expect("(");
    if (!Take(")")) {
      do {
        CHECK(!signature.variadic);  // `...any` comes last
        ParseParam(signature);
      } while (Take(","));
      Expect(")");
    }
    SkipSpaces();
    signature.result = std::string(rest_);
    CHECK(!signature.result.empty());
    CHECK(!std::isspace(static_cast<unsigned char>(signature.result.back())));
    return signature;
  }

 private:
  void ParseParam(Signature& signature) {
    if (Take("...")) {
      const uint16_t classes = ParseClasses();
      CHECK(classes == kAny);  // Signature has no room for a narrower tail
      signature.variadic = true;
      return;
    }
    Param param;
    param.optional = Take("[");
    param.name = std::string(Word());
    Expect(":");
    param.classes = ParseClasses();
    if (param.optional) Expect("]");
    if (!signature.params.empty()) CHECK(param.optional || !signature.params.back().optional);
    for (const Param& other : signature.params) CHECK(other.name != param.name);
    signature.params.push_back(std::move(param));
  }

  uint16_t ParseClasses() {
    uint16_t classes = 0;
    do {
      const std::string_view word = Word();
      const auto* found =
          std::find_if(std::begin(kClassNames), std::end(kClassNames), [&](const ClassName& c) { return c.name == word; });
      CHECK(found != std::end(kClassNames));
      CHECK((classes & found->value) == 0);
      classes = static_cast<uint16_t>(classes | found->value);
    } while (Take("|"));
    return classes;
  }

  std::string_view Word() {
    SkipSpaces();
    size_t length = 0;
    while (length < rest_.size() && (std::isalnum(static_cast<unsigned char>(rest_[length])) || rest_[length] == '_')) ++length;
    CHECK(length > 0);
    const std::string_view word = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return word;
  }

  bool Take(std::string_view token) {
    SkipSpaces();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  void Expect(std::string_view token) {
    const bool taken = Take(token);
    CHECK(taken);
  }

  void SkipSpaces() {
    while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
  }

  std::string_view rest_;
};

}  // namespace

Signature ParseSignature(std::string_view text) { return SignatureParser(text).Parse(); }

}  // namespace kawk
