#include "waf/rule_actions.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "waf/rule_operands.h"

namespace framewall::waf {
namespace {

std::string Quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

// Digits alone; nothing where there are none, too many, or something else.
std::optional<std::int64_t> Digits(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.front() == '-') {
    return std::nullopt;
  }
  return number;
}

bool OneOf(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::any_of(names.begin(), names.end(),
                     [name](std::string_view other) { return EqualWords(name, other); });
}

bool NeedsValue(std::string_view name) {
  return OneOf(name, {"accuracy", "ctl",    "exec",   "expirevar", "id",   "initcol",   "logdata",
                      "maturity", "msg",    "phase",  "redirect",  "rev",  "setenv",    "setrsc",
                      "setsid",   "setuid", "setvar", "severity",  "skip", "skipAfter", "status",
                      "t",        "tag",    "ver",    "xmlns"});
}

std::string PhaseFault(const RuleAction& action) {
  const auto number = action.value.empty() ? std::nullopt : Digits(action.value);
  if (number && *number >= 1 && *number <= 5) return "";
  if (OneOf(action.value, {"request", "response", "logging"})) {
    return action.quoted ? "a phase's name in quotes is read as another action: leave them out"
                         : "";
  }
  return Quoted(action.value) + " is no phase (1 to 5, request, response, logging)";
}

std::string SeverityFault(const RuleAction& action) {
  const auto number = action.value.empty() ? std::nullopt : Digits(action.value);
  if (number && *number <= 7) return "";
  if (OneOf(action.value,
            {"EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG"})) {
    return "";
  }
  return Quoted(action.value) + " is no severity (0 to 7, EMERGENCY to DEBUG)";
}

// "tx.score=+5": what is added must be a number, or be made of macros.
std::string SetvarFault(const RuleAction& action) {
  const std::size_t equals = action.value.find('=');
  if (equals == std::string_view::npos) return "";
  std::string_view value = action.value.substr(equals + 1);
  if (!value.starts_with('+') && !value.starts_with('-')) return "";
  value.remove_prefix(1);
  if (HasMacro(value) || (!value.empty() && Digits(value))) return "";
  return Quoted(value) + " is added to a variable, but is no number";
}

// "ARGS:name", compared with the variable's name as it stands.
std::string TargetFault(std::string_view target) {
  if (target.find(';') != std::string_view::npos) {
    return "one target is taken out at a time, found " + Quoted(target);
  }
  const std::size_t colon = target.find(':');
  const std::string_view name = target.substr(0, colon);
  if (!IsVariable(name)) {
    return "variable " + Quoted(name) + " is not known" + VariableHint(name);
  }
  if (std::any_of(name.begin(), name.end(), [](unsigned char c) { return std::islower(c) != 0; })) {
    return Quoted(name) + " never fits: variables are compared in capitals here";
  }
  if (colon != std::string_view::npos && target.substr(colon + 1).starts_with('/') &&
      name != "XML") {
    return Quoted(target) + " never fits: patterns are not understood here";
  }
  return "";
}

std::string IdOrRangeFault(std::string_view text) {
  const std::size_t dash = text.find('-');
  const std::string_view first = text.substr(0, dash);
  const std::string_view last = dash == std::string_view::npos ? first : text.substr(dash + 1);
  if (first.empty() || last.empty() || !Digits(first) || !Digits(last) ||
      *Digits(first) > *Digits(last)) {
    return Quoted(text) + " is no rule id and no range of them";
  }
  return "";
}

std::string ControlFault(std::string_view text) {
  const std::size_t equals = text.find('=');
  const std::string_view name = text.substr(0, equals);
  if (!IsControl(name)) return "\"ctl:" + std::string(name) + "\" is not known" + ControlHint(name);
  if (equals == std::string_view::npos) return "\"ctl:" + std::string(name) + "\" needs a value";
  const std::string_view value = text.substr(equals + 1);
  if (EqualWords(name.substr(0, 10), "ruleRemove")) {
    const std::size_t odd = value.find_first_not_of(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_/.-*:;[]$");
    if (odd != std::string_view::npos) {
      return "libmodsecurity reads no " + Quoted(value.substr(odd, 1)) + " in " + Quoted(text);
    }
  }
  if (EqualWords(name, "ruleRemoveById")) return IdOrRangeFault(value);
  if (EqualWords(name, "auditLogParts")) {
    return value.starts_with('+') || value.starts_with('-')
               ? ""
               : "\"+\" or \"-\" was expected before the parts, found " + Quoted(value);
  }
  const bool by_id = EqualWords(name, "ruleRemoveTargetById");
  if (!by_id && !EqualWords(name, "ruleRemoveTargetByTag")) return "";
  const std::size_t semicolon = value.find(';');
  if (semicolon == std::string_view::npos) {
    return "\";\" and a variable were expected behind " + Quoted(value);
  }
  if (by_id) {
    std::string fault = IdOrRangeFault(value.substr(0, semicolon));
    if (!fault.empty()) return fault;
  }
  return TargetFault(value.substr(semicolon + 1));
}

std::string ActionFault(const RuleAction& action) {
  const std::string_view name = action.name;
  if (!IsAction(name)) return "action " + Quoted(name) + " is not known" + ActionHint(name);
  if (NeedsValue(name) && !action.has_value) return Quoted(name) + " needs a value";
  if (EqualWords(name, "t") && !IsTransformation(action.value)) {
    return "transformation " + Quoted(action.value) + " is not known" +
           TransformationHint(action.value);
  }
  if (EqualWords(name, "ctl")) return ControlFault(action.value);
  if (EqualWords(name, "phase")) return PhaseFault(action);
  if (EqualWords(name, "severity")) return SeverityFault(action);
  if (EqualWords(name, "setvar")) return SetvarFault(action);
  if (EqualWords(name, "id") && !Digits(action.value)) {
    return Quoted(action.value) + " is no rule id";
  }
  if (EqualWords(name, "status")) {
    const auto status = Digits(action.value);
    if (!status || *status < 100 || *status > 599) {
      return Quoted(action.value) + " is no status (100 to 599)";
    }
  }
  if (OneOf(name, {"accuracy", "maturity"}) && !action.quoted) {
    return Quoted(name) + " takes what follows for its value: put it in single quotes";
  }
  if (EqualWords(name, "rev") && !action.quoted && action.last) {
    return "\"rev\" takes the next rule for its value: put it in single quotes";
  }
  return "";
}

}  // namespace

void CheckActions(const RuleStatement& statement, std::vector<RuleFault>* faults) {
  for (const RuleAction& action : statement.actions) {
    if (std::string fault = ActionFault(action); !fault.empty()) {
      faults->push_back({action.line, std::move(fault)});
    }
    if (OneOf(action.name, {"id", "phase"}) && FindAction(statement, action.name) != &action) {
      faults->push_back({action.line, Quoted(action.name) + " stands twice"});
    }
  }
}

const RuleAction* FindAction(const RuleStatement& statement, std::string_view name) {
  for (const RuleAction& action : statement.actions) {
    if (EqualWords(action.name, name)) return &action;
  }
  return nullptr;
}

const RuleAction* FindDisruptive(const RuleStatement& statement) {
  for (const RuleAction& action : statement.actions) {
    if (OneOf(action.name, {"allow", "deny", "drop", "pass", "redirect"})) return &action;
  }
  return nullptr;
}

}  // namespace framewall::waf
