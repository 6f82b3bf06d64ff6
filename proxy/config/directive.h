// The configuration as a tree, whatever language it was written in.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace framewall::config {

// Where a directive stands. `file` is owned by SourceFiles and lives as long as the Config.
struct SourceLocation {
  std::string_view file;
  int line = 0;
};

// One directive: `name args... ;` or `name args... { block }`.
// Arguments are as the reader understood them: quotes and escapes are gone.
struct Directive {
  std::string name;
  std::vector<std::string> args;
  bool has_block = false;
  std::vector<Directive> block;
  SourceLocation at;
};

// Files that were read, in order, each once: for -T and for locations.
struct SourceFile {
  std::string path;  // absolute
  std::string text;
};

class SourceFiles {
 public:
  // Returns the file; its path and text do not move.
  const SourceFile& Add(std::string path, std::string text) {
    return files_.emplace_back(SourceFile{std::move(path), std::move(text)});
  }
  const SourceFile* Find(std::string_view path) const {
    for (const SourceFile& file : files_) {
      if (file.path == path) return &file;
    }
    return nullptr;
  }
  auto begin() const { return files_.begin(); }
  auto end() const { return files_.end(); }

 private:
  std::deque<SourceFile> files_;
};

}  // namespace framewall::config
