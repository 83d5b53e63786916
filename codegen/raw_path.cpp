#include "codegen/raw_path.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "base/check.h"

namespace kawk {
namespace {

struct Operator {
  std::string_view text;
  BinaryOp op;
};
constexpr std::array kOperators = {Operator{"<<", BinaryOp::Shl}, Operator{">>", BinaryOp::Shr}, Operator{"|", BinaryOp::BitOr},
                                   Operator{"+", BinaryOp::Add}, Operator{"-", BinaryOp::Sub}};

constexpr std::string_view kCurrent = "current";

struct Whole {
  std::string_view name;
  RawRoot root;
  std::string_view argument;  // that it needs
  std::vector<std::string> members;
  std::vector<std::string> others;
};
const std::array kWhole = {Whole{"comm", RawRoot::Comm, "", {}, {}},
                           Whole{"sched_state", RawRoot::SchedState, "prev", {"exit_state"}, {"preempt", "prev_state"}},
                           Whole{"request_sector", RawRoot::RequestSector, "rq", {"cmd_flags", "__sector"}, {}},
                           Whole{"request_sectors", RawRoot::RequestSectors, "rq", {"cmd_flags", "__data_len"}, {}}};

class Reader {
 public:
  Reader(std::string_view text, const Type* args, TypeSource& source) : rest_(text), args_(args), source_(source) {}

  Result<RawValue> Read() {
    RawValue value;
    while (error_.empty()) {
      value.push_back(Term());
      if (rest_.empty() || !error_.empty()) break;
      const auto* op = std::find_if(kOperators.begin(), kOperators.end(), [&](const Operator& o) { return Take(o.text); });
      CHECK(op != kOperators.end());
      next_ = op->op;
    }
    if (!error_.empty()) return Error{error_, "", 0};
    return value;
  }

 private:
  void Skip() {
    while (rest_.starts_with(' ')) rest_.remove_prefix(1);
  }
  bool Take(std::string_view text) {
    Skip();
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    Skip();
    return true;
  }
  std::string Name() {
    size_t end = 0;
    while (end < rest_.size() && (std::isalnum(static_cast<unsigned char>(rest_[end])) != 0 || rest_[end] == '_')) ++end;
    CHECK(end > 0);
    std::string name(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return name;
  }

  RawTerm Term() {
    const bool swapped = Take("be16(");
    RawTerm term = Path();
    term.swapped = swapped;
    term.op = next_;
    if (swapped) CHECK(Take(")"));
    Skip();
    return term;
  }

  RawTerm Path() {
    RawTerm term;
    const std::string name = Name();
    if (Take("()")) return WholeValue(name);
    if (std::isdigit(static_cast<unsigned char>(name[0])) != 0) {
      term.root = RawRoot::Number;
      std::from_chars(name.data(), name.data() + name.size(), term.number);
      term.type = source_.types().Int(64, false);
      return term;
    }
    if (name == kCurrent) {
      term.root = RawRoot::Current;
      const Type* task = source_.Find("struct task_struct");
      if (task == nullptr) return Missing("struct task_struct");
      term.type = source_.types().Pointer(task, AddressSpace::Kernel);
    } else if (!Argument(name, term)) {
      return term;
    }
    if (Take("@")) {
      const std::string target = "struct " + Name();
      const Type* type = source_.Find(target);
      if (type == nullptr) return Missing(target);
      term.type = source_.types().Pointer(type, AddressSpace::Kernel);
      term.known = false;
    }
    while (error_.empty()) {
      if (Take("->")) {
        if (!term.type->is(TypeKind::Pointer)) return Missing("a pointer before " + std::string(rest_));
        term.type = term.type->element;
        term.offsets.push_back(0);
      } else if (!Take(".")) {
        break;
      }
      Member(term, Name());
    }
    return term;
  }

  RawTerm WholeValue(const std::string& name) {
    const auto* whole = std::find_if(kWhole.begin(), kWhole.end(), [&](const Whole& w) { return w.name == name; });
    CHECK(whole != kWhole.end());
    RawTerm term;
    term.root = whole->root;
    if (whole->argument.empty()) return term;
    for (const std::string& other : whole->others) {
      if (!Argument(other, term)) return term;
      term.others.push_back(term.argument);
    }
    if (!Argument(std::string(whole->argument), term)) return term;
    const Type* object = term.type->is(TypeKind::Pointer) ? term.type->element : term.type;
    for (const std::string& member : whole->members) {
      term.type = object;
      term.offsets.push_back(0);
      Member(term, member);
    }
    term.type = source_.types().Int(64, true);
    return term;
  }

  bool Argument(const std::string& name, RawTerm& term) {
    const StructField* field = args_->info->Find(name);
    if (field == nullptr) return Missing("an argument " + name), false;
    term.argument = field->offset;
    term.type = field->type;
    return true;
  }

  void Member(RawTerm& term, const std::string& name) {
    const StructField* field = term.type->is(TypeKind::Struct) ? term.type->info->Find(name) : nullptr;
    if (field == nullptr || field->bit_size != 0) {
      Missing("a member " + name);
      return;
    }
    term.offsets.back() += field->offset;
    term.type = field->type;
  }

  RawTerm Missing(const std::string& what) {
    if (error_.empty()) error_ = "the kernel's BTF does not have " + what;
    return {};
  }

  std::string_view rest_;
  const Type* args_;
  TypeSource& source_;
  BinaryOp next_ = BinaryOp::Add;
  std::string error_;
};

bool IsText(const Type* type) {
  return type->is(TypeKind::String) ||
         (type->is(TypeKind::Pointer) && type->element->is(TypeKind::Int) && type->element->bits == 8);
}

}  // namespace

Result<RawValue> ResolveRawValue(std::string_view from, const Type* args, TypeSource& source) {
  return Reader(from, args, source).Read();
}

bool Fits(const RawValue& value, const Type* field) {
  const RawTerm& first = value.front();
  if (field->IsScalar())
    return std::ranges::all_of(value, [](const RawTerm& t) { return t.type != nullptr && t.type->IsScalar(); });
  if (value.size() != 1) return false;
  if (field->is(TypeKind::String))
    return first.root == RawRoot::Comm || (IsText(first.type) && (first.type->is(TypeKind::Pointer) || !first.offsets.empty()));
  return field->is(TypeKind::Array) && first.type != nullptr && !first.offsets.empty() &&
         SizeOfType(first.type) == SizeOfType(field);
}

}  // namespace kawk
