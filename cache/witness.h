// What the compiler asked the machine for, beyond what the key says. Each fact is a question that can be asked again and the
// digest of its answer; an entry may be used while all its facts hold.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/sha256.h"

namespace kawk {

class Host;

enum class FactKind : uint8_t {
#define FACT(id) id,
#include "cache/facts.def"
};
inline constexpr size_t kFactKinds = 0
#define FACT(id) +1
#include "cache/facts.def"
    ;

struct Fact {
  FactKind kind;
  std::vector<std::string> arguments;
  Digest answer;
};

class Witness {
 public:
  void Add(FactKind kind, std::vector<std::string> arguments, const Digest& answer);
  // A file's contents, or that there is none.
  void AddFile(const std::string& path);
  void AddFolder(const std::string& path);
  // Something that cannot be asked again was used: the result must not be kept. The first reason counts.
  void Forbid(const std::string& reason);

  const std::vector<Fact>& facts() const { return facts_; }
  const std::string& forbidden() const { return forbidden_; }  // empty: it may be kept

 private:
  std::vector<Fact> facts_;
  std::set<std::pair<FactKind, std::vector<std::string>>> known_;
  std::string forbidden_;
};

// Digests of files, for facts and keys.
Digest FileDigest(const std::string& path);    // what it holds, or that there is none
Digest FolderDigest(const std::string& path);  // names in it, and whether others may write to it
Digest FileIdentity(const std::string& path);  // which file it is: device, inode, size, times
Digest ModulesDigest();                        // which modules the kernel has loaded, by their build ids

// Whether the machine still answers as it did.
bool Holds(const Fact& fact, Host& host);

}  // namespace kawk
