#include "waf/library.h"

#include <algorithm>
#include <cctype>
#include <memory>
#include <string_view>
#include <utility>

// The library's client is exported, its header is not installed. These are its
// members, the same from 3.0.4 to 3.0.13.
namespace modsecurity::Utils {
class HttpsClient {
 public:
  bool download(const std::string& uri);
  void setKey(const std::string& key);
  std::string content;
  std::string error;

 private:
  [[maybe_unused]] std::string key_;
  [[maybe_unused]] std::string request_body_;
  [[maybe_unused]] std::string request_type_;
};
}  // namespace modsecurity::Utils

namespace framewall::waf {
namespace {

using lib::RuleWithActions;
using lib::actions::Action;
using lib::audit_log::AuditLog;

// PrivateOf(Tag) is the pointer to the member that the instantiation below names.
template <class Tag, typename Tag::Type kMember>
struct Expose {
  friend constexpr typename Tag::Type PrivateOf(Tag) { return kMember; }
};

#define FW_EXPOSE(tag, class_name, member_type, member) \
  struct tag {                                          \
    using Type = member_type class_name::*;             \
    friend constexpr Type PrivateOf(tag);               \
  };                                                    \
  template struct Expose<tag, &class_name::member>

FW_EXPOSE(DisruptiveAction, RuleWithActions, Action*, m_disruptiveAction);
FW_EXPOSE(RuntimeActions, RuleWithActions, lib::MatchActions, m_actionsRuntimePos);
FW_EXPOSE(AuditStatus, AuditLog, AuditLog::AuditLogStatus, m_status);
FW_EXPOSE(AuditType, AuditLog, AuditLog::AuditLogType, m_type);
FW_EXPOSE(AuditRelevant, AuditLog, std::string, m_relevant);
FW_EXPOSE(AuditParts, AuditLog, int, m_parts);
FW_EXPOSE(AuditFileMode, AuditLog, int, m_filePermission);
FW_EXPOSE(AuditDirectoryMode, AuditLog, int, m_directoryPermission);
FW_EXPOSE(AuditByRule, AuditLog, bool, m_ctlAuditEngineActive);
#undef FW_EXPOSE

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

// Runs an action and notes, in the transaction, the rule on whose behalf.
class NotingAction : public Action {
 public:
  explicit NotingAction(std::shared_ptr<Action> inner)
      : Action(*inner->m_name, inner->action_kind),
        inner_(std::move(inner)),
        drop_(Lower(*inner_->m_name) == "drop") {}

  bool isDisruptive() override { return true; }

  bool evaluate(RuleWithActions* rule, lib::Transaction* transaction) override {
    return inner_->evaluate(rule, transaction);
  }
  std::string evaluate(const std::string& text, lib::Transaction* transaction) override {
    return inner_->evaluate(text, transaction);
  }
  bool evaluate(RuleWithActions* rule, lib::Transaction* transaction,
                std::shared_ptr<lib::RuleMessage> message) override {
    const bool result = inner_->evaluate(rule, transaction, message);
    // The links of a chain have no id; it is the starter's.
    while (rule->m_ruleId == 0 && rule->m_chainedRuleParent != nullptr) {
      rule = rule->m_chainedRuleParent;
    }
    Interruption& note = static_cast<NotedTransaction*>(transaction)->interruption;
    note.rule_id = rule->m_ruleId;
    note.phase =
        rule->getPhase() - 1;  // the library counts the connection as phase 0 and the URI as 1
    note.drop = drop_;
    note.message = message->m_message;
    note.rule_message = std::make_shared<lib::RuleMessage>(*message);
    return result;
  }

 private:
  std::shared_ptr<Action> inner_;
  bool drop_;
};

bool EndsTransaction(Action& action) {
  if (!action.isDisruptive() || dynamic_cast<NotingAction*>(&action) != nullptr) return false;
  const std::string name = Lower(*action.m_name);
  return name != "pass" && name != "allow" && name != "block";
}

void Wrap(std::shared_ptr<Action>& action) {
  if (action && EndsTransaction(*action)) action = std::make_shared<NotingAction>(action);
}

}  // namespace

Action*& DisruptiveActionOf(RuleWithActions& rule) { return rule.*PrivateOf(DisruptiveAction{}); }
lib::MatchActions& RuntimeActionsOf(RuleWithActions& rule) {
  return rule.*PrivateOf(RuntimeActions{});
}

AuditLog::AuditLogStatus AuditStatusOf(const AuditLog& log) {
  return log.*PrivateOf(AuditStatus{});
}
AuditLog::AuditLogType AuditTypeOf(const AuditLog& log) { return log.*PrivateOf(AuditType{}); }
const std::string& AuditRelevantStatusOf(const AuditLog& log) {
  return log.*PrivateOf(AuditRelevant{});
}
int AuditPartsOf(const AuditLog& log) { return log.*PrivateOf(AuditParts{}); }
int AuditFileModeOf(const AuditLog& log) { return log.*PrivateOf(AuditFileMode{}); }
int AuditDirectoryModeOf(const AuditLog& log) { return log.*PrivateOf(AuditDirectoryMode{}); }
bool AuditSwitchedByRule(const AuditLog& log) { return log.*PrivateOf(AuditByRule{}); }

void NoteInterruptions(lib::RulesSet& rules) {
  for (int phase = 0; phase < lib::Phases::NUMBER_OF_PHASES; ++phase) {
    for (const std::shared_ptr<lib::Rule>& rule : rules.m_rulesSetPhases.at(phase)->m_rules) {
      auto* with_actions = dynamic_cast<RuleWithActions*>(rule.get());
      for (; with_actions != nullptr; with_actions = with_actions->m_chainedRuleChild.get()) {
        Action*& action = DisruptiveActionOf(*with_actions);
        if (action != nullptr && EndsTransaction(*action)) {
          action = new NotingAction(std::shared_ptr<Action>(action));  // the rule deletes it
        }
      }
    }
    for (std::shared_ptr<Action>& action : rules.m_defaultActions[phase]) Wrap(action);
  }
  for (auto& [id, action] : rules.m_exceptions.m_action_pos_update_target_by_id) Wrap(action);
}

bool FetchRules(const std::string& key, const std::string& url, std::string* text,
                std::string* error) {
  lib::Utils::HttpsClient client;
  client.setKey(key);
  const bool fetched = client.download(url);
  *text = std::move(client.content);
  *error = std::move(client.error);
  return fetched;
}

}  // namespace framewall::waf

// The library makes its own audit writer here, while rules are merged: it opens
// the file relative to the current directory, once and never again, makes
// directories as root, and takes a System V segment for a lock that blocks. Our
// definition comes first in the symbol search, so no writer is ever made and
// waf/audit_log writes the records instead. (A static libmodsecurity would fail
// to link here, loudly.)
bool modsecurity::audit_log::AuditLog::init(std::string*) { return true; }

// t:lowercase, likewise. The library asks std::locale for each character, which is a third of all
// time for a body of 100 kB. The locale is "C" in every process of ours.
namespace modsecurity::actions::transformations {
class LowerCase {
 public:
  std::string evaluate(const std::string& text, Transaction* transaction);
};
std::string LowerCase::evaluate(const std::string& text, Transaction*) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return lower;
}
}  // namespace modsecurity::actions::transformations
