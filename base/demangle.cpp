#include "base/demangle.h"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>

namespace kawk {

namespace {

// Rust's older scheme is that of C++ with the path's last part a hash: "::h" and sixteen digits.
bool EndsWithHash(std::string_view name) {
  constexpr size_t kDigits = 16;
  const size_t at = name.rfind("::h");
  return at != std::string_view::npos && name.size() - at == kDigits + 3 &&
         name.find_first_not_of("0123456789abcdef", at + 3) == std::string_view::npos;
}

struct Escape {
  std::string_view written, meant;
};
constexpr Escape kEscapes[] = {{"$SP$", "@"},  {"$BP$", "*"},  {"$RF$", "&"},  {"$LT$", "<"},  {"$GT$", ">"},
                               {"$LP$", "("},  {"$RP$", ")"},  {"$C$", ","},   {"$u20$", " "}, {"$u22$", "\""},
                               {"$u27$", "'"}, {"$u2b$", "+"}, {"$u3b$", ";"}, {"$u5b$", "["}, {"$u5d$", "]"},
                               {"$u7b$", "{"}, {"$u7d$", "}"}, {"$u7e$", "~"}, {"..", "::"}};

std::string Unescape(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    // "_$LT$": the underscore only keeps the part from beginning with a dollar.
    if (name.starts_with("_$") && (out.empty() || out.ends_with("::"))) name.remove_prefix(1);
    bool found = false;
    for (const Escape& escape : kEscapes) {
      if (!name.starts_with(escape.written)) continue;
      out += escape.meant;
      name.remove_prefix(escape.written.size());
      found = true;
      break;
    }
    if (found) continue;
    out += name.front();
    name.remove_prefix(1);
  }
  return out;
}

}  // namespace

namespace {

// The place of the bracket that the one at the end of `text` closes; npos: there is none.
size_t OpeningOf(std::string_view text, char open, char close) {
  int depth = 0;
  for (size_t i = text.size(); i-- > 0;) {
    if (text[i] == close) ++depth;
    if (text[i] == open && --depth == 0) return i;
  }
  return std::string_view::npos;
}

}  // namespace

std::string WithoutParameters(const std::string& demangled) {
  std::string_view text = demangled;
  for (const std::string_view end : {" const", " volatile", " &", " &&"}) {
    if (text.ends_with(end) && text.size() > end.size()) text.remove_suffix(end.size());
  }
  if (!text.ends_with(')')) return demangled;
  const size_t open = OpeningOf(text, '(', ')');
  if (open == std::string_view::npos || open == 0) return demangled;
  text = text.substr(0, open);
  // Functions made from templates have their result in front.
  if (!text.ends_with('>') || text.ends_with("operator>") || text.ends_with("operator->")) return std::string(text);
  int depth = 0;
  for (size_t i = text.size(); i-- > 0;) {
    if (text[i] == '>' || text[i] == ')') ++depth;
    if (text[i] == '<' || text[i] == '(') --depth;
    if (text[i] == ' ' && depth == 0) return std::string(text.substr(i + 1));
  }
  return std::string(text);
}

std::string Demangle(const std::string& name, RustDemangler rust) {
  if (name.starts_with("_R") && rust != nullptr) {
    std::string text = rust(name);
    return text.empty() ? name : text;
  }
  if (!name.starts_with("_Z")) return name;
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), std::free);
  if (status != 0 || text == nullptr) return name;
  std::string demangled = text.get();
  if (!EndsWithHash(demangled)) return demangled;
  demangled.resize(demangled.rfind("::h"));
  return Unescape(demangled);
}

}  // namespace kawk
