#include "waf/target_ranges.h"

#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "waf/rule_words.h"

namespace framewall::waf {
namespace {

struct TargetRange {
  int first = 0;
  int last = 0;
  std::string target;
};

// "ruleRemoveTargetById=1-5;ARGS:x"
std::optional<TargetRange> RangeOf(std::string_view payload) {
  const std::size_t equals = payload.find('=');
  if (!EqualWords(payload.substr(0, equals), "ruleRemoveTargetById")) return std::nullopt;
  const std::size_t dash = payload.find('-', equals);
  const std::size_t semicolon = payload.find(';', dash);
  if (semicolon == std::string_view::npos) return std::nullopt;
  TargetRange range;
  const auto number = [&payload](std::size_t from, std::size_t to, int* value) {
    const auto [end, error] = std::from_chars(payload.data() + from, payload.data() + to, *value);
    return error == std::errc() && end == payload.data() + to;
  };
  if (!number(equals + 1, dash, &range.first) || !number(dash + 1, semicolon, &range.last)) {
    return std::nullopt;
  }
  range.target = payload.substr(semicolon + 1);
  return range;
}

class RemoveTargetOfRange : public lib::actions::Action {
 public:
  RemoveTargetOfRange(const Action& original, TargetRange range)
      : Action(original), range_(std::move(range)) {}

  bool evaluate(lib::RuleWithActions*, lib::Transaction* transaction) override {
    for (int phase = 0; phase < lib::Phases::NUMBER_OF_PHASES; ++phase) {
      for (const auto& rule : transaction->m_rules->m_rulesSetPhases.at(phase)->m_rules) {
        const auto* with_id = dynamic_cast<const lib::RuleWithActions*>(rule.get());
        if (with_id == nullptr || with_id->m_ruleId < range_.first ||
            with_id->m_ruleId > range_.last) {
          continue;
        }
        transaction->m_ruleRemoveTargetById.emplace_back(static_cast<int>(with_id->m_ruleId),
                                                         range_.target);
      }
    }
    return true;
  }
  bool evaluate(lib::RuleWithActions* rule, lib::Transaction* transaction,
                std::shared_ptr<lib::RuleMessage>) override {
    return evaluate(rule, transaction);
  }

 private:
  TargetRange range_;
};

}  // namespace

void ExpandTargetRanges(lib::RulesSet& rules) {
  for (int phase = 0; phase < lib::Phases::NUMBER_OF_PHASES; ++phase) {
    for (const auto& rule : rules.m_rulesSetPhases.at(phase)->m_rules) {
      auto* with_actions = dynamic_cast<lib::RuleWithActions*>(rule.get());
      for (; with_actions != nullptr; with_actions = with_actions->m_chainedRuleChild.get()) {
        for (lib::actions::Action*& action : RuntimeActionsOf(*with_actions)) {
          if (!EqualWords(*action->m_name, "ctl")) continue;
          std::optional<TargetRange> range = RangeOf(action->m_parser_payload);
          if (!range) continue;
          const std::unique_ptr<lib::actions::Action> original(action);
          action = new RemoveTargetOfRange(*original, std::move(*range));  // the rule deletes it
        }
      }
    }
  }
}

}  // namespace framewall::waf
