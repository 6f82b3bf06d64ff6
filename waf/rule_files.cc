#include "waf/rule_files.h"

#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>

#include "waf/rule_check.h"
#include "waf/rule_text.h"
#include "waf/rule_words.h"

namespace framewall::waf {
namespace {

constexpr std::size_t kMaxDepth = 32;

std::string_view Trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::optional<std::string> ReadFile(const std::string& path, std::string* error) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    *error = "rule file \"" + path + "\" cannot be opened: " + std::strerror(errno);
    return std::nullopt;
  }
  if (!S_ISREG(info.st_mode)) {
    *error = "rule file \"" + path + "\" is not a regular file";
    return std::nullopt;
  }
  std::ifstream file(path);
  if (!file) {
    *error = "rule file \"" + path + "\" cannot be opened: " + std::strerror(errno);
    return std::nullopt;
  }
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::vector<std::string> Matches(const std::string& pattern) {
  std::vector<std::string> paths;
  glob_t found{};
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  return paths;
}

class RuleWalk {
 public:
  explicit RuleWalk(std::vector<RuleError>* errors) : errors_(errors), checker_(errors) {}

  void File(const std::string& path, const std::string& from, int from_line) {
    std::string error;
    const std::optional<std::string> text = ReadFile(path, &error);
    if (!text) return Fail(from, from_line, error);
    if (std::find(open_.begin(), open_.end(), path) != open_.end()) {
      return Fail(from, from_line, "\"" + path + "\" is included by itself");
    }
    if (open_.size() >= kMaxDepth) return Fail(from, from_line, "includes are nested too deep");
    open_.push_back(path);
    Text(*text, path, 1);
    open_.pop_back();
  }

  void Text(const std::string& text, const std::string& file, int first_line) {
    RuleReader reader(text, first_line);
    RuleStatement statement;
    std::vector<RuleFault> faults;
    while (reader.Next(&statement, &faults)) {
      for (const RuleFault& fault : faults) Fail(file, fault.line, fault.message);
      faults.clear();
      checker_.Check(statement, file);
      if (!statement.faulty && EqualWords(statement.name, "Include") &&
          statement.words.size() == 1) {
        Include(std::string(statement.words[0].text), file, statement.line);
      }
    }
    for (const RuleFault& fault : faults) Fail(file, fault.line, fault.message);
  }

 private:
  void Include(const std::string& argument, const std::string& file, int line) {
    // As the library looks: here first, then beside the including file.
    std::vector<std::string> paths = Matches(argument);
    if (paths.empty() && !argument.starts_with('/')) {
      const auto slash = file.rfind('/');
      if (slash != std::string::npos) paths = Matches(file.substr(0, slash + 1) + argument);
    }
    if (paths.empty()) {
      // What the library expands beyond globs (variables, ~) is left to it.
      if (argument.find_first_of("$~`") != std::string::npos) return;
      return Fail(file, line, "Include \"" + argument + "\" matches no file");
    }
    for (const std::string& path : paths) File(path, file, line);
  }

  void Fail(const std::string& file, int line, const std::string& message) {
    errors_->push_back({file, line, message});
  }

  std::vector<RuleError>* errors_;
  RuleChecker checker_;
  std::vector<std::string> open_;
};

// Takes "Key: value. " off the front of `text`; the value ends at the first ". ".
std::optional<std::string_view> TakeField(std::string_view& text, std::string_view key) {
  if (!text.starts_with(key)) return std::nullopt;
  const auto end = text.find(". ", key.size());
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view value = text.substr(key.size(), end - key.size());
  text.remove_prefix(end + 2);
  return value;
}

}  // namespace

std::string AbsolutePath(const std::string& base_directory, const std::string& path) {
  if (path.empty() || path.front() == '/' || base_directory.empty()) return path;
  return base_directory.back() == '/' ? base_directory + path : base_directory + "/" + path;
}

bool CheckRuleFile(const std::string& path, std::vector<RuleError>* errors) {
  const std::size_t before = errors->size();
  RuleWalk(errors).File(path, path, 0);
  return errors->size() == before;
}

bool CheckRules(const std::string& text, const std::string& name, int line,
                std::vector<RuleError>* errors) {
  const std::size_t before = errors->size();
  RuleWalk(errors).Text(text, name, line);
  return errors->size() == before;
}

RuleError ParseLibraryError(std::string_view text, const RuleSource& source) {
  text = Trim(text);
  RuleError error{source.file, source.line, ""};
  std::string_view rest = text;
  constexpr std::string_view kStart = "Rules error. ";
  if (rest.starts_with(kStart)) {
    rest.remove_prefix(kStart.size());
    const auto file = TakeField(rest, "File: ");
    const auto line = file ? TakeField(rest, "Line: ") : std::nullopt;
    const auto column = line ? TakeField(rest, "Column: ") : std::nullopt;
    int number = 0;
    if (column &&
        std::from_chars(line->data(), line->data() + line->size(), number).ec == std::errc()) {
      // Without a file the line is that of nothing either.
      if (!file->empty() && !file->starts_with("<<")) error.file = *file;
      if (!file->empty()) error.line = number;
      text = Trim(rest);
    }
  }
  // Of SecRemoteRules; all that is left of the rules stands before it.
  if (const auto reason = text.rfind(" - Failed to download: "); reason != std::string_view::npos) {
    text.remove_prefix(reason + 3);
  }
  error.message = text.empty() ? "the rules cannot be read" : std::string(text);
  return error;
}

}  // namespace framewall::waf
