// Directives and which definitions they leave; the definitions themselves are for CParser.
#include "ast/cdecl.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <memory>
#include <set>
#include <utility>

#include "ast/cdecl_parser.h"

namespace kawk {
namespace {

// Scripts ask for it, to leave out what the kernel's BTF knows better.
constexpr std::string_view kHaveBtf = "BPFTRACE_HAVE_BTF";

enum class Directive : uint8_t { None, If, Ifdef, Ifndef, Elif, Else, Endif, Define, Undef, Include, Error, Pragma, Other };
struct DirectiveRow {
  std::string_view name;
  Directive directive;
};
constexpr DirectiveRow kDirectives[] = {
    {"if", Directive::If},           {"ifdef", Directive::Ifdef},   {"ifndef", Directive::Ifndef}, {"elif", Directive::Elif},
    {"else", Directive::Else},       {"endif", Directive::Endif},   {"define", Directive::Define}, {"undef", Directive::Undef},
    {"include", Directive::Include}, {"pragma", Directive::Pragma}, {"warning", Directive::Other}, {"error", Directive::Error},
    {"line", Directive::Other},      {"import", Directive::Other},
};

// Where a token of a definition stands in the script.
Location LocationIn(const CDefinition& definition, const CToken& token) {
  Location at{definition.location.file, definition.location.begin, {}};
  const size_t begin = std::min(token.at, definition.text.size());
  for (const char c : definition.text.substr(0, begin)) {
    at.begin = c == '\n' ? Position{at.begin.line + 1, 1} : Position{at.begin.line, at.begin.column + 1};
  }
  at.end = {at.begin.line, at.begin.column + static_cast<uint32_t>(std::max<size_t>(token.text.size(), 1))};
  return at;
}

class Reader {
 public:
  Reader(const ScriptInput& input, TypeSource& source, Diagnostics& diagnostics)
      : input_(input), source_(source), diagnostics_(diagnostics) {
    defined_.emplace(kHaveBtf);
  }

  bool has_headers() const { return !left_.empty() || own_headers_; }
  std::string ReadHeaders();

  void Read(const CDefinition& definition) {
    std::vector<CToken> tokens = LexC(definition.text);
    if (tokens[0].text == "#") return ReadDirective(definition, std::move(tokens));
    if (!Active()) return;
    CParser parser(std::move(tokens), source_, packing_.back(), definition.optional);
    if (!parser.Definition() && !definition.optional) {
      diagnostics_.Emit(Diag::BadDefinition, LocationIn(definition, parser.guilty()), parser.error());
    }
  }

  // What is still open at the end of the script.
  void Finish() {
    for (const Branch& branch : branches_) {
      diagnostics_.EmitWithHint(Diag::BadDirective, branch.location, "`#endif` is missing", "this condition has no end");
    }
  }

 private:
  struct Branch {
    bool active;  // this one
    bool taken;   // this or one before it
    Location location;
  };

  bool Active() const {
    for (const Branch& branch : branches_) {
      if (!branch.active) return false;
    }
    return true;
  }

  void ReadDirective(const CDefinition& definition, std::vector<CToken> tokens) {
    Directive directive = Directive::None;
    for (const DirectiveRow& row : kDirectives) {
      if (tokens.size() > 1 && tokens[1].text == row.name) directive = row.directive;
    }
    const std::string name = tokens.size() > 2 ? tokens[2].text : "";
    const Location& at = definition.location;
    const bool inner = directive == Directive::Elif || directive == Directive::Else || directive == Directive::Endif;
    if (inner && branches_.empty()) {
      diagnostics_.Emit(Diag::BadDirective, at, fmt::format("`#{}` without an `#if`", tokens[1].text));
      return;
    }
    switch (directive) {
      case Directive::Ifdef: return Open(at, defined_.contains(name));
      case Directive::Ifndef: return Open(at, !defined_.contains(name));
      case Directive::If: return Open(at, Holds(tokens));
      case Directive::Elif:
        branches_.back().active = !branches_.back().taken && Holds(tokens);
        branches_.back().taken |= branches_.back().active;
        return;
      case Directive::Else: branches_.back().active = !std::exchange(branches_.back().taken, true); return;
      case Directive::Endif: branches_.pop_back(); return;
      case Directive::Define:
        if (Active() && !name.empty()) Define(name, {tokens.begin() + 3, tokens.end()}, definition.text);
        return;
      case Directive::Undef:
        if (Active() && !filling_) defined_.erase(name), source_.Undefine(name);
        return;
      case Directive::Include:
        if (Active()) Include(tokens, definition);
        return;
      case Directive::Error:
        if (Active()) diagnostics_.Emit(Diag::BadDirective, at, "the script says `#error`");
        return;
      case Directive::Pragma:
        if (Active()) Pragma(tokens);
        return;
      case Directive::Other: return;
      case Directive::None:
        if (Active() && tokens.size() > 2) {
          diagnostics_.Emit(Diag::BadDirective, at, fmt::format("`#{}` is no directive", tokens[1].text));
        }
    }
  }

