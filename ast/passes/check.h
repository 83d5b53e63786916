// The inside of the check pass: what visits a unit and what looks at one call.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "ast/nodes.h"
#include "ast/passes/fold.h"
#include "ast/typed.h"
#include "base/diagnostics.h"

namespace kawk {

// The kinds of probe whose flags have one of `mask`, by comma.
std::string ProbesWith(uint32_t mask);
// Names of maps, for did-you-mean.
std::vector<std::string> MapNames(const Typed& typed);

class CallChecker {
 public:
  CallChecker(const ScriptInput& input, Typed& typed, Diagnostics& diagnostics)
      : input_(input), typed_(typed), diagnostics_(diagnostics) {}
  void StartUnit(const ProbeUnit& unit) { unit_ = &unit; }
  // Within code that a constant condition leaves out, `fail` and `static_assert` say nothing.
  void EnterDead() { ++dead_; }
  void LeaveDead() { --dead_; }
  void Check(const Call& call);

 private:
  std::optional<Known> KnownValue(const Call& call, size_t arg) const;
  void CheckMapDefined(const Call& call);
  void CheckPinned(const Call& call, const FunctionRow& row);
  void CheckPinnedFormat(const Call& call, const std::vector<FormatSpec>& pieces);
  void CheckPrint(const Call& call);
  void CheckDelete(const Call& call);
  void CheckHist(const Call& call);
  void CheckLhist(const Call& call);
  void CheckTseries(const Call& call);
  void CheckNotNegative(const Call& call, size_t arg, std::string_view name);
  void CheckStr(const Call& call);
  void CheckBuf(const Call& call);
  void CheckLen(const Call& call);
  void CheckSkboutput(const Call& call);
  void CheckNtop(const Call& call);
  void CheckMacaddr(const Call& call);
  void CheckStrftime(const Call& call);
  // --- c_functions.cpp
  void CheckC(const Call& call, const CFunctionInfo& function);
  // --- check_library.cpp
  bool CheckPlace(const Call& call, const FunctionRow& row);
  void CheckStrcap(const Call& call);
  void CheckReg(const Call& call);
  void CheckTask(const Call& call);
  void CheckPath(const Call& call);
  void CheckFind(const Call& call);
  void CheckStructs(const Call& call, std::initializer_list<const char*> names);
  void CheckPton(const Call& call);
  void CheckSignal(const Call& call);
  void CheckBytes(const Call& call, std::initializer_list<size_t> operands, size_t count);
  void CheckStaticAssert(const Call& call);
  void CheckFail(const Call& call);
  void CheckTexts(const Call& call, size_t count);
  void CheckFormat(const Call& call);

  const ScriptInput& input_;
  Typed& typed_;
  Diagnostics& diagnostics_;
  const ProbeUnit* unit_ = nullptr;
  int dead_ = 0;
};

}  // namespace kawk
