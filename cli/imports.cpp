#include "cli/imports.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdlib>
#include <memory>
#include <set>

#include "host/files.h"
#include "parser/parser.h"

namespace kawk {
namespace {

constexpr size_t kLargestFile = 16u << 20;
constexpr std::string_view kScript = ".bt", kHeader = ".h", kSource = ".bpf.c";

// The folder that relative names in `file` begin at, with its `/`; empty: the working directory.
std::string FolderOf(const SourceMap& sources, uint32_t file, const std::string& script) {
  const std::string& name = file == 0 ? script : sources.name(file);
  const size_t slash = name.rfind('/');
  return slash == std::string::npos ? "" : name.substr(0, slash + 1);
}

std::string Under(const std::string& folder, const std::string& path) { return path.starts_with('/') ? path : folder + path; }

// The file itself, however it is named.
std::string Canonical(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(realpath(path.c_str(), nullptr), &std::free);
  return real ? real.get() : path;
}

class Loader {
 public:
  Loader(Ast& root, const std::string& script, SourceMap& sources, Witness& witness, Diagnostics& diagnostics)
      : root_(root), script_(script), sources_(sources), witness_(witness), diagnostics_(diagnostics) {
    if (!script.empty() && script != "-") seen_.insert(Canonical(script));
  }

  void Run() {
    Ast own;  // the root's lists, to come last
    Move(root_, own);
    const std::vector<Import> imports = std::move(root_.imports);
    for (const Import& import : imports) Load(import, FolderOf(sources_, 0, script_));
    Move(own, root_);
  }

 private:
  static void Move(Ast& from, Ast& to) {
    const auto append = [](auto& source, auto& target) {
      for (auto& item : source) target.push_back(std::move(item));
      source.clear();
    };
    append(from.c_definitions, to.c_definitions);
    append(from.map_decls, to.map_decls);
    append(from.macros, to.macros);
    append(from.probes, to.probes);
  }

  void Load(const Import& import, const std::string& folder) {
    const std::string path = Under(folder, import.path);
    struct stat info;
    if (stat(path.c_str(), &info) != 0) {
      diagnostics_.EmitWithHint(Diag::ImportMissing, import.location, fmt::format("looked for `{}`", path), import.path);
    } else if (S_ISDIR(info.st_mode)) {
      LoadFolder(import, path, (info.st_mode & S_IWOTH) != 0);
    } else if (!LoadFile(import, path)) {
      diagnostics_.EmitWithHint(Diag::ImportKind, import.location, "files to import end in .bt, .h or .bpf.c", import.path);
    }
  }

  void LoadFolder(const Import& import, const std::string& path, bool anybody_writes) {
    if (anybody_writes) {
      diagnostics_.EmitWithHint(Diag::ImportWritable, import.location, fmt::format("chmod o-w `{}`", path), import.path);
      return;
    }
    const Result<std::vector<std::string>> names = ListFolder(path, Entries::NotFolders);
    if (!names) {
      diagnostics_.EmitWithHint(Diag::HostError, import.location, names.error().hint, names.error().message);
      return;
    }
    witness_.AddFolder(path);
    for (const std::string& name : *names) LoadFile(import, path + "/" + name);  // others are no business of ours
  }

  // False when the name says that it is no file to import.
  bool LoadFile(const Import& import, const std::string& path) {
    const bool is_source = path.ends_with(kSource);
    if (!is_source && !path.ends_with(kHeader) && !path.ends_with(kScript)) return false;
    if (!seen_.insert(Canonical(path)).second) return true;
    if (is_source) {
      root_.c_sources.push_back({import.location, path});
    } else if (path.ends_with(kHeader)) {
      root_.c_definitions.push_back({import.location, fmt::format("#include \"{}\"", Canonical(path))});
    } else {
      LoadScript(import, path);
    }
    return true;
  }

  void LoadScript(const Import& import, const std::string& path) {
    Result<std::string> text = ReadFile(path, kLargestFile);
    witness_.AddFile(path);
    if (!text) {
      diagnostics_.EmitWithHint(Diag::HostError, import.location, text.error().hint, text.error().message);
      return;
    }
    const uint32_t file = sources_.Add(path, std::move(*text));
    std::unique_ptr<Ast> part = Parse(sources_, file, diagnostics_);
    for (const ConfigEntry& entry : part->config) diagnostics_.Emit(Diag::ImportedConfig, entry.location);
    for (const Import& inner : part->imports) Load(inner, FolderOf(sources_, file, script_));
    Move(*part, root_);
    root_.AdoptNodes(std::move(*part));
  }

  Ast& root_;
  const std::string& script_;
  SourceMap& sources_;
  Witness& witness_;
  Diagnostics& diagnostics_;
  std::set<std::string> seen_;
};

}  // namespace

void LoadImports(Ast& ast, const std::string& script, SourceMap& sources, Witness& witness, Diagnostics& diagnostics) {
  if (!ast.imports.empty()) Loader(ast, script, sources, witness, diagnostics).Run();
}

HeaderFinder FindHeadersIn(const std::vector<std::string>& folders, const std::string& script, SourceMap& sources,
                           Witness& witness) {
  return [&folders, &script, &sources, &witness](const std::string& name, bool quoted,
                                                 uint32_t from) -> std::optional<IncludedHeader> {
    std::vector<std::string> paths;
    if (quoted) paths.push_back(Under(FolderOf(sources, from, script), name));
    for (const std::string& folder : folders) paths.push_back(Under(folder + "/", name));
    for (const std::string& path : paths) {
      witness.AddFile(path);
      if (!IsRegular(path)) continue;
      for (uint32_t file = 1; file < sources.size(); ++file) {
        if (sources.name(file) == path) return IncludedHeader{file, sources.text(file), Canonical(path)};
      }
      Result<std::string> text = ReadFile(path, kLargestFile);
      if (!text) continue;
      const uint32_t file = sources.Add(path, std::move(*text));
      return IncludedHeader{file, sources.text(file), Canonical(path)};
    }
    return std::nullopt;
  };
}

}  // namespace kawk
