// libclang, opened when the first header is read and not before. The part of its C interface that is used is declared here:
// it has been stable since LLVM 9, and so any version will do.
#pragma once

#include <string>
#include <type_traits>

#include "base/result.h"

namespace kawk::libclang {

struct Unit;   // a translation unit
struct Index;  // what units are made in
struct Diagnostic;

struct String {
  const void* data;
  unsigned flags;
};
struct Cursor {
  int kind;
  int extra;
  const void* data[3];
};
struct CType {
  int kind;
  void* data[2];
};
struct Range {
  const void* data[2];
  unsigned begin;
  unsigned end;
};
struct Token {
  unsigned numbers[4];
  void* data;
};
struct UnsavedFile {
  const char* name;
  const char* contents;
  unsigned long length;
};

// Kinds of cursors and types: the numbers are part of the interface.
enum CursorKind : int {
  kStructDecl = 2,
  kUnionDecl = 3,
  kEnumDecl = 5,
  kEnumConstant = 7,
  kTypedefDecl = 20,
  kMacroDefinition = 501,
};
enum CTypeKind : int {
  kVoid = 2,
  kBool = 3,
  kFirstUnsigned = 4,  // char, unsigned char, char16_t, char32_t, unsigned short … unsigned long long
  kLastUnsigned = 11,
  kUInt128 = 12,
  kCharSigned = 13,
  kFirstSigned = 14,  // signed char, wchar_t, short … long long
  kLastSigned = 19,
  kInt128 = 20,
  kPointer = 101,
  kRecord = 105,
  kEnum = 106,
  kFunctionNoProto = 110,
  kFunctionProto = 111,
  kConstantArray = 112,
  kIncompleteArray = 114,
};
enum ChildVisit : int { kVisitBreak, kVisitContinue, kVisitRecurse };
enum FieldVisit : int { kFieldBreak, kFieldContinue };
constexpr unsigned kDetailedPreprocessing = 0x01, kSkipFunctionBodies = 0x40, kKeepGoing = 0x200;
constexpr unsigned kSeverityError = 3;
constexpr unsigned kShowLocation = 0x03;  // line and column

using ChildVisitor = ChildVisit (*)(Cursor cursor, Cursor parent, void* data);
using FieldVisitor = FieldVisit (*)(Cursor cursor, void* data);

// FUNCTION(member, type): each is `clang_` and its member's name.
#define KAWK_LIBCLANG_FUNCTIONS(FUNCTION)                                                                   \
  FUNCTION(createIndex, Index* (*)(int, int))                                                               \
  FUNCTION(disposeIndex, void (*)(Index*))                                                                  \
  FUNCTION(parseTranslationUnit2,                                                                           \
           int (*)(Index*, const char*, const char* const*, int, UnsavedFile*, unsigned, unsigned, Unit**)) \
  FUNCTION(disposeTranslationUnit, void (*)(Unit*))                                                         \
  FUNCTION(getTranslationUnitCursor, Cursor (*)(Unit*))                                                     \
  FUNCTION(visitChildren, unsigned (*)(Cursor, ChildVisitor, void*))                                        \
  FUNCTION(Type_visitFields, unsigned (*)(CType, FieldVisitor, void*))                                      \
  FUNCTION(getCursorSpelling, String (*)(Cursor))                                                           \
  FUNCTION(getCString, const char* (*)(String))                                                             \
  FUNCTION(disposeString, void (*)(String))                                                                 \
  FUNCTION(getCursorType, CType (*)(Cursor))                                                                \
  FUNCTION(getCanonicalType, CType (*)(CType))                                                              \
  FUNCTION(getPointeeType, CType (*)(CType))                                                                \
  FUNCTION(getArrayElementType, CType (*)(CType))                                                           \
  FUNCTION(getArraySize, long long (*)(CType))                                                              \
  FUNCTION(getTypeDeclaration, Cursor (*)(CType))                                                           \
  FUNCTION(getCursorDefinition, Cursor (*)(Cursor))                                                         \
  FUNCTION(Cursor_isNull, int (*)(Cursor))                                                                  \
  FUNCTION(isCursorDefinition, unsigned (*)(Cursor))                                                        \
  FUNCTION(hashCursor, unsigned (*)(Cursor))                                                                \
  FUNCTION(equalCursors, unsigned (*)(Cursor, Cursor))                                                      \
  FUNCTION(Type_getSizeOf, long long (*)(CType))                                                            \
  FUNCTION(Type_getAlignOf, long long (*)(CType))                                                           \
  FUNCTION(Cursor_getOffsetOfField, long long (*)(Cursor))                                                  \
  FUNCTION(getFieldDeclBitWidth, int (*)(Cursor))                                                           \
  FUNCTION(getTypedefDeclUnderlyingType, CType (*)(Cursor))                                                 \
  FUNCTION(getEnumDeclIntegerType, CType (*)(Cursor))                                                       \
  FUNCTION(getEnumConstantDeclValue, long long (*)(Cursor))                                                 \
  FUNCTION(Cursor_isMacroFunctionLike, unsigned (*)(Cursor))                                                \
  FUNCTION(Cursor_isMacroBuiltin, unsigned (*)(Cursor))                                                     \
  FUNCTION(getCursorExtent, Range (*)(Cursor))                                                              \
  FUNCTION(tokenize, void (*)(Unit*, Range, Token**, unsigned*))                                            \
  FUNCTION(disposeTokens, void (*)(Unit*, Token*, unsigned))                                                \
  FUNCTION(getTokenSpelling, String (*)(Unit*, Token))                                                      \
  FUNCTION(getNumDiagnostics, unsigned (*)(Unit*))                                                          \
  FUNCTION(getDiagnostic, Diagnostic* (*)(Unit*, unsigned))                                                 \
  FUNCTION(getDiagnosticSeverity, unsigned (*)(Diagnostic*))                                                \
  FUNCTION(formatDiagnostic, String (*)(Diagnostic*, unsigned))                                             \
  FUNCTION(disposeDiagnostic, void (*)(Diagnostic*))

struct Library {
#define FUNCTION(name, ...) std::type_identity_t<__VA_ARGS__> name = nullptr;
  KAWK_LIBCLANG_FUNCTIONS(FUNCTION)
#undef FUNCTION
  std::string path;

  // The text of a String, which is disposed of.
  std::string Take(String string) const;
};

// The library that KAWK_LIBCLANG names, or the newest that the loader knows. It stays open until the end.
Result<const Library*> Open();

}  // namespace kawk::libclang
