// The machine that .eh_frame is a program for: it goes through a function's instructions and changes the rules as the
// function changes its frame.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "runtime/cfi_bytes.h"
#include "runtime/image/unwind.h"

namespace kawk {

// What functions have in common.
struct CfiCommon {
  uint64_t code_factor = 1;
  int64_t data_factor = -8;
  uint64_t return_register = 16;
  uint8_t encoding = 0;  // of addresses; 0: whole ones
  bool has_data = false;
  bool signal = false;  // functions that the kernel returns to from a signal's handler
};

class CfiRules {
 public:
  using Emit = std::function<void(uint64_t address, const image::UnwindRow& row)>;
  CfiRules(const CfiCommon& common, Emit emit) : common_(common), emit_(std::move(emit)) {}

  void Start(CfiBytes instructions);  // what all functions begin with
  void Function(uint64_t start, CfiBytes instructions);

 private:
  struct Rules {
    uint64_t cfa_register = 7;
    int64_t cfa_offset = 8;
    image::UnwindRow expression{};  // rule other than Unknown: instead of those two
    int64_t rbp = 0;                // bytes from the CFA; 0: unchanged
    bool rbp_at_rbp = false;
    bool lost = false;  // no caller, or what we cannot say
  };
  void Run(CfiBytes instructions);
  bool Step(CfiBytes& in);
  bool Define(uint8_t operation, CfiBytes& in);
  bool Rare(uint8_t operation, CfiBytes& in);
  void Saved(uint64_t reg, int64_t offset);
  void Changed(uint64_t reg, bool undefined);
  void Restore(uint64_t reg);
  void Advance(uint64_t by);
  image::UnwindRow Row() const;

  const CfiCommon& common_;
  const Emit emit_;
  uint64_t address_ = 0;
  bool in_function_ = false;
  Rules initial_, now_;
  std::vector<Rules> remembered_;
};

}  // namespace kawk
