#include "waf/rule_check.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <system_error>
#include <utility>

#include "waf/rule_actions.h"
#include "waf/rule_operands.h"
#include "waf/rule_pattern.h"

namespace framewall::waf {
namespace {

std::string Quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

bool IsNumber(std::string_view text, int base, int most) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc() && end == text.data() + text.size() && number >= 0 && number <= most;
}

std::string NumberFault(std::string_view text) {
  constexpr int kMost = 2147483647;  // the library reads an int
  return IsNumber(text, 10, kMost) ? "" : Quoted(text) + " is no number up to 2147483647";
}

std::string ModeFault(std::string_view text) {
  return IsNumber(text, 8, 07777) ? "" : Quoted(text) + " is no mode in octal, as 0640 is";
}

// Of SecRuleRemoveById: numbers and ranges.
std::string IdsFault(const RuleWord& word) {
  constexpr int kMost = 2147483647;
  if (word.quoted) return "ids are written without quotes";
  const std::size_t dash = word.text.find('-');
  const std::string_view first = word.text.substr(0, dash);
  const std::string_view last = dash == std::string_view::npos ? first : word.text.substr(dash + 1);
  if (!IsNumber(first, 10, kMost) || !IsNumber(last, 10, kMost)) {
    return Quoted(word.text) + " is no rule id and no range of them; they are separated by spaces";
  }
  if (first > last) {
    return Quoted(word.text) + " is no range: libmodsecurity compares its ends as text";
  }
  return "";
}

// As the library looks for it: here, or beside the rules.
bool FileIsThere(std::string_view path, const std::string& rules) {
  std::error_code ignored;
  const std::filesystem::path name(path);
  return std::filesystem::exists(name, ignored) ||
         std::filesystem::exists(std::filesystem::path(rules).parent_path() / name, ignored);
}

bool IsOneWord(DirectiveForm form) {
  return form == DirectiveForm::kFlag || form == DirectiveForm::kWord ||
         form == DirectiveForm::kNumber || form == DirectiveForm::kMode ||
         form == DirectiveForm::kOff;
}

// Where the library looks for a space and dies of a tab.
bool DiesOfTab(const RuleStatement& statement) {
  switch (statement.directive->form) {
    case DirectiveForm::kRule:
    case DirectiveForm::kActions:
    case DirectiveForm::kNothing:
    case DirectiveForm::kFlag:
    case DirectiveForm::kOff:
    case DirectiveForm::kMissing:
      return false;
    default:
      return !EqualWords(statement.name, "Include");
  }
}

}  // namespace

void RuleChecker::Check(const RuleStatement& statement, const std::string& file) {
  file_ = file;
  if (statement.directive == nullptr) return;
  const DirectiveForm form = statement.directive->form;
  if (statement.faulty) {
    if (form == DirectiveForm::kRule) chain_ = Chain::kUnknown;
    return;
  }
  if (chain_ == Chain::kOpen && form != DirectiveForm::kRule &&
      !EqualWords(statement.name, "Include")) {
    Fault(statement.line, chain_name_ + " ends with `chain`: a SecRule was expected, found " +
                              Quoted(statement.name));
    chain_ = Chain::kUnknown;
  }
  if (statement.tab && DiesOfTab(statement)) {
    Fault(statement.line,
          "a tab behind " + Quoted(statement.name) + ": only spaces may stand there");
  }
  switch (form) {
    case DirectiveForm::kRule:
      CheckRule(statement);
      break;
    case DirectiveForm::kActions:
    case DirectiveForm::kScript:
      CheckActions(statement, &faults_);
      if (EqualWords(statement.name, "SecDefaultAction")) CheckDefaultAction(statement);
      if (const RuleAction* chain = FindAction(statement, "chain")) {
        Fault(chain->line, Quoted(statement.name) + " cannot begin a chain");
      }
      break;
    case DirectiveForm::kUpdateTarget:
    case DirectiveForm::kUpdateAction:
      CheckUpdate(statement);
      break;
    default:
      CheckSetting(statement);
      break;
  }
  for (RuleFault& fault : faults_) errors_->push_back({file, fault.line, std::move(fault.message)});
  faults_.clear();
}

// -- Rules --------------------------------------------------------------------

void RuleChecker::CheckRule(const RuleStatement& statement) {
  CheckVariables(statement.words[0], true, &faults_);
  CheckOperator(statement.words[1], &faults_);
  CheckActions(statement, &faults_);
  CheckChain(statement);
}

void RuleChecker::CheckChain(const RuleStatement& statement) {
  const RuleAction* id = FindAction(statement, "id");
  if (chain_ == Chain::kOpen) {
    if (const RuleAction* action = FindDisruptive(statement)) {
      Fault(action->line, Quoted(action->name) + " belongs in the first rule of the chain");
    }
  } else if (chain_ == Chain::kNone) {
    if (id == nullptr || id->value == "0") {
      Fault(statement.line, "a rule needs an id");
    } else if (const auto [known, fresh] =
                   ids_.try_emplace(std::string(id->value), Place{file_, statement.line});
               !fresh) {
      Fault(statement.line, "rule " + known->first + " is there already, at " + known->second.file +
                                ":" + std::to_string(known->second.line));
    }
    chain_name_ = id == nullptr ? "the rule above" : "rule " + std::string(id->value);
  }
  chain_ = FindAction(statement, "chain") != nullptr ? Chain::kOpen : Chain::kNone;
}

