#include "cli/c_headers.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <array>
#include <cstdlib>
#include <unordered_map>
#include <utility>

#include "cli/c_compiler.h"
#include "cli/libclang.h"
#include "host/files.h"

namespace kawk {
namespace {

using libclang::CType;
using libclang::Cursor;
using libclang::Library;

constexpr const char* kScript = "script.c";

// The compiler's own headers, for a libclang that was installed without them. As far as types go.
constexpr std::array<std::pair<const char*, std::string_view>, 4> kOwnHeaders = {{
    {"/kawk/include/stddef.h",
     "#define NULL ((void *)0)\n#define offsetof(t, m) __builtin_offsetof(t, m)\ntypedef __SIZE_TYPE__ size_t;\n"
     "typedef __PTRDIFF_TYPE__ ptrdiff_t;\ntypedef __WCHAR_TYPE__ wchar_t;\n"},
    {"/kawk/include/stdarg.h", "typedef __builtin_va_list va_list;\ntypedef __builtin_va_list __gnuc_va_list;\n"},
    {"/kawk/include/stdbool.h", "#define bool _Bool\n#define true 1\n#define false 0\n"},
    {"/kawk/include/limits.h",
     "#define CHAR_BIT 8\n#define SCHAR_MAX 127\n#define SCHAR_MIN (-128)\n#define UCHAR_MAX 255\n#define CHAR_MAX 127\n"
     "#define CHAR_MIN (-128)\n#define SHRT_MAX 32767\n#define SHRT_MIN (-32768)\n#define USHRT_MAX 65535\n"
     "#define INT_MAX __INT_MAX__\n#define INT_MIN (-INT_MAX - 1)\n#define UINT_MAX (INT_MAX * 2U + 1U)\n"
     "#define LONG_MAX __LONG_MAX__\n#define LONG_MIN (-LONG_MAX - 1L)\n#define ULONG_MAX (LONG_MAX * 2UL + 1UL)\n"},
}};
constexpr const char* kOwnFolder = "/kawk/include";

// The kernel's own headers, where they are installed; as in the peer, the environment may say where.
std::vector<std::string> KernelRoots() {
  utsname name;
  uname(&name);
  const std::string modules = fmt::format("/lib/modules/{}/", name.release);
  const char* source = std::getenv("BPFTRACE_KERNEL_SOURCE");
  const char* build = std::getenv("BPFTRACE_KERNEL_BUILD");
  const std::string built = build != nullptr ? build : modules + "build";
  const std::string sources = source != nullptr ? source : IsFolder(modules + "source") ? modules + "source" : built;
  return {sources, built};
}

std::vector<std::string> Arguments(const std::vector<std::string>& include_folders) {
  std::vector<std::string> words = {"-x", "c", "-std=gnu11", "-w"};
  for (const std::string& folder : include_folders) words.insert(words.end(), {"-I", folder});
  bool kernel = false;
  for (const std::string& root : KernelRoots()) {
    for (const std::string& part :
         {fmt::format("/arch/{}/include", kTargetArchitecture), fmt::format("/arch/{}/include/generated", kTargetArchitecture),
          std::string("/include"), fmt::format("/arch/{}/include/uapi", kTargetArchitecture),
          fmt::format("/arch/{}/include/generated/uapi", kTargetArchitecture), std::string("/include/uapi"),
          std::string("/include/generated/uapi")}) {
      if (IsFolder(root + part)) words.insert(words.end(), {"-idirafter", root + part});
    }
    const std::string options = root + "/include/linux/kconfig.h";
    if (!kernel && IsRegular(options)) words.insert(words.end(), {"-include", options, "-D__KERNEL__", "-D__BPF_TRACING__"});
    kernel |= IsRegular(options);
  }
  words.insert(words.end(), {"-idirafter", kOwnFolder});
  return words;
}

// Walks a translation unit. Types are found by name, their fields one record after another: types lead to each other in
// chains that are too long to follow one within the other.
class Reader {
 public:
  Reader(const Library& clang, libclang::Unit* unit) : clang_(clang), unit_(unit) {}

  HeaderDeclarations Run() {
    clang_.visitChildren(clang_.getTranslationUnitCursor(unit_), &Reader::VisitDeclaration, this);
    for (size_t i = 0; i < records_.size(); ++i) FillRecord(i);
    ReadProblem();
    return std::move(found_);
  }

 private:
  static libclang::ChildVisit VisitDeclaration(Cursor cursor, Cursor, void* data) {
    return static_cast<Reader*>(data)->Declaration(cursor);
  }

