// The inside of the C reader: a cursor over tokens that evaluates constant expressions and declares types.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ast/cdecl_lexer.h"
#include "ast/type_source.h"

namespace kawk {

class CParser {
 public:
  // `packing`: what `#pragma pack` says; 0: nothing. `tentative`: structs that are not understood stay unknown.
  CParser(std::vector<CToken> tokens, TypeSource& source, uint32_t packing = 0, bool tentative = false)
      : tokens_(std::move(tokens)), source_(source), packing_(packing), tentative_(tentative) {}

  // A constant expression up to the end of the text; nothing when it is none.
  std::optional<__int128> Constant();
  // A type's name up to the end of the text, `struct foo *`; null when it is none.
  const Type* TypeName();
  // One definition. False when it is not understood; then error() says what was seen.
  bool Definition();
  const std::string& error() const { return error_; }
  // The token that made it fail.
  const CToken& guilty() const { return guilty_; }

  const CToken& Peek(size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  CToken Next() { return at_ + 1 < tokens_.size() ? tokens_[at_++] : tokens_.back(); }
  bool Take(std::string_view text);

 private:
  struct Declarator {
    std::string name;
    const Type* type = nullptr;
    CToken token;           // of the name
    bool flexible = false;  // `name[]`
  };

  // --- cdecl_expr.cpp
  std::optional<__int128> Expression(int least_precedence);
  std::optional<__int128> Operand();
  std::optional<__int128> SizeOfOperand();
  const Type* TakeTypeInParens();

  // --- cdecl_types.cpp
  bool Fail(std::string what) { return FailAt(Peek(), std::move(what)); }
  bool FailAt(const CToken& token, std::string what);
  void SkipAttributes();
  uint32_t AlignmentAt(size_t ahead) const;
  void SkipTo(std::string_view open, std::string_view close);
  void SkipParens();
  bool StartsType() const;
  const Type* AbstractType();
  const Type* Specifiers(bool* is_char);
  const Type* Tagged(const std::string& keyword);
  const Type* Body(const std::string& name, bool is_union);
  const Type* Enumerators(const std::string& name);
  bool Fields(StructInfo& info);
  bool Field(StructInfo& info, uint64_t* bit);
  bool Check(const StructInfo& info, const StructField& field, const CToken& name);
  void Place(StructInfo& info, StructField field, uint64_t* bit);
  std::optional<Declarator> Declare(const Type* type, bool is_char);
  std::optional<Declarator> DeclareInParens(const Type* type, bool is_char);
  std::optional<std::vector<uint64_t>> ArrayLengths(Declarator& declarator);
  const Type* ArrayOf(const Type* type, bool is_char, std::vector<uint64_t> counts);

  std::vector<CToken> tokens_;
  TypeSource& source_;
  size_t at_ = 0;
  uint32_t packing_ = 0;
  bool tentative_ = false;
  std::map<std::string, const Type*> unfinished_;  // structs whose body is being read, by name
  bool packed_ = false;
  uint32_t aligned_ = 0;                     // by an attribute just passed; 0: none
  const StructInfo* flexible_in_ = nullptr;  // the last struct with a field `name[]`
  std::set<const Type*> open_;               // structs whose body is being read
  std::string error_;
  CToken guilty_;
};

}  // namespace kawk
