// What inference knows of a value's type while it runs. More than a Type: integer literals have no type of their own yet but
// a range that the final type must hold, and compound assignments only ask for width. So `$a = 1; $a = pid` is a uint32, in
// any order, while `$a = 1; $a = -1` is an int8.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ast/types.h"

namespace kawk {

struct Flow {
  const Type* type = nullptr;  // what is known for sure; null: nothing
  // Integers that take the type of their context: literals, and what is computed from them alone.
  bool open = false;
  int64_t least = 0;  // the range of the literals seen, always around 0
  uint64_t most = 0;
  uint32_t bits = 0;      // width that is needed at least
  bool is_tuple = false;  // then members count, not type
  std::vector<Flow> members;
  std::vector<std::string> names;  // of a record's members; empty for tuples

  bool known() const { return type != nullptr || open || is_tuple; }

  static Flow Of(const Type* type);
  // A literal given by its bits; `negative` says how to read the top bit.
  static Flow Literal(uint64_t value, bool negative);
  // An integer of which only the width is known.
  static Flow Width(uint32_t bits);
};

// The type that a flow stands for as things are; null where any part is unknown.
const Type* TypeOfFlow(const Flow& flow, TypeTable& types);

// Whether tuples are nested deeper than the language allows: `@x = (@x, 1)` would go on for ever.
bool IsTooDeep(const Flow& flow);

// Makes `slot` hold values of `in` too. False when no type holds both; then `slot` is as it was. *lossy is set when a
// uint64 went into an int64.
bool Merge(Flow& slot, const Flow& in, TypeTable& types, bool* lossy = nullptr);

// Whether the literal's value (of an open flow) lies in an integer type.
bool Fits(const Flow& literal, const Type* type);

}  // namespace kawk
