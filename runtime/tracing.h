// Programs that the kernel ties to one function when it loads them: fentry, fexit and iterators. A probe on several functions
// is loaded once for each.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "runtime/image/image.h"
#include "runtime/perf.h"

struct bpf_object;
struct bpf_program;

namespace kawk {

// Whether programs of this kind are tied to their targets.
bool IsTied(image::AttachKind kind);

// Ties the programs of an object to their targets.
class Ties {
 public:
  // To be called before the object is opened.
  static void Prepare();
  // Of programs that are not loaded yet; each with its target.
  Status TieAll(const std::vector<std::pair<bpf_program*, const image::AttachSpec*>>& programs);
  // bpf_object__load.
  int Load(bpf_object* object) const;

 private:
  std::map<const bpf_program*, uint32_t> targets_;  // by ids in the kernel's types
};

// Loads copies of a program that is loaded, for targets beyond its first.
class TiedCopies {
 public:
  // The descriptor, or why there is none.
  Result<Fd> Load(const bpf_program* program, const image::AttachSpec& spec);

 private:
  // The BTF of a module, or of the kernel itself.
  struct Names {
    std::map<std::string, uint32_t, std::less<>> functions;  // to ids
    Fd btf;                                                  // of a module
  };
  const Names& NamesOf(const std::string& module);
  std::map<std::string, Names, std::less<>> modules_;
};

// Starts a reader of an iterator's link and reads to its end: the program runs for every object.
Status RunIterator(int link);

}  // namespace kawk
