// set, return, rewrite, if, break: instructions appended to the block's program.
#include <fmt/format.h>

#include <utility>

#include "proxy/base/text.h"
#include "proxy/config/directives/directives.h"
#include "proxy/config/directives/rows.h"
#include "proxy/config/regex_use.h"
#include "proxy/config/setters.h"
#include "proxy/config/template_parser.h"

namespace framewall::config {
namespace {

using Kind = RewriteInstruction::Kind;
using Flags = RewriteInstruction::Flag;

bool IsUrl(std::string_view text) {
  return text.starts_with("http://") || text.starts_with("https://") || text.starts_with("$scheme");
}

RewriteInstruction Make(Kind kind, const Directive& directive) {
  RewriteInstruction instruction;
  instruction.kind = kind;
  instruction.at = directive.at;
  return instruction;
}

void ApplySet(BuildContext& context, const Directive& directive) {
  const std::string& text = directive.args[0];
  const std::string_view name = VariableNameOf(text);
  if (name.empty()) {
    context.Error(
        directive,
        fmt::format("invalid variable name \"{}\" in \"set\" directive, it takes $NAME VALUE",
                    text));
    return;
  }
  RewriteInstruction instruction = Make(Kind::kSet, directive);
  auto value = ReadTemplate(context, directive, directive.args[1]);
  if (!value) return;
  instruction.replacement = std::move(*value);
  instruction.variable =
      context.config.variables.Define(ToLower(name), VariableKind::kSet, -1, directive.at);
  context.rewrite->push_back(std::move(instruction));
}

void ApplyReturn(BuildContext& context, const Directive& directive) {
  RewriteInstruction instruction = Make(Kind::kReturn, directive);
  const std::string& first = directive.args[0];
  const bool has_two = directive.args.size() == 2;
  const auto invalid = [&] {
    context.Error(directive, fmt::format("invalid return code \"{}\", CODE [TEXT], CODE URL or URL "
                                         "was expected",
                                         first));
  };
  const std::string* text = has_two ? &directive.args[1] : nullptr;
  if (const auto status = ParseUnsigned(first)) {
    if (*status > 999) return invalid();
    instruction.status = static_cast<int>(*status);
  } else {
    if (has_two || !IsUrl(first)) return invalid();
    instruction.status = 302;
    text = &first;
  }
  if (text != nullptr) {
    auto value = ReadTemplate(context, directive, *text);
    if (!value) return;
    instruction.has_text = true;
    instruction.replacement = std::move(*value);
  }
  context.rewrite->push_back(std::move(instruction));
}

void ApplyRewrite(BuildContext& context, const Directive& directive) {
  RewriteInstruction instruction = Make(Kind::kRewrite, directive);
  auto regex =
      CompileRegex(context.config, directive.args[0], Regex::Case::kSensitive, directive.at);
  if (!regex) {
    context.Error(directive, regex.error().message);
    return;
  }
  instruction.regex = std::move(*regex);
  std::string_view replacement = directive.args[1];
  if (replacement.empty()) {
    context.Error(directive, "empty replacement in \"rewrite\" directive");
    return;
  }
  instruction.redirects = IsUrl(replacement);
  if (directive.args.size() == 3) {
    const std::string& flag = directive.args[2];
    if (flag == "last") {
      instruction.flag = Flags::kLast;
    } else if (flag == "break") {
      instruction.flag = Flags::kBreak;
    } else if (flag == "redirect") {
      instruction.flag = Flags::kRedirect;
    } else if (flag == "permanent") {
      instruction.flag = Flags::kPermanent;
    } else {
      ReportInvalidParameter(context, directive, flag,
                             "REGEX REPLACEMENT [last | break | redirect | permanent]");
      return;
    }
  }
  instruction.redirects = instruction.redirects || instruction.flag == Flags::kRedirect ||
                          instruction.flag == Flags::kPermanent;
  if (replacement.ends_with('?')) {
    instruction.drop_args = true;
    replacement.remove_suffix(1);
  }
  auto value = ReadTemplate(context, directive, replacement);
  if (!value) return;
  instruction.replacement = std::move(*value);
  context.rewrite->push_back(std::move(instruction));
}

void ApplyBreak(BuildContext& context, const Directive& directive) {
  context.rewrite->push_back(Make(Kind::kBreak, directive));
}

Error InvalidCondition(std::string_view text) {
  return OperatorError(
      fmt::format("invalid condition \"{}\", ($NAME), ($NAME = TEXT), ($NAME ~ "
                  "REGEX) or (-f PATH) was expected",
                  text));
}

// The words between the parentheses; these may stand apart or touch the words.
Result<std::vector<std::string_view>> InsideParentheses(const std::vector<std::string>& args) {
  std::vector<std::string_view> words(args.begin(), args.end());
  if (words.empty() || words[0].empty() || words[0][0] != '(') {
    return InvalidCondition(words.empty() ? std::string_view() : words[0]);
  }
  words[0].remove_prefix(1);
  if (words.back().empty() || words.back().back() != ')') return InvalidCondition(words.back());
  words.back().remove_suffix(1);
  if (words[0].empty()) words.erase(words.begin());
  if (!words.empty() && words.back().empty()) words.pop_back();
  if (words.empty() || words[0].empty()) return InvalidCondition("()");
  return words;
}

Result<Condition> FileCondition(BuildContext& context, const Directive& directive,
                                std::string_view test, std::string_view path) {
  Condition condition;
  condition.negated = test[0] == '!';
  switch (test.size() == (condition.negated ? 3u : 2u) ? test.back() : '\0') {
    case 'f':
      condition.kind = Condition::Kind::kFile;
      break;
    case 'd':
      condition.kind = Condition::Kind::kDirectory;
      break;
    case 'e':
      condition.kind = Condition::Kind::kExists;
      break;
    case 'x':
      condition.kind = Condition::Kind::kExecutable;
      break;
    default:
      return InvalidCondition(test);
  }
  FW_ASSIGN(condition.operand, ParseTemplate(context.config.variables, path, directive.at));
  return condition;
}

constexpr DirectiveSpec kRows[] = {
    {.name = "set",
     .contexts = kServer | kLocation | kAnyIf,
     .arity = {2, 2},
     .apply = ApplySet,
     .inherits = Inherits::kNotInherited,
     .repeatable = true,
     .doc = "$NAME VALUE"},
    {.name = "return",
     .contexts = kServer | kLocation | kAnyIf,
     .arity = {1, 2},
     .apply = ApplyReturn,
     .inherits = Inherits::kNotInherited,
     .repeatable = true,
     .doc = "CODE [TEXT] | CODE URL | URL: answers at once"},
    {.name = "rewrite",
     .contexts = kServer | kLocation | kAnyIf,
     .arity = {2, 3},
     .apply = ApplyRewrite,
     .inherits = Inherits::kNotInherited,
     .repeatable = true,
     .doc = "REGEX REPLACEMENT [last | break | redirect | permanent]: changes the URI"},
    {.name = "break",
     .contexts = kServer | kLocation | kAnyIf,
     .apply = ApplyBreak,
     .inherits = Inherits::kNotInherited,
     .repeatable = true,
     .doc = "ends the instructions of this block"},
    One("rewrite_log", kHttpServerLocation | kAnyIf, Flag<&LocationSettings::rewrite_log>,
        "on | off: log what rewrite does, at notice"),
    One("uninitialized_variable_warn", kHttpServerLocation | kAnyIf,
        Flag<&LocationSettings::uninitialized_variable_warn>,
        "on | off: log the use of a variable that was never set"),
};

}  // namespace

std::span<const DirectiveSpec> RewriteDirectives() { return kRows; }

Result<Condition> ParseCondition(BuildContext& context, const Directive& directive) {
  FW_ASSIGN(const std::vector<std::string_view> words, InsideParentheses(directive.args));
  const std::string_view first = words[0];
  VariableScope& variables = context.config.variables;
  if (first[0] == '-' || (first.size() > 1 && first[0] == '!' && first[1] == '-')) {
    if (words.size() != 2) return InvalidCondition(first);
    return FileCondition(context, directive, first, words[1]);
  }
  const std::string_view name = VariableNameOf(first);
  if (name.empty() || words.size() == 2 || words.size() > 3) return InvalidCondition(first);
  Condition condition;
  condition.variable = variables.Reference(ToLower(name), directive.at);
  if (words.size() == 1) return condition;
  const std::string_view operation = words[1];
  if (operation == "=" || operation == "!=") {
    condition.kind = operation == "=" ? Condition::Kind::kEquals : Condition::Kind::kNotEquals;
    FW_ASSIGN(condition.operand, ParseTemplate(variables, words[2], directive.at));
    return condition;
  }
  if (operation == "~" || operation == "~*" || operation == "!~" || operation == "!~*") {
    condition.kind = Condition::Kind::kRegex;
    FW_ASSIGN(condition.regex, CompileRegex(context.config, words[2],
                                            operation.ends_with('*') ? Regex::Case::kInsensitive
                                                                     : Regex::Case::kSensitive,
                                            directive.at));
    condition.regex.negated = operation.starts_with('!');
    return condition;
  }
  return OperatorError(
      fmt::format("unexpected \"{}\" in condition, \"=\", \"!=\", \"~\", \"~*\", "
                  "\"!~\" or \"!~*\" was expected",
                  operation));
}

}  // namespace framewall::config
