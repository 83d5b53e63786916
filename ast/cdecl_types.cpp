// Declarations of C: specifiers, declarators, bodies; and where the compiler of x86-64 and arm64 puts fields.
#include <algorithm>
#include <array>

#include "ast/cdecl_parser.h"

namespace kawk {
namespace {

constexpr std::array<std::string_view, 8> kQualifiers = {"const",  "volatile", "static",   "extern",
                                                         "inline", "restrict", "__signed", "__extension__"};
constexpr uint32_t kLargestAlignment = 16;  // of `aligned` alone
constexpr uint32_t kMostAlignment = 1u << 16;
constexpr int64_t kMostElements = 1 << 24;  // of an array; sizes in bytes have 32 bits
constexpr std::array<std::string_view, 3> kTags = {"struct", "union", "enum"};

template <size_t N>
bool Contains(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

uint64_t RoundUp(uint64_t n, uint64_t to) { return (n + to - 1) / to * to; }

}  // namespace

bool CParser::FailAt(const CToken& token, std::string what) {
  if (error_.empty()) {
    error_ = std::move(what);
    guilty_ = token;
  }
  return false;
}

// Behind the `close` that belongs to an `open` just taken.
void CParser::SkipTo(std::string_view open, std::string_view close) {
  for (int depth = 1; depth > 0 && Peek().kind != CToken::End;) {
    if (Take(open)) {
      ++depth;
    } else if (Take(close)) {
      --depth;
    } else {
      Next();
    }
  }
}

void CParser::SkipParens() {
  if (Take("(")) SkipTo("(", ")");
}

void CParser::SkipAttributes() {
  while (Take("__attribute__") || Take("__attribute")) {
    for (size_t i = 0, depth = 0; Peek(i).kind != CToken::End; ++i) {
      const std::string& word = Peek(i).text;
      depth += word == "(" ? 1u : 0u;
      if (word == ")" && --depth == 0) break;
      packed_ |= word == "packed" || word == "__packed__";
      if (word == "aligned" || word == "__aligned__") aligned_ = std::max(aligned_, AlignmentAt(i + 1));
    }
    SkipParens();
  }
}

// What `aligned(n)` asks for: n stands there as a number; without one it is the most that the machine knows.
uint32_t CParser::AlignmentAt(size_t ahead) const {
  if (Peek(ahead).text != "(") return kLargestAlignment;
  std::vector<CToken> number;
  for (size_t i = ahead + 1; Peek(i).kind != CToken::End && Peek(i).text != ")"; ++i) number.push_back(Peek(i));
  number.emplace_back();
  const __int128 value = CParser(std::move(number), source_).Constant().value_or(0);
  const bool fine = value > 0 && value <= kMostAlignment && (value & (value - 1)) == 0;
  return fine ? static_cast<uint32_t>(value) : 0;
}

// The words in front of a declarator.
const Type* CParser::Specifiers(bool* is_char) {
  std::string words;
  CToken first = Peek();
  for (;;) {
    SkipAttributes();
    const CToken& token = Peek();
    if (words.empty()) first = token;
    if (token.kind != CToken::Word) break;
    if (Contains(kQualifiers, token.text)) {
      Next();
      continue;
    }
    if (Contains(kTags, token.text) && words.empty()) {
      const Type* type = Tagged(Next().text);
      while (Contains(kQualifiers, Peek().text)) Next();
      return type;
    }
    // The last word is the declarator's name, unless it is a type itself.
    const std::string longer = words.empty() ? token.text : words + " " + token.text;
    if (!words.empty() && source_.Find(longer) == nullptr) break;
    words = longer;
    Next();
  }
  *is_char = words == "char";
  const Type* type = words.empty() ? nullptr : source_.Find(words);
  if (type == nullptr)
    FailAt(first, words.empty() ? "a type is missing before `" + first.text + "`" : "unknown type `" + words + "`");
  return type;
}

// Whether the next word is one that a type begins with.
bool CParser::StartsType() const {
  const CToken& token = Peek();
  if (token.kind != CToken::Word) return false;
  return Contains(kTags, token.text) || Contains(kQualifiers, token.text) || source_.Find(token.text) != nullptr;
}

// A type without a name to declare: `const struct foo **`.
const Type* CParser::AbstractType() {
  bool is_char = false;
  const Type* type = Specifiers(&is_char);
  while (type != nullptr && Take("*")) {
    type = source_.types().Pointer(type, AddressSpace::Kernel);
    while (Contains(kQualifiers, Peek().text)) Next();
  }
  return type;
}

const Type* CParser::TypeName() {
  const Type* type = StartsType() ? AbstractType() : nullptr;
  return Peek().kind == CToken::End ? type : nullptr;
}

const Type* CParser::Tagged(const std::string& keyword) {
  SkipAttributes();
  std::string name;
  const CToken token = Peek();
  if (Peek().kind == CToken::Word) name = Next().text;
  SkipAttributes();
  const std::string full = keyword + " " + name;
  if (Peek().text == "{" && !name.empty() && !source_.DefineOnce(full)) {
    return FailAt(token, "`" + full + "` is defined twice"), nullptr;
  }
  if (Take("{")) return keyword == kTags[2] ? Enumerators(full) : Body(full, keyword == kTags[1]);
  if (const auto own = unfinished_.find(full); own != unfinished_.end()) return own->second;
  // Only ever named: known elsewhere, or good for pointers.
  const Type* type = source_.Find(full);
  return type != nullptr ? type : source_.types().None();
}

const Type* CParser::Enumerators(const std::string& name) {
  EnumInfo* info = source_.types().NewEnum(name);
  __int128 next = 0;
  while (!Take("}")) {
    const CToken word = Next();
    if (word.kind != CToken::Word) return Fail("an enumerator's name is missing"), nullptr;
    if (Take("=")) {
      const CToken begin = Peek();
      const std::optional<__int128> value = Expression(0);
      if (!value) return FailAt(begin, "the value of `" + word.text + "` is not constant"), nullptr;
      next = *value;
    }
    info->values.emplace_back(word.text, static_cast<int64_t>(next));
    source_.DefineConstant(word.text, {.value = next++});
    if (!Take(",") && Peek().text != "}") return Fail("`,` or `}` is missing behind `" + word.text + "`"), nullptr;
  }
  const bool is_signed = std::any_of(info->values.begin(), info->values.end(), [](const auto& v) { return v.second < 0; });
  const bool wide = std::any_of(info->values.begin(), info->values.end(), [](const auto& v) { return v.second > UINT32_MAX; });
  const Type* type = source_.types().Enum(info, wide ? 64 : 32, is_signed);
  for (const auto& [word, value] : info->values) source_.DefineConstant(word, {.enumeration = type, .value = value});
  if (name.back() != ' ') source_.Define(name, type);
  return type;
}

const Type* CParser::Body(const std::string& name, bool is_union) {
  StructInfo* info = source_.types().NewStruct(name);
  info->is_union = is_union;
  const Type* type = source_.types().Struct(info);
  if (name.back() != ' ') unfinished_[name] = type;  // it may point to itself
  // `packed` stands behind the body, and matters within.
  const bool outer = packed_;
  const size_t begin = at_;
  SkipTo("{", "}");
  packed_ = false;
  const uint32_t before = std::exchange(aligned_, 0);  // `struct __attribute__((aligned(8))) x {`
  SkipAttributes();
  info->alignment = std::max({info->alignment, before, std::exchange(aligned_, 0)});
  at_ = begin;
  open_.insert(type);
  const bool fine = Fields(*info);
  open_.erase(type);
  unfinished_.erase(name);
  if ((fine || !tentative_) && name.back() != ' ') source_.Define(name, type);
  packed_ = outer;
  return fine ? type : nullptr;
}

bool CParser::Fields(StructInfo& info) {
  uint64_t bit = 0;
  while (!Take("}")) {
    if (Take(";")) continue;
    if (Peek().kind == CToken::End) return Fail("a `}` is missing");
    if (!Field(info, &bit)) return false;
  }
  SkipAttributes();
  info.size = static_cast<uint32_t>(RoundUp(std::max<uint64_t>(info.size, RoundUp(bit, 8) / 8), info.alignment));
  return true;
}

// `type a, *b[4], c : 3;`, or an anonymous struct or union.
bool CParser::Field(StructInfo& info, uint64_t* bit) {
  bool is_char = false;
  aligned_ = 0;
  const Type* type = Specifiers(&is_char);
  if (type == nullptr) return false;
  do {
    StructField field{.type = type};
    CToken name = Peek();
    if (Peek().text != ";" && Peek().text != ":") {
      const std::optional<Declarator> declarator = Declare(type, is_char);
      if (!declarator) return false;
      field.name = declarator->name;
      field.type = declarator->type;
      name = declarator->token;
      if (!Check(info, field, name)) return false;
      if (declarator->flexible) flexible_in_ = &info;
    } else if (!Check(info, field, name)) {
      return false;
    }
    if (Take(":")) {
      const CToken begin = Peek();
      const std::optional<__int128> width = Expression(0);
      if (!width || *width < 0 || *width > SizeOfType(field.type) * 8) {
        return FailAt(begin, "the bitfield `" + field.name + "` is wider than its type");
      }
      field.bit_size = static_cast<uint32_t>(*width);
      if (*width == 0) {
        *bit = RoundUp(*bit, SizeOfType(type) * 8ull);
        continue;
      }
    }
    SkipAttributes();
    const uint32_t least = std::exchange(aligned_, 0);
    if (least != 0) *bit = RoundUp(*bit, least * 8ull);
    info.alignment = std::max(info.alignment, least);
    Place(info, std::move(field), bit);
  } while (Take(","));
  return Take(";") || Fail("a `;` is missing before `" + Peek().text + "`");
}

// What a field cannot be: of a struct that is not complete yet, behind a flexible array, or of another's name.
bool CParser::Check(const StructInfo& info, const StructField& field, const CToken& name) {
  const Type* whole = field.type;
  while (whole->is(TypeKind::Array)) whole = whole->element;
  if (whole->is(TypeKind::None)) return FailAt(name, "the type of `" + field.name + "` is not known; a pointer to it can be");
  if (open_.contains(whole)) return FailAt(name, "`" + whole->info->name + "` cannot hold itself; a pointer to it can");
  if (flexible_in_ == &info && !info.is_union)
    return FailAt(name, "`" + info.fields.back().name + "`, an array without a length, must be the last field");
  if (!field.name.empty() && info.Find(field.name) != nullptr) return FailAt(name, "a second field `" + field.name + "`");
  return true;
}

void CParser::Place(StructInfo& info, StructField field, uint64_t* bit) {
  const uint64_t width = SizeOfType(field.type) * 8ull;
  const bool packed = packed_ || packing_ == 1;
  uint32_t alignment = packed ? 1 : AlignOfType(field.type);
  if (packing_ != 0) alignment = std::min(alignment, packing_);
  info.alignment = std::max(info.alignment, alignment);
  uint64_t at = info.is_union ? 0 : *bit;
  if (field.bit_size == 0) {
    at = RoundUp(at, alignment * 8ull);
    field.offset = static_cast<uint32_t>(at / 8);
    *bit = std::max(*bit, at + width);
  } else {
    if (!packed && at % width + field.bit_size > width) at = RoundUp(at, width);
    const bool crosses = at % width + field.bit_size > width;
    field.offset = static_cast<uint32_t>(crosses ? at / 8 : at / width * (width / 8));
    field.bit_offset = static_cast<uint32_t>(at - field.offset * 8ull);
    *bit = std::max(*bit, at + field.bit_size);
  }
  info.fields.push_back(std::move(field));
}

// `*const name[4][2]`, `(*name)(…)`.
std::optional<CParser::Declarator> CParser::Declare(const Type* type, bool is_char) {
  TypeTable& types = source_.types();
  while (Take("*") || Contains(kQualifiers, Peek().text)) {
    if (Contains(kQualifiers, Peek().text) && tokens_[at_ - 1].text != "*") {
      Next();
      continue;
    }
    type = types.Pointer(type, AddressSpace::Kernel);
    is_char = false;
  }
  Declarator declarator{.type = type};
  if (Take("(")) {
    return DeclareInParens(type, is_char);
  }
  SkipAttributes();
  if (Peek().kind != CToken::Word) return Fail("a name is missing before `" + Peek().text + "`"), std::nullopt;
  declarator.token = Next();
  declarator.name = declarator.token.text;
  const std::optional<std::vector<uint64_t>> counts = ArrayLengths(declarator);
  if (!counts) return std::nullopt;
  declarator.type = ArrayOf(type, is_char, *counts);
  return declarator;
}

// `[4][2]` behind a name.
std::optional<std::vector<uint64_t>> CParser::ArrayLengths(Declarator& declarator) {
  std::vector<uint64_t> counts;
  while (Take("[")) {
    const CToken begin = Peek();
    declarator.flexible |= begin.text == "]";
    const std::optional<__int128> count = Peek().text == "]" ? std::optional<__int128>(0) : Expression(0);
    if (!count || *count < 0 || *count > kMostElements || !Take("]"))
      return FailAt(begin, "bad array length of `" + declarator.name + "`"), std::nullopt;
    counts.push_back(static_cast<uint64_t>(*count));
  }
  return counts;
}

const Type* CParser::ArrayOf(const Type* type, bool is_char, std::vector<uint64_t> counts) {
  TypeTable& types = source_.types();
  if (is_char && !counts.empty() && counts.back() > 0) {
    type = types.String(counts.back());
    counts.pop_back();
  }
  for (auto count = counts.rbegin(); count != counts.rend(); ++count) type = types.Array(type, *count);
  return type;
}

// `(*name)(…)`, `(*name[4])(…)`, `(*name)[4]`, `(name)`: behind the `(`. What a function takes and gives is not kept.
std::optional<CParser::Declarator> CParser::DeclareInParens(const Type* type, bool is_char) {
  TypeTable& types = source_.types();
  size_t stars = 0;
  while (Peek().text == "*" || Contains(kQualifiers, Peek().text)) stars += Next().text == "*" ? 1u : 0u;
  Declarator declarator;
  if (Take("(")) {  // one more: `(*(*name)(…))(…)`, a pointer to a function whatever it gives
    const std::optional<Declarator> inner = DeclareInParens(types.None(), false);
    if (!inner) return std::nullopt;
    declarator = *inner;
    if (!Take(")")) return Fail("`)` is missing before `" + Peek().text + "`"), std::nullopt;
    SkipParens();
    return declarator;
  }
  SkipAttributes();
  if (Peek().kind != CToken::Word) return Fail("a name is missing before `" + Peek().text + "`"), std::nullopt;
  declarator.token = Next();
  declarator.name = declarator.token.text;
  const std::optional<std::vector<uint64_t>> inner = ArrayLengths(declarator);
  if (!inner) return std::nullopt;
  SkipParens();  // of a function that gives a pointer to what follows
  if (!Take(")")) return Fail("`)` is missing before `" + Peek().text + "`"), std::nullopt;
  const bool function = Peek().text == "(";
  SkipParens();
  const std::optional<std::vector<uint64_t>> outer = ArrayLengths(declarator);
  if (!outer) return std::nullopt;
  declarator.flexible = !inner->empty() && inner->back() == 0;
  declarator.type = function ? types.None() : ArrayOf(type, is_char, *outer);
  for (size_t i = 0; i < stars; ++i) declarator.type = types.Pointer(declarator.type, AddressSpace::Kernel);
  declarator.type = ArrayOf(declarator.type, false, *inner);
  return declarator;
}

bool CParser::Definition() {
  const bool is_typedef = Take("typedef");
  bool is_char = false;
  const Type* type = Specifiers(&is_char);
  if (type == nullptr) return false;
  while (Peek().kind != CToken::End && !Take(";")) {
    SkipAttributes();
    const std::optional<Declarator> declarator = Declare(type, is_char);
    if (!declarator) return false;
    if (is_typedef) source_.Define(declarator->name, declarator->type);
    SkipAttributes();
    if (!Take(",") && Peek().text != ";") return Fail("`;` is missing before `" + Peek().text + "`");
  }
  return true;
}

}  // namespace kawk
