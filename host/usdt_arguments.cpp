// The operands of x86-64 assembly that stand in USDT notes: SIZE@OPERAND, where OPERAND is `$5`, `%edi`, `-8(%rbp)`,
// `8(%rax,%rcx,4)`, `counter(%rip)` or `counter+4(%rip)`; SIZE is negative for signed values, with an `f` behind it for
// floating-point ones.
#include <array>
#include <charconv>

#include "host/usdt.h"

namespace kawk {
namespace {

constexpr size_t kMaxArguments = 12;  // as sys/sdt.h

struct RegisterName {
  std::string_view name;
  std::string_view whole;
  uint32_t shift;
};

// The registers whose parts have names of their own; r8 … r15 go by rule.
constexpr auto kParts = [] {
  struct Row {
    std::string_view whole, r32, r16, low, high;
  };
  constexpr std::array<Row, 8> rows = {Row{"rax", "eax", "ax", "al", "ah"}, Row{"rbx", "ebx", "bx", "bl", "bh"},
                                       Row{"rcx", "ecx", "cx", "cl", "ch"}, Row{"rdx", "edx", "dx", "dl", "dh"},
                                       Row{"rsi", "esi", "si", "sil", ""},  Row{"rdi", "edi", "di", "dil", ""},
                                       Row{"rbp", "ebp", "bp", "bpl", ""},  Row{"rsp", "esp", "sp", "spl", ""}};
  std::array<RegisterName, rows.size() * 5> parts{};
  size_t at = 0;
  for (const Row& row : rows) {
    for (std::string_view name : {row.whole, row.r32, row.r16, row.low}) parts[at++] = {name, row.whole, 0};
    parts[at++] = {row.high, row.whole, 8};
  }
  return parts;
}();

std::optional<RegisterName> FindRegister(std::string_view name) {
  if (name == "rip" || name == "eip") return RegisterName{name, "rip", 0};
  for (const RegisterName& part : kParts) {
    if (!part.name.empty() && part.name == name) return part;
  }
  constexpr std::array<std::string_view, 8> kNumbered = {"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"};
  for (std::string_view whole : kNumbered) {
    if (!name.starts_with(whole)) continue;
    const std::string_view rest = name.substr(whole.size());
    if (rest.empty() || rest == "d" || rest == "w" || rest == "b") return RegisterName{name, whole, 0};
  }
  return std::nullopt;
}

bool IsVectorRegister(std::string_view name) {
  return name.starts_with("xmm") || name.starts_with("ymm") || name.starts_with("st");
}

// A decimal or 0x number at the front of `text`, taken off; with `sign` also + and -.
std::optional<int64_t> TakeNumber(std::string_view& text) {
  std::string_view rest = text;
  bool negative = false;
  if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) {
    negative = rest[0] == '-';
    rest.remove_prefix(1);
  }
  const bool hex = rest.starts_with("0x");
  if (hex) rest.remove_prefix(2);
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value, hex ? 16 : 10);
  if (error != std::errc()) return std::nullopt;
  text = rest.substr(static_cast<size_t>(end - rest.data()));
  return static_cast<int64_t>(negative ? -value : value);
}

bool IsSymbolCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '$' ||
         c == '@';
}

// One argument at the front of a text.
class ArgumentParser {
 public:
  explicit ArgumentParser(std::string_view text) : text_(text) {}

  bool Parse(UsdtArgument& argument, std::string& symbol) {
    const std::optional<int64_t> size = TakeNumber(text_);
    if (!size) return false;
    argument.is_signed = *size < 0;
    const int64_t bytes = *size < 0 ? -*size : *size;
    if (Take('f')) argument.is_float = true;
    if (!Take('@') || (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8)) return false;
    argument.size = static_cast<uint32_t>(bytes);
    if (!ParseOperand(argument, symbol)) return false;
    return text_.empty() || text_[0] == ' ';
  }
  std::string_view rest() const { return text_; }

 private:
  bool Take(char c) {
    if (text_.empty() || text_[0] != c) return false;
    text_.remove_prefix(1);
    return true;
  }

  std::string_view TakeName() {
    size_t end = 0;
    while (end < text_.size() && IsSymbolCharacter(text_[end])) ++end;
    const std::string_view name = text_.substr(0, end);
    text_.remove_prefix(end);
    return name;
  }

  bool ParseOperand(UsdtArgument& argument, std::string& symbol) {
    if (Take('$')) {
      const std::optional<int64_t> value = TakeNumber(text_);
      argument.value = value.value_or(0);
      return value.has_value();
    }
    if (Take('%')) return ParseRegister(argument);
    return ParseMemory(argument, symbol);
  }

  bool ParseRegister(UsdtArgument& argument) {
    const std::string_view name = TakeName();
    argument.place = UsdtArgument::Place::Register;
    if (IsVectorRegister(name)) return argument.is_float = true;
    const std::optional<RegisterName> found = FindRegister(name);
    if (!found) return false;
    argument.base = found->whole;
    argument.shift = found->shift;
    return true;
  }

  bool ParseMemory(UsdtArgument& argument, std::string& symbol) {
    argument.place = UsdtArgument::Place::Memory;
    // A symbol, numbers, or both: `counter+4`, `4+counter`, `-8`.
    while (!text_.empty() && text_[0] != '(' && text_[0] != ' ') {
      if (const std::optional<int64_t> value = TakeNumber(text_)) {
        argument.value += *value;
        continue;
      }
      (void)Take('+');
      const std::string_view name = TakeName();
      if (name.empty() || !symbol.empty()) return false;
      symbol = name;
    }
    if (!Take('(')) return false;  // an absolute address: not in code that can be moved
    if (Take('%') && !TakeBase(argument.base)) return false;
    if (Take(',')) {
      if (!Take('%') || !TakeBase(argument.index)) return false;
      if (Take(',')) {
        const std::optional<int64_t> scale = TakeNumber(text_);
        if (!scale || *scale < 1 || *scale > 8) return false;
        argument.scale = static_cast<uint32_t>(*scale);
      }
    }
    return Take(')') && (symbol.empty() || argument.base == "rip");
  }

  bool TakeBase(std::string& to) {
    const std::optional<RegisterName> found = FindRegister(TakeName());
    if (!found) return false;
    to = found->whole;
    return true;
  }

  std::string_view text_;
};

}  // namespace

std::optional<ParsedUsdtArguments> ParseUsdtArguments(std::string_view text) {
  ParsedUsdtArguments parsed;
  for (;;) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    if (text.empty()) return parsed;
    if (parsed.arguments.size() == kMaxArguments) return std::nullopt;
    ArgumentParser parser(text);
    std::string symbol;
    if (!parser.Parse(parsed.arguments.emplace_back(), symbol)) return std::nullopt;
    if (!symbol.empty()) parsed.symbols.push_back({symbol, parsed.arguments.size() - 1});
    text = parser.rest();
  }
}

}  // namespace kawk
