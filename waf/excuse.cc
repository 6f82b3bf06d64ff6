#include "waf/excuse.h"

#include <modsecurity/rule_with_operator.h>

#include <charconv>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "waf/step.h"

namespace framewall::waf {
namespace {

constexpr std::string_view kMark = "framewall/excuses=";
constexpr std::string_view kArguments = "ARGS:";

// Stands before an excuse. The library forgets what matched only when a rule
// fails, so an excuse would also see what the rule before it matched.
class ForgetMatches : public Step {
 public:
  using Step::Step;
  bool evaluate(lib::Transaction* transaction) override {
    lib::RuleWithOperator::cleanMatchedVars(transaction);
    return true;
  }
};

// Stands before and behind a listed rule, so that what was excused from it is
// among the library's exceptions while it runs and no longer: of n arguments,
// each rule would compare each with n exceptions. Should the one behind be
// skipped, that costs time alone.
class ShowHidden : public Step {
 public:
  // 0: nothing is hidden from here on.
  ShowHidden(const lib::Rule& place, int rule) : Step(place), rule_(rule) {}
  bool evaluate(lib::Transaction* transaction) override {
    auto& noted = static_cast<NotedTransaction&>(*transaction);
    auto& shown = noted.m_ruleRemoveTargetById;
    if (noted.shown_rule != 0) {
      auto& from = noted.hidden_by_rule[noted.shown_rule];
      const auto end = std::next(noted.shown_first, static_cast<std::ptrdiff_t>(noted.shown_count));
      from.splice(from.end(), shown, noted.shown_first, end);
      noted.shown_rule = 0;
    }
    const auto hidden = noted.hidden_by_rule.find(rule_);
    if (hidden == noted.hidden_by_rule.end() || hidden->second.empty()) return true;
    noted.shown_rule = rule_;
    noted.shown_first = hidden->second.begin();
    noted.shown_count = hidden->second.size();
    shown.splice(shown.end(), hidden->second);
    return true;
  }

 private:
  int rule_;
};

// Runs when an excuse has matched.
class Excuse : public lib::actions::Action {
 public:
  struct Listed {
    int id = 0;
    bool has_steps = false;  // it stands between two ShowHidden
  };

  explicit Excuse(std::vector<Listed> rules)
      : Action("excuse", RunTimeOnlyIfMatchKind), rules_(std::move(rules)) {}

  bool evaluate(lib::RuleWithActions*, lib::Transaction* transaction,
                std::shared_ptr<lib::RuleMessage>) override {
    std::map<std::string_view, std::size_t> matches;
    for (const auto& [name, value] : transaction->m_variableMatchedVarsNames) ++matches[name];
    for (const auto& [name, count] : matches) {
      if (!name.starts_with(kArguments)) continue;
      const std::string key(name.substr(kArguments.size()));
      // A harmless value must not excuse a second one that has the same name.
      if (transaction->m_variableArgs.count(key) != count) continue;
      for (const auto& [id, has_steps] : rules_) {
        auto& list = has_steps ? static_cast<NotedTransaction&>(*transaction).hidden_by_rule[id]
                               : transaction->m_ruleRemoveTargetById;
        list.emplace_back(id, std::string(name));
      }
    }
    return true;
  }

 private:
  std::vector<Listed> rules_;
};

bool ReadIds(std::string_view text, std::vector<int>* ids) {
  while (!text.empty()) {
    int id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error != std::errc() || id <= 0) return false;
    ids->push_back(id);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.empty()) return true;
    if (text.front() != ',') return false;
    text.remove_prefix(1);
  }
  return false;
}

using RuleList = std::vector<std::shared_ptr<lib::Rule>>;

// Puts the steps around the rules of `wanted` that are in these files; returns which those are.
// An excuse for a rule of another file is rare, and right without them.
std::set<int> AddSteps(lib::RulesSet& rules, const std::set<int>& wanted) {
  std::set<int> found;
  for (int phase = 0; phase < lib::Phases::NUMBER_OF_PHASES; ++phase) {
    auto& list = rules.m_rulesSetPhases.at(phase)->m_rules;
    for (std::size_t i = 0; i < list.size(); ++i) {
      const auto* rule = dynamic_cast<lib::RuleWithActions*>(list[i].get());
      if (rule == nullptr) continue;
      const int id = static_cast<int>(rule->m_ruleId);
      if (!wanted.contains(id)) continue;
      found.insert(id);
      const auto at = list.begin() + static_cast<std::ptrdiff_t>(i);
      const RuleList steps = {std::make_shared<ShowHidden>(*rule, id),
                              std::make_shared<ShowHidden>(*rule, 0)};
      list.insert(list.insert(at, steps[0]) + 2, steps[1]);
      i += 2;
    }
  }
  return found;
}

}  // namespace

bool ArmExcuses(lib::RulesSet& rules, std::vector<RuleError>* errors) {
  const std::size_t before = errors->size();
  std::vector<std::pair<lib::RuleWithOperator*, std::vector<int>>> excuses;
  std::set<int> listed;
  for (int phase = 0; phase < lib::Phases::NUMBER_OF_PHASES; ++phase) {
    auto& list = rules.m_rulesSetPhases.at(phase)->m_rules;
    for (std::size_t i = 0; i < list.size(); ++i) {
      auto* rule = dynamic_cast<lib::RuleWithOperator*>(list[i].get());
      if (rule == nullptr || !std::string_view(rule->m_ver).starts_with(kMark)) continue;
      std::vector<int> ids;
      if (!ReadIds(std::string_view(rule->m_ver).substr(kMark.size()), &ids)) {
        errors->push_back({*rule->getFileName(), rule->getLineNumber(),
                           "\"ver:'" + rule->m_ver + "'\" must list rule ids, as in \"ver:'" +
                               std::string(kMark) + "932100,932150'\""});
        continue;
      }
      if (rule->isChained()) {
        // The matches of the links would mix with those of the starter.
        errors->push_back({*rule->getFileName(), rule->getLineNumber(),
                           "a rule that excuses others cannot be a chain"});
        continue;
      }
      listed.insert(ids.begin(), ids.end());
      excuses.emplace_back(rule, std::move(ids));
      list.insert(list.begin() + static_cast<std::ptrdiff_t>(i),
                  std::make_shared<ForgetMatches>(*rule));
      ++i;
    }
  }
  const std::set<int> stepped = AddSteps(rules, listed);
  for (auto& [rule, ids] : excuses) {
    std::vector<Excuse::Listed> rules_of_it;
    for (const int id : ids) rules_of_it.push_back({id, stepped.contains(id)});
    RuntimeActionsOf(*rule).push_back(new Excuse(std::move(rules_of_it)));  // the rule deletes it
  }
  return errors->size() == before;
}

}  // namespace framewall::waf
