// The parts of libmodsecurity that its headers hide but that a gateway must
// know. For the .cc files of this room alone: this is the one header of ours
// that names the library.
//
// Private members are reached through explicit instantiation, which the
// standard exempts from access checks; their types and places come from the
// installed headers, so another version of the library either fits or fails
// to compile.
#pragma once

#include <modsecurity/actions/action.h>
#include <modsecurity/audit_log.h>
#include <modsecurity/modsecurity.h>
#include <modsecurity/rule.h>
#include <modsecurity/rule_message.h>
#include <modsecurity/rule_with_actions.h>
#include <modsecurity/rules_set.h>
#include <modsecurity/rules_set_properties.h>
#include <modsecurity/transaction.h>

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace framewall::waf {

namespace lib = ::modsecurity;

class Deadline;

// The action after a match that ends the transaction, or null. Owned by the rule.
lib::actions::Action*& DisruptiveActionOf(lib::RuleWithActions& rule);
// Every other action run after a match (initcol, block, ctl, ...).
lib::MatchActions& RuntimeActionsOf(lib::RuleWithActions& rule);

lib::audit_log::AuditLog::AuditLogStatus AuditStatusOf(const lib::audit_log::AuditLog& log);
lib::audit_log::AuditLog::AuditLogType AuditTypeOf(const lib::audit_log::AuditLog& log);
const std::string& AuditRelevantStatusOf(const lib::audit_log::AuditLog& log);
// -1 where unset.
int AuditPartsOf(const lib::audit_log::AuditLog& log);
int AuditFileModeOf(const lib::audit_log::AuditLog& log);
int AuditDirectoryModeOf(const lib::audit_log::AuditLog& log);
// Does any rule switch the audit engine on (ctl:auditEngine)?
bool AuditSwitchedByRule(const lib::audit_log::AuditLog& log);

// What the rule that ended a transaction left behind.
struct Interruption {
  std::int64_t rule_id = 0;
  int phase = 0;
  bool drop = false;
  std::string message;
  // The rule's message as it was then; null where no rule interrupted.
  std::shared_ptr<lib::RuleMessage> rule_message;
};

// Every transaction is one of these, so that an action, which is handed the
// library's base class, can leave its note.
class NotedTransaction : public lib::Transaction {
 public:
  using lib::Transaction::Transaction;
  ~NotedTransaction() { ShowProse(); }
  Interruption interruption;

  // When to stop; outlives the transaction. Null: never.
  const Deadline* deadline = nullptr;
  // It has passed: m_it says so in no rule's name.
  bool overrun = false;

  // Arguments that a rule is told not to look at, and only while it runs (waf/excuse): the
  // library searches all such entries for each argument of each rule.
  using HiddenTargets = std::list<std::pair<int, std::string>>;
  std::map<int, HiddenTargets> hidden_by_rule;
  // The rule whose entries are in m_ruleRemoveTargetById now; 0: none are. They begin at
  // `shown_first` and are `shown_count` many.
  int shown_rule = 0;
  HiddenTargets::iterator shown_first;
  std::size_t shown_count = 0;

  // Arguments that are out of sight for a while (waf/prose).
  std::vector<lib::AnchoredSetVariable::node_type> prose;
  void ShowProse() {
    for (auto& argument : prose) m_variableArgs.insert(std::move(argument));
    prose.clear();
  }
};

// Puts a note-taking wrapper around each action of `rules` that ends a
// transaction (deny, drop, redirect), wherever it stands: in a rule, in
// SecDefaultAction, in SecRuleUpdateActionById. This is how we learn which rule
// it was, and whether it said `drop`, which the library runs as `deny`; with
// `nolog` it leaves no other trace. Wrapping twice does nothing.
void NoteInterruptions(lib::RulesSet& rules);

// The text at `url`, fetched as the library fetches remote rules: `key` in the
// header ModSec-key, the server's certificate checked against the system's.
// Takes as long as the server likes. False with the reason in `error`.
bool FetchRules(const std::string& key, const std::string& url, std::string* text,
                std::string* error);

}  // namespace framewall::waf