  // `#pragma pack(push, 1)`, `pack(2)`, `pack()`, `pack(pop)`.
  void Pragma(const std::vector<CToken>& tokens) {
    if (tokens.size() < 4 || tokens[2].text != "pack" || tokens[3].text != "(") return;
    uint32_t most = 0;
    bool push = false, pop = false;
    for (size_t i = 4; i < tokens.size(); ++i) {
      push |= tokens[i].text == "push";
      pop |= tokens[i].text == "pop";
      if (tokens[i].kind == CToken::Number) most = static_cast<uint32_t>(std::strtoul(tokens[i].text.c_str(), nullptr, 0));
    }
    if (push) packing_.push_back(packing_.back());
    if (pop && packing_.size() > 1) packing_.pop_back();
    if (!pop && (most != 0 || !push)) packing_.back() = most;
  }

  // A header of the user's own. One in quotes that is nowhere is an error, unless it looks like the kernel's.
  void Include(const std::vector<CToken>& tokens, const CDefinition& definition) {
    const bool quoted = tokens.size() > 2 && tokens[2].kind == CToken::String;
    std::string name;
    for (size_t i = 2; i < tokens.size(); ++i) {
      if (quoted || (tokens[i].text != "<" && tokens[i].text != ">")) name += tokens[i].text;
    }
    if (name.empty() || !input_.find_header) return;
    const std::optional<IncludedHeader> header = input_.find_header(name, quoted, definition.location.file);
    if (!header) {
      const std::string written = quoted ? "\"" + name + "\"" : "<" + name + ">";
      for_headers_ += fmt::format("#if __has_include({0})\n#include {0}\n#else\n#define {1}{2} 1\n#endif\n", written, kNoHeader,
                                  left_.size());
      left_.push_back(name);
      if (quoted && name.find('/') == std::string::npos) {
        diagnostics_.EmitWithHint(Diag::HeaderMissing, definition.location, "-I FOLDER says where to look", name);
      }
      return;
    }
    if (depth_ == 0) {  // what the own parser does not understand is for libclang, too
      for_headers_ += fmt::format("#include \"{}\"\n", header->path);
      own_headers_ = true;
    }
    if (depth_ == kMostDepth || ++headers_ > kMostHeaders) {
      diagnostics_.Emit(Diag::HeaderMissing, definition.location, name + "` within `" + name);
      return;
    }
    ++depth_;
    for (const CDefinition& inner : SplitHeader(header->text, header->file)) Read(inner);
    --depth_;
  }

  void Open(const Location& at, bool active) { branches_.push_back({active, active, at}); }

  // `#if`: `defined(X)` becomes a number, the rest is an expression; what cannot be told does not hold.
  bool Holds(const std::vector<CToken>& tokens) {
    std::vector<CToken> expression;
    for (size_t i = 2; i < tokens.size(); ++i) {
      if (tokens[i].text != "defined") {
        expression.push_back(tokens[i]);
        continue;
      }
      const bool parens = i + 1 < tokens.size() && tokens[i + 1].text == "(";
      i = std::min(i + (parens ? 2 : 1), tokens.size() - 1);
      expression.push_back({CToken::Number, defined_.contains(tokens[i].text) ? "1" : "0"});
      if (parens) ++i;
    }
    if (expression.empty() || expression.back().kind != CToken::End) expression.emplace_back();
    return CParser(std::move(expression), source_).Constant().value_or(0) != 0;
  }

