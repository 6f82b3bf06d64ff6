#include "proxy/config/include.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>

#include "proxy/base/text.h"
#include "proxy/base/unique_fd.h"
#include "proxy/config/nginx_reader.h"
#include "proxy/config/yaml_reader.h"

namespace framewall::config {
namespace {

// Files that include files that include files: an end to it.
constexpr int kMaxIncluded = 10000;

std::string SystemText(std::string_view call, std::string_view path, int code) {
  return fmt::format("{} \"{}\" failed ({}: {})", call, path, code, std::strerror(code));
}

bool IsYaml(std::string_view path) { return path.ends_with(".yaml") || path.ends_with(".yml"); }

}  // namespace

const SourceFile* TreeReader::Load(const std::string& path, const SourceLocation& from) {
  if (const SourceFile* known = config_.files.Find(path)) return known;
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) {
    diagnostics_.Error(from, SystemText("open()", path, errno));
    return nullptr;
  }
  std::string text;
  std::array<char, 65536> piece;
  while (true) {
    const ssize_t count = ::read(file.get(), piece.data(), piece.size());
    if (count == 0) break;
    if (count < 0) {
      if (errno == EINTR) continue;
      diagnostics_.Error(from, SystemText("read()", path, errno));
      return nullptr;
    }
    text.append(piece.data(), static_cast<size_t>(count));
  }
  return &config_.files.Add(path, std::move(text));
}

void TreeReader::ReadFile(const std::string& path, const SourceLocation& from,
                          std::vector<Directive>& tree) {
  if (std::find(open_.begin(), open_.end(), path) != open_.end()) {
    diagnostics_.Error(from, fmt::format("\"{}\" includes itself", path));
    return;
  }
  if (++included_ > kMaxIncluded) {
    if (included_ == kMaxIncluded + 1) {
      diagnostics_.Error(from, fmt::format("more than {} files are included", kMaxIncluded));
    }
    return;
  }
  const SourceFile* file = Load(path, from);
  if (file == nullptr) return;
  std::vector<Directive> own;
  if (IsYaml(path)) {
    ReadYamlText(file->text, file->path, diagnostics_, own);
  } else {
    ReadNginxText(file->text, file->path, diagnostics_, own);
  }
  open_.push_back(path);
  Expand(own);
  open_.pop_back();
  std::move(own.begin(), own.end(), std::back_inserter(tree));
}

void TreeReader::Expand(std::vector<Directive>& block) {
  const auto is_include = [](const Directive& directive) { return directive.name == "include"; };
  std::vector<Directive> expanded;
  const bool has_include = std::any_of(block.begin(), block.end(), is_include);
  if (has_include) expanded.reserve(block.size());
  for (Directive& directive : block) {
    Expand(directive.block);
    if (!has_include) continue;
    // Inside `map` a key may be called so; with other arguments the table decides.
    if (is_include(directive) && !directive.has_block && directive.args.size() == 1) {
      Include(directive, expanded);
    } else {
      expanded.push_back(std::move(directive));
    }
  }
  if (has_include) block = std::move(expanded);
}

void TreeReader::Include(const Directive& include, std::vector<Directive>& block) {
  const std::string path = config_.ConfPath(include.args[0]);
  if (path.find_first_of("*?[") == std::string::npos) {
    ReadFile(path, include.at, block);
    return;
  }
  glob_t found{};
  const int outcome = ::glob(path.c_str(), 0, nullptr, &found);
  if (outcome != 0 && outcome != GLOB_NOMATCH) {
    diagnostics_.Error(include.at, SystemText("glob()", path, errno));
  }
  const std::vector<std::string> paths(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  for (const std::string& each : paths) ReadFile(each, include.at, block);
}

}  // namespace framewall::config
