// The head of a location block, and the methods of limit_except.
#include <fmt/format.h>

#include <array>

#include "proxy/config/directives/directives.h"
#include "proxy/config/regex_use.h"
#include "proxy/config/setters.h"

namespace framewall::config {
namespace {

using Match = LocationConfig::Match;

// The modifier, apart or glued to the name, and the name.
Status SplitHead(const Directive& directive, Match* match, bool* ignore_case, std::string* name) {
  const std::string& first = directive.args[0];
  if (directive.args.size() == 2) {
    *name = directive.args[1];
    if (first == "=") {
      *match = Match::kExact;
    } else if (first == "^~") {
      *match = Match::kPrefixNoRegex;
    } else if (first == "~" || first == "~*") {
      *match = Match::kRegex;
      *ignore_case = first == "~*";
    } else {
      return OperatorError(fmt::format(
          "invalid location modifier \"{}\", \"=\", \"^~\", \"~\" or \"~*\" was expected", first));
    }
    return OkStatus();
  }
  std::string_view text = first;
  if (text.starts_with('=')) {
    *match = Match::kExact;
    text.remove_prefix(1);
  } else if (text.starts_with("^~")) {
    *match = Match::kPrefixNoRegex;
    text.remove_prefix(2);
  } else if (text.starts_with('~')) {
    *match = Match::kRegex;
    text.remove_prefix(1);
    if (text.starts_with('*')) {
      *ignore_case = true;
      text.remove_prefix(1);
    }
  } else if (text.starts_with('@')) {
    *match = Match::kNamed;
  } else {
    *match = Match::kPrefix;
  }
  *name = std::string(text);
  return OkStatus();
}

// nginx's rules for what may stand inside what.
Status CheckParent(const LocationConfig& parent, const LocationConfig& location) {
  if (parent.match == Match::kExact) {
    return OperatorError(fmt::format("location \"{}\" cannot be inside the exact location \"{}\"",
                                     location.name, parent.name));
  }
  if (parent.match == Match::kNamed) {
    return OperatorError(fmt::format("location \"{}\" cannot be inside the named location \"{}\"",
                                     location.name, parent.name));
  }
  if (location.match == Match::kNamed) {
    return OperatorError(
        fmt::format("named location \"{}\" can be on the server level only", location.name));
  }
  if (location.match != Match::kRegex && !location.name.starts_with(parent.name)) {
    return OperatorError(
        fmt::format("location \"{}\" is outside location \"{}\"", location.name, parent.name));
  }
  return OkStatus();
}

}  // namespace

Status ParseLocationMatch(BuildContext& context, const Directive& directive,
                          LocationConfig& location) {
  bool ignore_case = false;
  FW_TRY(SplitHead(directive, &location.match, &ignore_case, &location.name));
  if (location.match == Match::kRegex) {
    FW_ASSIGN(location.regex,
              CompileRegex(context.config, location.name,
                           ignore_case ? Regex::Case::kInsensitive : Regex::Case::kSensitive,
                           directive.at));
  }
  if (context.location == nullptr) return OkStatus();
  const LocationConfig& parent = *context.location;
  if (parent.match != Match::kServer) FW_TRY(CheckParent(parent, location));
  return OkStatus();
}

// http::Method's numbers; the http room stands beside this one, so a test compares the two lists.
Result<uint32_t> ParseLimitExceptMethods(const Directive& directive) {
  constexpr std::array<Word<int>, 15> kMethods = {{{"GET", 1},
                                                   {"HEAD", 2},
                                                   {"POST", 3},
                                                   {"PUT", 4},
                                                   {"DELETE", 5},
                                                   {"CONNECT", 6},
                                                   {"OPTIONS", 7},
                                                   {"PATCH", 9},
                                                   {"PROPFIND", 10},
                                                   {"PROPPATCH", 11},
                                                   {"MKCOL", 12},
                                                   {"COPY", 13},
                                                   {"MOVE", 14},
                                                   {"LOCK", 15},
                                                   {"UNLOCK", 16}}};
  uint32_t bits = 0;
  for (const std::string& arg : directive.args) {
    uint32_t bit = 0;
    for (const Word<int>& method : kMethods) {
      if (method.word == arg) bit = 1u << method.value;
    }
    if (bit == 0) return OperatorError(fmt::format("invalid method \"{}\"", arg));
    bits |= bit;
  }
  if ((bits & (1u << 1)) != 0) bits |= 1u << 2;
  return bits;
}

}  // namespace framewall::config