  // What is no constant and no type is expanded where it is used.
  void Define(const std::string& name, std::vector<CToken> value, std::string_view text) {
    defined_.insert(name);
    if (!filling_) source_.Undefine(name);
    if (!filling_ && depth_ == 0) for_headers_ += std::string(text) + "\n";
    CMacro macro;
    macro.text = BehindName(text, name);
    if (macro.text.starts_with('(')) {
      if (!TakeParameters(value, macro)) return;
    } else if (const std::optional<std::string> string = JoinStrings(value)) {
      return source_.DefineConstant(name, {.string = *string});
    } else if (const std::optional<__int128> number = CParser(value, source_).Constant()) {
      return source_.DefineConstant(name, {.value = *number});
    } else if (const Type* type = CParser(value, source_).TypeName()) {
      return source_.Define(name, type);
    }
    while (macro.text.starts_with(' ') || macro.text.starts_with('\t')) macro.text.erase(0, 1);
    if (!macro.text.empty()) source_.DefineMacro(name, std::move(macro));
  }

  // The text behind the name, on one line.
  static std::string BehindName(std::string_view text, const std::string& name) {
    const size_t define = text.find("define") + std::string_view("define").size();
    std::string rest;
    for (size_t at = text.find(name, define) + name.size(); at < text.size(); ++at) {
      const bool continued = text.substr(at).starts_with("\\\n");
      rest += continued ? ' ' : text[at];
      if (continued) ++at;
    }
    while (!rest.empty() && std::isspace(static_cast<unsigned char>(rest.back())) != 0) rest.pop_back();
    return rest;
  }

  // `(a, b)` in front of a macro's text.
  static bool TakeParameters(const std::vector<CToken>& tokens, CMacro& macro) {
    macro.takes_arguments = true;
    size_t at = 1;
    for (; at < tokens.size() && tokens[at].text != ")"; ++at) {
      if (tokens[at].kind == CToken::Word) {
        macro.params.push_back(tokens[at].text);
      } else if (tokens[at].text != ",") {
        return false;  // `...`
      }
    }
    macro.text.erase(0, macro.text.find(')') + 1);
    return at < tokens.size();
  }

  // "one" "two"
  static std::optional<std::string> JoinStrings(const std::vector<CToken>& tokens) {
    std::string text;
    if (tokens[0].kind != CToken::String) return std::nullopt;
    for (const CToken& token : tokens) {
      if (token.kind != CToken::String && token.kind != CToken::End) return std::nullopt;
      text += token.text;
    }
    return text;
  }

  inline static const std::string kNoHeader = "KAWK_NO_HEADER_";
  static constexpr int kMostDepth = 50;
  static constexpr int kMostHeaders = 5000;

  const ScriptInput& input_;
  TypeSource& source_;
  Diagnostics& diagnostics_;
  int depth_ = 0;
  int headers_ = 0;
  std::string for_headers_;        // what libclang is given, should a name be missing
  std::vector<std::string> left_;  // headers in it
  bool own_headers_ = false;       // some of the user's are in it, too
  bool filling_ = false;           // reading what it made of that
  std::set<std::string, std::less<>> defined_;
  std::vector<Branch> branches_;
  std::vector<uint32_t> packing_ = {0};  // #pragma pack: the largest alignment of fields; 0: their own
};

// The headers that Include left, by libclang. What is said when a name is still unknown then.
std::string Reader::ReadHeaders() {
  const Result<HeaderDeclarations> headers = input_.read_headers(for_headers_);
  if (!headers) {
    const Error& error = headers.error();
    return error.hint.empty() ? error.message : error.message + "; " + error.hint;
  }
  filling_ = true;
  source_.FillOnly(true);
  DefineHeaderTypes(*headers, source_);
  for (const std::string& define : headers->defines) Read({Location{}, define, true});
  source_.FillOnly(false);
  filling_ = false;
  std::string missing;
  for (size_t i = 0; i < left_.size(); ++i) {
    if (defined_.contains(kNoHeader + std::to_string(i))) missing += fmt::format("{}`{}`", missing.empty() ? "" : ", ", left_[i]);
  }
  return missing.empty() ? headers->problem : fmt::format("not installed: {}", missing);
}

}  // namespace

void ReadCDefinitions(const std::vector<CDefinition>& definitions, const ScriptInput& input, TypeSource& source,
                      Diagnostics& diagnostics) {
  const auto reader = std::make_shared<Reader>(input, source, diagnostics);
  for (const CDefinition& definition : definitions) reader->Read(definition);
  reader->Finish();
  if (reader->has_headers() && input.read_headers) source.OnMissing([reader] { return reader->ReadHeaders(); });
}

}  // namespace kawk
