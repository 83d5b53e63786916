// DWARF location expressions, as far as a program at a probe can follow them: registers, memory at a register and a
// distance, constants. Computed symbolically: a value is a register plus a number.
#include <algorithm>
#include <array>

#include "host/dwarf_file.h"

namespace kawk {
namespace {

constexpr std::array<const char*, 16> kRegisters = {"rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp",
                                                    "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
constexpr size_t kMostOperations = 256;
constexpr int64_t kReturnAddress = 8;  // bytes: at its entry a function's frame is what its caller has pushed

const char* Register(uint64_t number) { return number < kRegisters.size() ? kRegisters[number] : nullptr; }

struct Sum {
  std::string base;  // a register, or none
  int64_t number = 0;
};

class Evaluator {
 public:
  explicit Evaluator(const PlaceQuery& query) : query_(query) {}

  // Nothing when the expression needs more than a program can do.
  std::optional<std::vector<DebugPiece>> Evaluate(const Dwarf_Op* operations, size_t count, uint64_t size) {
    if (count == 0 || count > kMostOperations) return std::nullopt;
    for (size_t i = 0; i < count; ++i) {
      if (!Step(operations[i])) return std::nullopt;
    }
    if (pieces_.empty() && !TakePiece(size)) return std::nullopt;
    return pieces_;
  }

 private:
  bool Step(const Dwarf_Op& operation);
  bool Arithmetic(const Dwarf_Op& operation);
  bool PushFrame(int64_t distance);
  bool PushCfa();
  bool TakePiece(uint64_t size);
  bool Push(std::string base, int64_t number) {
    stack_.push_back({std::move(base), number});
    return true;
  }
  bool PushRegister(uint64_t number, int64_t distance) {
    const char* name = Register(number);
    return name != nullptr && Push(name, distance);
  }
  bool InRegister(uint64_t number) {
    place_ = DebugPiece::Place::Register;
    return PushRegister(number, 0);
  }

  const PlaceQuery& query_;
  std::vector<Sum> stack_;
  DebugPiece::Place place_ = DebugPiece::Place::Memory;
  std::vector<DebugPiece> pieces_;
};

bool Evaluator::TakePiece(uint64_t size) {
  if (stack_.empty() || size == 0 || size > UINT32_MAX) return false;
  pieces_.push_back({place_, stack_.back().base, stack_.back().number, static_cast<uint32_t>(size)});
  stack_.clear();
  place_ = DebugPiece::Place::Memory;
  return true;
}

// The frame as the call found it, by the rules for unwinding.
bool Evaluator::PushCfa() {
  if (query_.at_entry) return Push("rsp", kReturnAddress);
  Dwarf_Frame* frame = nullptr;
  if (query_.cfi == nullptr || dwarf_cfi_addrframe(query_.cfi, query_.address, &frame) != 0) return false;
  Dwarf_Op* operations = nullptr;
  size_t count = 0;
  bool pushed = false;
  if (dwarf_frame_cfa(frame, &operations, &count) == 0 && count == 1) {
    const Dwarf_Op& only = operations[0];
    if (only.atom >= DW_OP_breg0 && only.atom <= DW_OP_breg31)
      pushed = PushRegister(only.atom - DW_OP_breg0, static_cast<int64_t>(only.number));
    if (only.atom == DW_OP_bregx) pushed = PushRegister(only.number, static_cast<int64_t>(only.number2));
  }
  std::free(frame);
  return pushed;
}

bool Evaluator::PushFrame(int64_t distance) {
  Dwarf_Attribute attribute;
  Dwarf_Op* operations = nullptr;
  size_t count = 0;
  if (dwarf_attr_integrate(&query_.function, DW_AT_frame_base, &attribute) == nullptr) return false;
  if (dwarf_getlocation_addr(&attribute, query_.address, &operations, &count, 1) != 1 || count != 1) return false;
  const unsigned atom = operations[0].atom;
  if (atom == DW_OP_call_frame_cfa) {
    if (!PushCfa()) return false;
  } else if (atom == DW_OP_breg7 || atom == DW_OP_breg6) {
    if (!PushRegister(atom - DW_OP_breg0, static_cast<int64_t>(operations[0].number))) return false;
  } else if (atom == DW_OP_reg6 && query_.at_entry) {  // rbp, once the function has set it: two pushes below the caller's frame
    Push("rsp", kReturnAddress - 16);
  } else if (atom == DW_OP_reg6 || atom == DW_OP_reg7) {
    if (!PushRegister(atom - DW_OP_reg0, 0)) return false;
  } else {
    return false;
  }
  stack_.back().number += distance;
  return true;
}

bool Evaluator::Arithmetic(const Dwarf_Op& operation) {
  if (operation.atom == DW_OP_plus_uconst) {
    if (stack_.empty()) return false;
    stack_.back().number += static_cast<int64_t>(operation.number);
    return true;
  }
  if (stack_.size() < 2 || (operation.atom != DW_OP_plus && operation.atom != DW_OP_minus)) return false;
  const Sum right = stack_.back();
  stack_.pop_back();
  Sum& left = stack_.back();
  if (operation.atom == DW_OP_minus) {
    left.number -= right.number;
    return right.base.empty();
  }
  left.number += right.number;
  if (!left.base.empty() && !right.base.empty()) return false;
  if (left.base.empty()) left.base = right.base;
  return true;
}

bool Evaluator::Step(const Dwarf_Op& operation) {
  const unsigned atom = operation.atom;
  const auto number = static_cast<int64_t>(operation.number);
  if (atom >= DW_OP_reg0 && atom <= DW_OP_reg31) return InRegister(atom - DW_OP_reg0);
  if (atom >= DW_OP_breg0 && atom <= DW_OP_breg31) return PushRegister(atom - DW_OP_breg0, number);
  if (atom >= DW_OP_lit0 && atom <= DW_OP_lit31) return Push("", static_cast<int64_t>(atom - DW_OP_lit0));
  switch (atom) {
    case DW_OP_regx: return InRegister(operation.number);
    case DW_OP_bregx: return PushRegister(operation.number, static_cast<int64_t>(operation.number2));
    case DW_OP_fbreg: return PushFrame(number);
    case DW_OP_call_frame_cfa: return PushCfa();
    case DW_OP_const1u:
    case DW_OP_const2u:
    case DW_OP_const4u:
    case DW_OP_const8u:
    case DW_OP_constu:
    case DW_OP_const1s:
    case DW_OP_const2s:
    case DW_OP_const4s:
    case DW_OP_const8s:
    case DW_OP_consts: return Push("", number);
    case DW_OP_stack_value: place_ = DebugPiece::Place::Value; return !stack_.empty();
    case DW_OP_piece: return TakePiece(operation.number);
    case DW_OP_nop: return true;
    default: return Arithmetic(operation);
  }
}

// A parameter of which all calls give the same constant.
std::vector<DebugPiece> Constant(Dwarf_Die& parameter, uint64_t size) {
  Dwarf_Attribute attribute;
  Dwarf_Sword value = 0;
  if (dwarf_attr_integrate(&parameter, DW_AT_const_value, &attribute) == nullptr) return {};
  if (size == 0 || size > 8 || dwarf_formsdata(&attribute, &value) != 0) return {};
  return {{DebugPiece::Place::Value, "", value, static_cast<uint32_t>(size)}};
}

}  // namespace

std::vector<DebugPiece> PlaceByLocation(const PlaceQuery& query, Dwarf_Die& parameter, uint64_t size, bool& later) {
  Dwarf_Attribute attribute;
  if (dwarf_attr_integrate(&parameter, DW_AT_location, &attribute) == nullptr) return Constant(parameter, size);
  Dwarf_Op* operations = nullptr;
  size_t count = 0;
  if (dwarf_getlocation_addr(&attribute, query.address, &operations, &count, 1) != 1) return {};
  std::optional<std::vector<DebugPiece>> pieces = Evaluator(query).Evaluate(operations, count, size);
  if (!pieces) return {};
  // At the entry only what the caller has pushed is in memory.
  later = query.at_entry && std::any_of(pieces->begin(), pieces->end(), [](const DebugPiece& piece) {
            return piece.place == DebugPiece::Place::Memory && piece.base == "rsp" && piece.offset < kReturnAddress;
          });
  return *pieces;
}

}  // namespace kawk
