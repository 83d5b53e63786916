#include "runtime/cfi_rules.h"

#include <dwarf.h>

#include <limits>

namespace kawk {

using image::UnwindRow;
using image::UnwindRule;

namespace {

constexpr uint64_t kRbp = 6, kRsp = 7;
constexpr size_t kMostRemembered = 64;
constexpr int64_t kWord = 8;

template <class T>
bool FitsWords(int64_t bytes) {
  return bytes % kWord == 0 && bytes / kWord >= std::numeric_limits<T>::min() && bytes / kWord < std::numeric_limits<T>::max();
}

// The CFAs that compilers and assemblers write as an expression; others are UnwindRule::End.
UnwindRow OfExpression(CfiBytes in) {
  const UnwindRow other{.start = 0, .rule = UnwindRule::End, .saved = 0, .offset = 0};
  const auto first = in.Read<uint8_t>();
  if (first != DW_OP_breg0 + kRsp && first != DW_OP_breg0 + kRbp) return other;
  const bool rsp = first == DW_OP_breg0 + kRsp;
  const int64_t offset = in.Signed();
  const auto next = in.Read<uint8_t>();
  if (next == DW_OP_deref && FitsWords<int16_t>(offset)) {
    const auto words = static_cast<int16_t>(offset / kWord);
    if (!rsp && in.done()) return {0, UnwindRule::AtRbp, 0, words};
    if (rsp && in.Read<uint8_t>() == DW_OP_plus_uconst && in.Unsigned() == 8 && in.done())
      return {0, UnwindRule::AtRsp, 0, words};
    return other;
  }
  // rsp + 8 + ((rip & 15) >= N) * 8
  if (!rsp || offset != 8 || next != DW_OP_breg16 || in.Signed() != 0) return other;
  if (in.Read<uint8_t>() != DW_OP_lit15 || in.Read<uint8_t>() != DW_OP_and) return other;
  const auto from = in.Read<uint8_t>();
  if (from < DW_OP_lit0 || from > DW_OP_lit15) return other;
  for (const uint8_t operation : {DW_OP_ge, DW_OP_lit3, DW_OP_shl, DW_OP_plus}) {
    if (in.Read<uint8_t>() != operation) return other;
  }
  return {0, UnwindRule::Plt, static_cast<int8_t>(from - DW_OP_lit0), 0};
}

}  // namespace

void CfiRules::Start(CfiBytes instructions) {
  now_ = Rules{};
  in_function_ = false;
  Run(instructions);
  initial_ = now_;
}

void CfiRules::Function(uint64_t start, CfiBytes instructions) {
  now_ = initial_;
  address_ = start;
  in_function_ = true;
  remembered_.clear();
  Run(instructions);
  emit_(address_, Row());
}

UnwindRow CfiRules::Row() const {
  UnwindRow row{};
  const bool plain = now_.expression.rule == UnwindRule::Unknown;
  if (common_.signal) {
    row.rule = UnwindRule::Signal;
  } else if (now_.lost) {
    row.rule = UnwindRule::End;
  } else if (!plain) {
    row = now_.expression;
  } else if ((now_.cfa_register != kRsp && now_.cfa_register != kRbp) || !FitsWords<int16_t>(now_.cfa_offset)) {
    row.rule = UnwindRule::End;
  } else {
    row.rule = now_.cfa_register == kRsp ? UnwindRule::Rsp : UnwindRule::Rbp;
    row.offset = static_cast<int16_t>(now_.cfa_offset / kWord);
  }
  if (row.rule == UnwindRule::Signal || row.rule == UnwindRule::End || row.rule == UnwindRule::Plt) return row;
  if (now_.rbp_at_rbp) {
    row.saved = image::kSavedAtRbp;
  } else if (FitsWords<int8_t>(now_.rbp)) {
    row.saved = static_cast<int8_t>(now_.rbp / kWord);
  } else {
    row.rule = UnwindRule::End;
  }
  return row;
}

void CfiRules::Advance(uint64_t by) {
  if (!in_function_) return;
  emit_(address_, Row());
  address_ += by * common_.code_factor;
}

void CfiRules::Run(CfiBytes instructions) {
  while (!instructions.done() && Step(instructions)) {
  }
}

void CfiRules::Saved(uint64_t reg, int64_t offset) {
  if (reg == common_.return_register && offset != -kWord) now_.lost = true;
  if (reg != kRbp) return;
  now_.rbp = offset;
  now_.rbp_at_rbp = false;
}

// To something that we keep no account of.
void CfiRules::Changed(uint64_t reg, bool undefined) {
  if (reg == common_.return_register) now_.lost = true;
  if (reg == kRbp && undefined) now_.rbp = 0;
}

void CfiRules::Restore(uint64_t reg) {
  if (reg == kRbp) now_.rbp = initial_.rbp, now_.rbp_at_rbp = initial_.rbp_at_rbp;
  if (reg == common_.return_register) now_.lost = initial_.lost;
}

// One instruction; false: one that we do not know, and so cannot skip.
bool CfiRules::Step(CfiBytes& in) {
  const auto operation = in.Read<uint8_t>();
  const uint8_t low = operation & 0x3f;
  switch (operation & 0xc0) {
    case DW_CFA_advance_loc: Advance(low); return true;
    case DW_CFA_offset: Saved(low, static_cast<int64_t>(in.Unsigned()) * common_.data_factor); return true;
    case DW_CFA_restore: Restore(low); return true;
    default: break;
  }
  switch (operation) {
    case DW_CFA_nop: return true;
    case DW_CFA_set_loc: {
      const uint64_t to = in.Pointer(common_.encoding);
      if (in_function_) emit_(address_, Row());
      address_ = to;
      return true;
    }
    case DW_CFA_advance_loc1: Advance(in.Read<uint8_t>()); return true;
    case DW_CFA_advance_loc2: Advance(in.Read<uint16_t>()); return true;
    case DW_CFA_advance_loc4: Advance(in.Read<uint32_t>()); return true;
    case DW_CFA_remember_state:
      if (remembered_.size() >= kMostRemembered) return false;
      remembered_.push_back(now_);
      return true;
    case DW_CFA_restore_state:
      if (remembered_.empty()) return false;
      now_ = remembered_.back();
      remembered_.pop_back();
      return true;
    default: return Define(operation, in);
  }
}

bool CfiRules::Define(uint8_t operation, CfiBytes& in) {
  switch (operation) {
    case DW_CFA_def_cfa:
      now_.cfa_register = in.Unsigned();
      now_.cfa_offset = static_cast<int64_t>(in.Unsigned());
      break;
    case DW_CFA_def_cfa_sf:
      now_.cfa_register = in.Unsigned();
      now_.cfa_offset = in.Signed() * common_.data_factor;
      break;
    case DW_CFA_def_cfa_register: now_.cfa_register = in.Unsigned(); break;
    case DW_CFA_def_cfa_offset: now_.cfa_offset = static_cast<int64_t>(in.Unsigned()); break;
    case DW_CFA_def_cfa_offset_sf: now_.cfa_offset = in.Signed() * common_.data_factor; break;
    case DW_CFA_def_cfa_expression: now_.expression = OfExpression(in.Take(in.Unsigned())); return true;
    default: return Rare(operation, in);
  }
  now_.expression = {};
  return true;
}

bool CfiRules::Rare(uint8_t operation, CfiBytes& in) {
  switch (operation) {
    case DW_CFA_offset_extended: {
      const uint64_t reg = in.Unsigned();
      Saved(reg, static_cast<int64_t>(in.Unsigned()) * common_.data_factor);
      return true;
    }
    case DW_CFA_offset_extended_sf: {
      const uint64_t reg = in.Unsigned();
      Saved(reg, in.Signed() * common_.data_factor);
      return true;
    }
    case DW_CFA_restore_extended: Restore(in.Unsigned()); return true;
    case DW_CFA_undefined: Changed(in.Unsigned(), true); return true;
    case DW_CFA_same_value: {
      const uint64_t reg = in.Unsigned();
      if (reg == kRbp) now_.rbp = 0, now_.rbp_at_rbp = false;
      return true;
    }
    case DW_CFA_register:
    case DW_CFA_val_offset:
    case DW_CFA_val_offset_sf: {
      Changed(in.Unsigned(), false);
      in.Unsigned();
      return true;
    }
    case DW_CFA_expression: {
      const uint64_t reg = in.Unsigned();
      CfiBytes expression = in.Take(in.Unsigned());
      Changed(reg, false);
      const bool rbp = expression.Read<uint8_t>() == DW_OP_breg0 + kRbp;
      if (reg == kRbp && rbp && expression.Signed() == 0 && expression.done()) now_.rbp_at_rbp = true;
      return true;
    }
    case DW_CFA_val_expression: {
      Changed(in.Unsigned(), false);
      in.Take(in.Unsigned());
      return true;
    }
    case DW_CFA_GNU_args_size: in.Unsigned(); return true;
    default: return false;
  }
}

}  // namespace kawk