void RuleChecker::CheckDefaultAction(const RuleStatement& statement) {
  if (FindDisruptive(statement) == nullptr) {
    Fault(statement.line, "SecDefaultAction needs one of allow, deny, drop, pass and redirect");
  }
  for (const std::string_view name : {"id", "chain", "rev", "ver", "maturity", "accuracy"}) {
    if (const RuleAction* action = FindAction(statement, name)) {
      Fault(action->line, Quoted(name) + " is of one rule, not of SecDefaultAction");
    }
  }
  for (const RuleAction& action : statement.actions) {
    if (EqualWords(action.name, "t") && EqualWords(action.value, "none")) {
      Fault(action.line, "\"t:none\" has no sense in SecDefaultAction");
    }
  }
  const RuleAction* phase = FindAction(statement, "phase");
  const std::string key(phase == nullptr ? "1" : phase->value);
  const auto [known, fresh] = default_actions_.try_emplace(key, Place{file_, statement.line});
  if (!fresh) {
    Fault(statement.line, "phase " + key + " has its SecDefaultAction already, at " +
                              known->second.file + ":" + std::to_string(known->second.line));
  }
}

// SecRuleUpdate...
void RuleChecker::CheckUpdate(const RuleStatement& statement) {
  const RuleWord& whose = statement.words[0];
  const bool by_id = EqualWords(statement.name, "SecRuleUpdateTargetById") ||
                     statement.directive->form == DirectiveForm::kUpdateAction;
  constexpr int kMost = 2147483647;
  if (by_id && !IsNumber(whose.text, 10, kMost)) {
    Fault(whose.line, Quoted(whose.text) + " is no rule id; one is taken at a time");
  } else if (!whose.quoted && whose.text.find(',') != std::string_view::npos) {
    Fault(whose.line, Quoted(whose.text) + " needs double quotes around it");
  }
  if (statement.directive->form == DirectiveForm::kUpdateTarget) {
    CheckVariables(statement.words[1], false, &faults_);
    return;
  }
  CheckActions(statement, &faults_);
  for (const std::string_view name :
       {"id", "phase", "chain", "rev", "ver", "maturity", "accuracy"}) {
    if (const RuleAction* action = FindAction(statement, name)) {
      Fault(action->line, Quoted(name) + " of a rule cannot be changed");
    }
  }
}

// -- Settings -----------------------------------------------------------------

void RuleChecker::CheckSetting(const RuleStatement& statement) {
  const DirectiveForm form = statement.directive->form;
  const std::vector<RuleWord>& words = statement.words;
  if (form == DirectiveForm::kMissing) {
    return Fault(statement.line, Quoted(statement.name) + " is not there in libmodsecurity");
  }
  if (form == DirectiveForm::kNothing) {
    if (!words.empty()) {
      Fault(words[0].line,
            Quoted(statement.name) + " takes no value, found " + Quoted(words[0].text));
    }
    return;
  }
  if (words.empty()) return Fault(statement.line, Quoted(statement.name) + " needs a value");
  if (IsOneWord(form) && words.size() > 1) {
    return Fault(words[1].line, Quoted(statement.name) + " takes one value, found " +
                                    Quoted(words[1].text) + " behind it");
  }
  std::string fault;
  if (std::any_of(words.begin(), words.end(), [](const RuleWord& word) {
        return !word.quoted && word.text.starts_with('#');
      })) {
    return Fault(words[0].line,
                 "a comment behind " + Quoted(statement.name) + " would be part of its value");
  }
  switch (form) {
    case DirectiveForm::kNumber:
      fault = NumberFault(words[0].text);
      break;
    case DirectiveForm::kMode:
      fault = ModeFault(words[0].text);
      break;
    case DirectiveForm::kIds:
      for (const RuleWord& word : words) {
        if (fault.empty()) fault = IdsFault(word);
      }
      break;
    case DirectiveForm::kOff:
      if (!EqualWords(words[0].text, "Off")) {
        fault = Quoted(statement.name) + " is not there in libmodsecurity, it can only be Off";
      }
      break;
    case DirectiveForm::kPattern:
      if (words.size() == 1) fault = PatternFault(words[0].text);
      if (!fault.empty()) fault = "the pattern does not compile: " + fault;
      break;
    default:
      break;
  }
  if (EqualWords(statement.name, "SecUnicodeMapFile")) {
    if (words.size() != 2 || !NumberFault(words[1].text).empty()) {
      fault = "\"SecUnicodeMapFile\" takes a file and the number of a code page";
    } else if (!FileIsThere(words[0].text, file_)) {
      fault = "file " + Quoted(words[0].text) + " cannot be found";
    }
  }
  if (EqualWords(statement.name, "SecGeoLookupDb") && !FileIsThere(words[0].text, file_)) {
    fault = "file " + Quoted(words[0].text) + " cannot be found";
  }
  if (EqualWords(statement.name, "SecArgumentSeparator") && words[0].text.size() != 1) {
    fault = Quoted(words[0].text) + " is no single character";
  }
  if (EqualWords(statement.name, "SecRemoteRulesFailAction")) remote_failure_decided_ = true;
  if (EqualWords(statement.name, "SecRemoteRules")) {
    if (words.size() != 2 || !words[1].text.starts_with("https://")) {
      fault = "\"SecRemoteRules\" takes a key and a URL that begins with https://";
    } else if (!remote_failure_decided_) {
      fault =
          "\"SecRemoteRules\" without \"SecRemoteRulesFailAction\" before it: a failure to "
          "fetch the rules would go unnoticed";
    }
  }
  if (!fault.empty()) Fault(words[0].line, std::move(fault));
}

}  // namespace framewall::waf
