#include "cli/recall.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "cache/entry.h"
#include "cache/key.h"
#include "cache/store.h"
#include "cache/witness.h"
#include "cli/compile.h"
#include "cli/files.h"
#include "host/host.h"

namespace kawk {
namespace {

// Why this start does without the cache; empty: it does not.
std::string Bypass(const Options& options) {
  const bool writes = !options.emit_elf.empty() || !options.emit_llvm.empty() || !options.emit_image.empty();
  if (!options.cache) return "--no-cache";
  if (!options.debug.empty() || writes) return "the compiler's own output is asked for";
  if (options.run.pid != 0) return "-p: a script for one process";
  return "";
}

// One start's way through the cache.
class Memory {
 public:
  explicit Memory(const Options& options) : options_(options) {}

  // False, with the reason told, when there is no cache to use.
  bool Open(const std::string& text) {
    std::string why = Bypass(options_);
    if (!why.empty()) return Tell("not used: " + why), false;
    Result<std::string> folder = CacheFolder();
    if (!folder) return Tell("not used: " + folder.error().message), false;
    Result<CacheStore> store = CacheStore::Open(*folder);
    if (!store) return Tell("not used: " + store.error().message), false;
    std::vector<std::string> words = options_.compile_words;
    words.insert(words.end(), {UseColor() ? "color" : "plain", text});
    Result<Digest> key = CacheKey(words);
    if (!key) return Tell("not used: " + key.error().message), false;
    store_.emplace(std::move(*store));
    key_ = *key;
    return true;
  }

  std::optional<GenerateOutput> Get() const {
    const std::optional<std::vector<uint8_t>> bytes = store_->Get(Hex(key_));
    if (!bytes) return Tell("miss"), std::nullopt;
    std::optional<CacheEntry> entry = UnpackEntry(*bytes, key_);
    if (!entry) return Tell("miss: the entry is damaged"), std::nullopt;
    const std::unique_ptr<Host> host = MakeHost();
    if (!std::all_of(entry->facts.begin(), entry->facts.end(), [&](const Fact& fact) { return Holds(fact, *host); })) {
      return Tell("miss: the machine has changed"), std::nullopt;
    }
    Result<image::Image> image = image::DeserializeImage(entry->image);
    if (!image) return Tell("miss: the entry is damaged"), std::nullopt;
    Tell("hit");
    std::fwrite(entry->messages.data(), 1, entry->messages.size(), stderr);
    GenerateOutput output;
    output.image = std::move(*image);
    return output;
  }

  void Put(const GenerateOutput& output, const Witness& witness, std::string said) const {
    if (!witness.forbidden().empty()) return Tell("not kept: " + witness.forbidden());
    const CacheEntry entry{key_, witness.facts(), std::move(said), SerializeImage(output.image)};
    if (const Status status = store_->Put(Hex(key_), PackEntry(entry)); !status) Tell("not kept: " + status.error().message);
  }

 private:
  void Tell(const std::string& what) const {
    if (options_.run.verbose) std::fputs(fmt::format("compile cache: {}\n", what).c_str(), stderr);
  }

  const Options& options_;
  std::optional<CacheStore> store_;
  Digest key_{};
};

}  // namespace

std::variant<GenerateOutput, int> Recall(const Options& options) {
  Result<std::string> text = options.program ? Result<std::string>(*options.program) : ReadScript(options.file);
  if (!text) return ReportError(text.error()), 1;
  Memory memory(options);
  const bool open = memory.Open(*text);
  if (open) {
    if (std::optional<GenerateOutput> known = memory.Get()) return std::move(*known);
  }
  Witness witness;
  std::string said;
  std::variant<GenerateOutput, int> compiled = Compile(options, std::move(*text), witness, said);
  const GenerateOutput* output = std::get_if<GenerateOutput>(&compiled);
  if (open && output != nullptr) memory.Put(*output, witness, std::move(said));
  return compiled;
}

}  // namespace kawk