  libclang::ChildVisit Declaration(Cursor cursor) {
    switch (cursor.kind) {
      case libclang::kStructDecl:
      case libclang::kUnionDecl:
        if (clang_.isCursorDefinition(cursor) != 0) Record(cursor);
        return libclang::kVisitRecurse;  // others may be defined within
      case libclang::kEnumDecl:
        if (clang_.isCursorDefinition(cursor) != 0) Enum(cursor);
        break;
      case libclang::kTypedefDecl: {
        const uint32_t type = TypeOf(clang_.getTypedefDeclUnderlyingType(cursor));
        found_.typedefs.emplace_back(NameOf(cursor), type);
        break;
      }
      case libclang::kMacroDefinition: Macro(cursor); break;
      default: break;
    }
    return libclang::kVisitContinue;
  }

  // What has no name is given one in parentheses by some versions.
  std::string NameOf(Cursor cursor) const {
    std::string name = clang_.Take(clang_.getCursorSpelling(cursor));
    return name.find('(') == std::string::npos ? name : "";
  }

  // The declaration's number in `seen`, or -1.
  int Find(const std::vector<Cursor>& seen, const std::unordered_multimap<unsigned, uint32_t>& by_hash, Cursor cursor) const {
    const auto [begin, end] = by_hash.equal_range(clang_.hashCursor(cursor));
    for (auto at = begin; at != end; ++at) {
      if (clang_.equalCursors(seen[at->second], cursor) != 0) return static_cast<int>(at->second);
    }
    return -1;
  }

  uint32_t Record(Cursor definition) {
    if (const int known = Find(records_, record_by_hash_, definition); known >= 0) return static_cast<uint32_t>(known);
    const auto index = static_cast<uint32_t>(records_.size());
    record_by_hash_.emplace(clang_.hashCursor(definition), index);
    records_.push_back(definition);
    HeaderRecord& record = found_.records.emplace_back();
    record.is_union = definition.kind == libclang::kUnionDecl;
    record.name = (record.is_union ? "union " : "struct ") + NameOf(definition);
    return index;
  }

  void FillRecord(size_t index) {
    const CType type = clang_.getCursorType(records_[index]);
    const long long size = clang_.Type_getSizeOf(type);
    const long long alignment = clang_.Type_getAlignOf(type);
    if (size < 0 || alignment <= 0) return;  // a mistake in the header: a record without fields
    found_.records[index].size = static_cast<uint64_t>(size);
    found_.records[index].alignment = static_cast<uint32_t>(alignment);
    filling_ = index;
    clang_.Type_visitFields(
        type,
        [](Cursor field, void* data) {
          static_cast<Reader*>(data)->Field(field);
          return libclang::kFieldContinue;
        },
        this);
  }

  void Field(Cursor cursor) {
    const long long bit = clang_.Cursor_getOffsetOfField(cursor);
    const int width = clang_.getFieldDeclBitWidth(cursor);
    if (bit < 0 || width == 0) return;
    HeaderField field{.name = NameOf(cursor), .type = TypeOf(clang_.getCursorType(cursor)), .bit = static_cast<uint64_t>(bit)};
    if (width > 0) field.bit_count = static_cast<uint32_t>(width);
    const bool record = found_.types[field.type].kind == HeaderType::Kind::Record;
    if (field.name.empty() && !record) return;  // a gap
    found_.records[filling_].fields.push_back(std::move(field));
  }

  uint32_t Enum(Cursor definition) {
    if (const int known = Find(enums_, enum_by_hash_, definition); known >= 0) return static_cast<uint32_t>(known);
    const auto index = static_cast<uint32_t>(enums_.size());
    enum_by_hash_.emplace(clang_.hashCursor(definition), index);
    enums_.push_back(definition);
    HeaderEnum& row = found_.enums.emplace_back();
    row.name = "enum " + NameOf(definition);
    const CType integer = clang_.getCanonicalType(clang_.getEnumDeclIntegerType(definition));
    row.is_signed = integer.kind >= libclang::kCharSigned && integer.kind <= libclang::kLastSigned;
    row.bits = BitsOf(clang_.Type_getSizeOf(integer));
    clang_.visitChildren(
        definition,
        [](Cursor child, Cursor, void* data) {
          auto& reader = *static_cast<Reader*>(data);
          if (child.kind == libclang::kEnumConstant) {
            reader.found_.enums.back().values.emplace_back(reader.NameOf(child), reader.clang_.getEnumConstantDeclValue(child));
          }
          return libclang::kVisitContinue;
        },
        this);
    return index;
  }

  static uint32_t BitsOf(long long size) { return size == 1 || size == 2 || size == 8 ? static_cast<uint32_t>(size * 8) : 32; }

  uint32_t Add(const HeaderType& type) {
    found_.types.push_back(type);
    return static_cast<uint32_t>(found_.types.size() - 1);
  }

