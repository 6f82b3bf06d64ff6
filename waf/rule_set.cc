#include "waf/rule_set.h"

#include <algorithm>
#include <cctype>
#include <cstring>

#include "waf/rule_set_state.h"

namespace framewall::waf {
namespace {

std::uint64_t LimitOf(const lib::ConfigDouble& limit) {
  return limit.m_set && limit.m_value > 0 ? static_cast<std::uint64_t>(limit.m_value) : 0;
}

std::optional<BodyLimitAction> ActionOf(lib::RulesSetProperties::BodyLimitAction action) {
  switch (action) {
    case lib::RulesSetProperties::ProcessPartialBodyLimitAction:
      return BodyLimitAction::kProcessPartial;
    case lib::RulesSetProperties::RejectBodyLimitAction:
      return BodyLimitAction::kReject;
    default:
      return std::nullopt;
  }
}

std::string Place(const std::string& file, int line) {
  if (file.empty()) return "";
  return line > 0 ? file + ":" + std::to_string(line) + ": " : file + ": ";
}

}  // namespace

std::string RuleError::Text() const { return Place(file, line) + message; }
std::string RuleWarning::Text() const { return Place(file, line) + message; }

RuleSet::RuleSet(std::unique_ptr<State> state) : state_(std::move(state)) {}
RuleSet::~RuleSet() = default;

EngineMode RuleSet::engine_mode() const {
  switch (state_->rules->m_secRuleEngine) {
    case lib::RulesSetProperties::DisabledRuleEngine:
      return EngineMode::kOff;
    case lib::RulesSetProperties::EnabledRuleEngine:
      return EngineMode::kOn;
    default:
      return EngineMode::kDetectionOnly;
  }
}

std::size_t RuleSet::rule_count() const {
  std::size_t count = 0;
  for (int phase = 0; phase < lib::Phases::NUMBER_OF_PHASES; ++phase) {
    for (const auto& rule : state_->rules->m_rulesSetPhases.at(phase)->m_rules) {
      // Neither markers nor our own steps between rules.
      if (dynamic_cast<const lib::RuleWithActions*>(rule.get()) != nullptr) ++count;
    }
  }
  return count;
}

bool RuleSet::inspects_request_bodies() const {
  return state_->rules->m_secRequestBodyAccess != lib::RulesSetProperties::FalseConfigBoolean;
}
std::uint64_t RuleSet::request_body_limit() const {
  return LimitOf(state_->rules->m_requestBodyLimit);
}
std::uint64_t RuleSet::request_body_no_files_limit() const {
  return LimitOf(state_->rules->m_requestBodyNoFilesLimit);
}
std::optional<BodyLimitAction> RuleSet::request_body_limit_action() const {
  return ActionOf(state_->rules->m_requestBodyLimitAction);
}

bool RuleSet::inspects_response_bodies() const {
  return state_->rules->m_secResponseBodyAccess == lib::RulesSetProperties::TrueConfigBoolean;
}
std::uint64_t RuleSet::response_body_limit() const {
  return LimitOf(state_->rules->m_responseBodyLimit);
}
std::optional<BodyLimitAction> RuleSet::response_body_limit_action() const {
  return ActionOf(state_->rules->m_responseBodyLimitAction);
}

bool RuleSet::InspectsResponseType(std::string_view content_type) const {
  const lib::ConfigSet& types = state_->rules->m_responseBodyTypeToBeInspected;
  if (!types.m_set) return true;
  return types.m_value.contains(MediaType(content_type));
}

std::vector<std::int64_t> RuleSet::rule_ids() const {
  std::vector<std::int64_t> ids;
  for (int phase = 0; phase < lib::Phases::NUMBER_OF_PHASES; ++phase) {
    for (const auto& rule : state_->rules->m_rulesSetPhases.at(phase)->m_rules) {
      if (const auto* with_id = dynamic_cast<lib::RuleWithActions*>(rule.get())) {
        if (with_id->m_ruleId != 0) ids.push_back(with_id->m_ruleId);
      }
    }
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

const std::vector<RuleWarning>& RuleSet::warnings() const { return state_->warnings; }

std::string MediaType(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  std::string type;
  for (const char c : content_type) {
    if (c == ' ' || c == '\t') continue;
    type += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return type;
}

}  // namespace framewall::waf
