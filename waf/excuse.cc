#include "waf/excuse.h"

#include <modsecurity/rule_with_operator.h>

#include <charconv>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace framewall::waf {
namespace {

constexpr std::string_view kMark = "framewall/excuses=";
constexpr std::string_view kArguments = "ARGS:";

// Stands before an excuse. The library forgets what matched only when a rule
// fails, so an excuse would also see what the rule before it matched.
class ForgetMatches : public lib::Rule {
 public:
  explicit ForgetMatches(const lib::Rule& before)
      : lib::Rule(std::make_unique<std::string>(*before.getFileName()), before.getLineNumber()) {
    setPhase(before.getPhase());
  }
  bool evaluate(lib::Transaction* transaction) override {
    lib::RuleWithOperator::cleanMatchedVars(transaction);
    return true;
  }
  bool evaluate(lib::Transaction* transaction, std::shared_ptr<lib::RuleMessage>) override {
    return evaluate(transaction);
  }
};

// Runs when an excuse has matched.
class Excuse : public lib::actions::Action {
 public:
  explicit Excuse(std::vector<int> ids)
      : Action("excuse", RunTimeOnlyIfMatchKind), ids_(std::move(ids)) {}

  bool evaluate(lib::RuleWithActions*, lib::Transaction* transaction,
                std::shared_ptr<lib::RuleMessage>) override {
    std::map<std::string_view, std::size_t> matches;
    for (const auto& [name, value] : transaction->m_variableMatchedVarsNames) ++matches[name];
    for (const auto& [name, count] : matches) {
      if (!name.starts_with(kArguments)) continue;
      const std::string key(name.substr(kArguments.size()));
      // A harmless value must not excuse a second one that has the same name.
      if (transaction->m_variableArgs.count(key) != count) continue;
      for (const int id : ids_) {
        transaction->m_ruleRemoveTargetById.emplace_back(id, std::string(name));
      }
    }
    return true;
  }

 private:
  std::vector<int> ids_;
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

}  // namespace

bool ArmExcuses(lib::RulesSet& rules, std::vector<RuleError>* errors) {
  const std::size_t before = errors->size();
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
      RuntimeActionsOf(*rule).push_back(new Excuse(std::move(ids)));  // the rule deletes it
      list.insert(list.begin() + static_cast<std::ptrdiff_t>(i),
                  std::make_shared<ForgetMatches>(*rule));
      ++i;
    }
  }
  return errors->size() == before;
}

}  // namespace framewall::waf
