// Where a tracepoint's field comes from, on this kernel: a row of stdlib/raw_fields.def with its names looked up in BTF.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ast/nodes.h"
#include "ast/type_source.h"
#include "base/result.h"

namespace kawk {

// What a term begins with. The last ones are whole values.
enum class RawRoot : uint8_t { Argument, Current, Number, Comm, SchedState, RequestSector, RequestSectors };

struct RawTerm {
  RawRoot root = RawRoot::Argument;
  uint32_t argument = 0;          // bytes from the start of the context
  uint64_t number = 0;            // Number
  std::vector<uint32_t> others;   // arguments that a whole value needs, too
  std::vector<uint32_t> offsets;  // from pointer to pointer; the last one leads to the value. None: the root is the value.
                                  // Of a whole value: members of what the argument points to
  bool known = true;              // the verifier knows what each pointer leads to
  bool swapped = false;           // big endian
  const Type* type = nullptr;     // of the value as the kernel has it; null: a helper makes it
  BinaryOp op = BinaryOp::Add;    // with what stands before it

  bool operator==(const RawTerm&) const = default;
};
using RawValue = std::vector<RawTerm>;

// `args`: the arguments of the raw tracepoint. The error says what BTF lacks.
Result<RawValue> ResolveRawValue(std::string_view from, const Type* args, TypeSource& source);
// Whether the value can be had as a field of this type.
bool Fits(const RawValue& value, const Type* field);

}  // namespace kawk
