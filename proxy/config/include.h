// Files to one tree: reads the main file and, in place, what `include` names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/config/diagnostics.h"
#include "proxy/config/directive.h"
#include "proxy/config/model/http.h"

namespace framewall::config {

// Reads files into `config.files`. The ending ".yaml" or ".yml" of a name chooses the language, so
// a file of one may include a file of the other.
class TreeReader {
 public:
  TreeReader(Config& config, Diagnostics& diagnostics)
      : config_(config), diagnostics_(diagnostics) {}

  // Appends the tree of a file, with its includes in place of the directives that name them.
  // `from` is the include, or no place for the main file.
  void ReadFile(const std::string& path, const SourceLocation& from, std::vector<Directive>& tree);

 private:
  const SourceFile* Load(const std::string& path, const SourceLocation& from);
  void Expand(std::vector<Directive>& block);
  void Include(const Directive& include, std::vector<Directive>& block);

  Config& config_;
  Diagnostics& diagnostics_;
  std::vector<std::string> open_;  // being read now, outermost first
  int included_ = 0;
};

}  // namespace framewall::config