  uint32_t TypeOf(CType type) {
    using Kind = HeaderType::Kind;
    type = clang_.getCanonicalType(type);
    const int kind = type.kind;
    if (kind == libclang::kBool) return Add({.kind = Kind::Bool});
    if (kind == libclang::kFirstUnsigned || kind == libclang::kCharSigned)
      return Add({.kind = Kind::Char, .is_signed = kind == libclang::kCharSigned});
    if (kind > libclang::kFirstUnsigned && kind <= libclang::kLastUnsigned) return Add({Kind::Int, false, SizeOf(type)});
    if (kind >= libclang::kFirstSigned && kind <= libclang::kLastSigned) return Add({Kind::Int, true, SizeOf(type)});
    switch (kind) {
      case libclang::kPointer: return Add({.kind = Kind::Pointer, .of = TypeOf(clang_.getPointeeType(type))});
      case libclang::kConstantArray:
      case libclang::kIncompleteArray: {
        const long long count = kind == libclang::kConstantArray ? clang_.getArraySize(type) : 0;
        const uint32_t element = TypeOf(clang_.getArrayElementType(type));
        return Add({.kind = Kind::Array, .of = element, .count = count > 0 ? static_cast<uint64_t>(count) : 0});
      }
      case libclang::kRecord:
      case libclang::kEnum: {
        const Cursor definition = clang_.getCursorDefinition(clang_.getTypeDeclaration(type));
        if (clang_.Cursor_isNull(definition) != 0) return Add({});  // only ever pointed to
        if (kind == libclang::kEnum) return Add({.kind = Kind::Enum, .of = Enum(definition)});
        return Add({.kind = Kind::Record, .of = Record(definition)});
      }
      case libclang::kVoid:
      case libclang::kFunctionNoProto:
      case libclang::kFunctionProto: return Add({});
      default: break;  // floating point, vectors and what may come: so many bytes
    }
    const uint32_t size = SizeOf(type);
    return size > 0 ? Add({.kind = Kind::Opaque, .size = size}) : Add({});
  }

  uint32_t SizeOf(CType type) const {
    const long long size = clang_.Type_getSizeOf(type);
    return size > 0 ? static_cast<uint32_t>(size) : 0;
  }

  void Macro(Cursor cursor) {
    if (clang_.Cursor_isMacroBuiltin(cursor) != 0) return;
    libclang::Token* tokens = nullptr;
    unsigned count = 0;
    clang_.tokenize(unit_, clang_.getCursorExtent(cursor), &tokens, &count);
    std::string line = "#define " + NameOf(cursor);
    const bool with_parameters = clang_.Cursor_isMacroFunctionLike(cursor) != 0;
    for (unsigned i = 1; i < count; ++i) {
      if (i > 1 || !with_parameters) line += ' ';
      line += clang_.Take(clang_.getTokenSpelling(unit_, tokens[i]));
    }
    clang_.disposeTokens(unit_, tokens, count);
    found_.defines.push_back(std::move(line));
  }

  void ReadProblem() {
    for (unsigned i = 0; i < clang_.getNumDiagnostics(unit_) && found_.problem.empty(); ++i) {
      libclang::Diagnostic* diagnostic = clang_.getDiagnostic(unit_, i);
      if (clang_.getDiagnosticSeverity(diagnostic) >= libclang::kSeverityError) {
        found_.problem = clang_.Take(clang_.formatDiagnostic(diagnostic, libclang::kShowLocation));
      }
      clang_.disposeDiagnostic(diagnostic);
    }
  }

  const Library& clang_;
  libclang::Unit* unit_;
  HeaderDeclarations found_;
  std::vector<Cursor> records_, enums_;
  std::unordered_multimap<unsigned, uint32_t> record_by_hash_, enum_by_hash_;
  size_t filling_ = 0;
};

}  // namespace

Result<HeaderDeclarations> ReadHeaders(const std::string& text, const std::vector<std::string>& include_folders) {
  const Result<const Library*> opened = libclang::Open();
  if (!opened) return opened.error();
  const Library& clang = **opened;
  const std::vector<std::string> words = Arguments(include_folders);
  std::vector<const char*> arguments;
  for (const std::string& word : words) arguments.push_back(word.c_str());
  std::vector<libclang::UnsavedFile> files = {{kScript, text.data(), text.size()}};
  for (const auto& [name, contents] : kOwnHeaders) files.push_back({name, contents.data(), contents.size()});
  libclang::Index* index = clang.createIndex(0, 0);
  libclang::Unit* unit = nullptr;
  const int error = clang.parseTranslationUnit2(
      index, kScript, arguments.data(), static_cast<int>(arguments.size()), files.data(), static_cast<unsigned>(files.size()),
      libclang::kDetailedPreprocessing | libclang::kSkipFunctionBodies | libclang::kKeepGoing, &unit);
  HeaderDeclarations declarations;
  if (unit != nullptr) {
    declarations = Reader(clang, unit).Run();
    clang.disposeTranslationUnit(unit);
  }
  clang.disposeIndex(index);
  if (unit == nullptr) return Error{fmt::format("`{}` gave up on the headers (error {})", clang.path, error), ""};
  return declarations;
}

}  // namespace kawk
