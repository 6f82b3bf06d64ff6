#include "waf/rule_files.h"

#include <glob.h>
#include <strings.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>

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

// The argument of an Include directive, or nothing if the line is something else.
std::optional<std::string> IncludeArgument(std::string_view line) {
  constexpr std::string_view kName = "include";
  if (line.size() <= kName.size() || ::strncasecmp(line.data(), kName.data(), kName.size()) != 0 ||
      (line[kName.size()] != ' ' && line[kName.size()] != '\t')) {
    return std::nullopt;
  }
  std::string_view argument = Trim(line.substr(kName.size()));
  if (argument.size() >= 2 && argument.front() == '"' && argument.back() == '"') {
    argument = argument.substr(1, argument.size() - 2);
  }
  return std::string(argument);
}

constexpr std::string_view kOperators[] = {
    "beginsWith",
    "contains",
    "containsWord",
    "detectSQLi",
    "detectXSS",
    "endsWith",
    "eq",
    "fuzzyHash",
    "ge",
    "geoLookup",
    "gsbLookup",
    "gt",
    "inspectFile",
    "ipMatch",
    "ipMatchF",
    "ipMatchFromFile",
    "le",
    "lt",
    "noMatch",
    "pm",
    "pmf",
    "pmFromFile",
    "rbl",
    "rsub",
    "rx",
    "rxGlobal",
    "strEq",
    "strMatch",
    "unconditionalMatch",
    "validateByteRange",
    "validateDTD",
    "validateHash",
    "validateSchema",
    "validateUrlEncoding",
    "validateUtf8Encoding",
    "verifyCC",
    "verifyCPF",
    "verifySSN",
    "verifySVNR",
    "within",
};

// The name after the '@' of a SecRule's operator where the library has none
// such: it would silently search for the text as a regular expression.
std::string UnknownOperator(std::string_view statement) {
  constexpr std::string_view kName = "secrule";
  if (statement.size() <= kName.size() ||
      ::strncasecmp(statement.data(), kName.data(), kName.size()) != 0 ||
      (statement[kName.size()] != ' ' && statement[kName.size()] != '\t')) {
    return "";
  }
  std::string_view rest = Trim(statement.substr(kName.size()));
  // The variables: in quotes, or up to the first space that no '|' is next to.
  std::size_t end = 0;
  if (rest.starts_with('"')) {
    end = rest.find('"', 1);
  } else {
    do {
      end = rest.find_first_of(" \t", end + 1);
      if (end == std::string_view::npos) return "";
    } while (rest[end - 1] == '|' || Trim(rest.substr(end)).starts_with('|') ||
             rest[end - 1] == ' ');
  }
  if (end == std::string_view::npos) return "";
  rest = Trim(rest.substr(rest.starts_with('"') ? end + 1 : end));
  if (rest.starts_with('"')) rest = Trim(rest.substr(1));
  if (rest.starts_with('!')) rest = Trim(rest.substr(1));
  if (!rest.starts_with('@')) return "";
  rest.remove_prefix(1);
  const auto is_letter = [](unsigned char c) { return std::isalnum(c) != 0; };
  const std::string name(rest.begin(), std::find_if_not(rest.begin(), rest.end(), is_letter));
  for (const std::string_view known : kOperators) {
    if (known.size() == name.size() && ::strncasecmp(known.data(), name.data(), name.size()) == 0) {
      return "";
    }
  }
  return name;
}

class RuleWalk {
 public:
  explicit RuleWalk(std::vector<RuleError>* errors) : errors_(errors) {}

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
    int line_number = first_line;
    int statement_line = first_line;
    std::string statement;
    std::size_t start = 0;
    while (start < text.size()) {
      std::size_t end = text.find('\n', start);
      if (end == std::string::npos) end = text.size();
      const std::string_view line = Trim(std::string_view(text).substr(start, end - start));
      if (statement.empty()) statement_line = line_number;
      start = end + 1;
      ++line_number;
      if (!line.empty() && line.back() == '\\' && start < text.size()) {
        statement.append(line.substr(0, line.size() - 1)).append(" ");
        continue;
      }
      statement.append(line);
      Statement(statement, file, statement_line);
      statement.clear();
    }
  }

 private:
  void Statement(std::string_view statement, const std::string& file, int line) {
    if (const auto argument = IncludeArgument(statement)) return Include(*argument, file, line);
    const std::string name = UnknownOperator(statement);
    if (!name.empty()) Fail(file, line, "operator \"@" + name + "\" is not known");
  }

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

bool CheckInlineRules(const RuleSource& source, std::vector<RuleError>* errors) {
  const std::size_t before = errors->size();
  RuleWalk(errors).Text(source.text, source.file, source.line);
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
      if (!file->starts_with("<<")) error.file = *file;
      error.line = number;
      text = Trim(rest);
    }
  }
  error.message = text.empty() ? "the rules cannot be read" : std::string(text);
  return error;
}

}  // namespace framewall::waf
