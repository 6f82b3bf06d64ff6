#include <modsecurity/rule_marker.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "waf/deadline.h"
#include "waf/excuse.h"
#include "waf/prose.h"
#include "waf/rule_files.h"
#include "waf/rule_set.h"
#include "waf/rule_set_state.h"
#include "waf/rule_words.h"
#include "waf/target_ranges.h"

namespace framewall::waf {
namespace {

using Rules = std::shared_ptr<lib::RulesSet>;

template <class Visit>
void ForEachRule(lib::RulesSet& rules, Visit visit) {
  for (int phase = 0; phase < lib::Phases::NUMBER_OF_PHASES; ++phase) {
    for (const auto& rule : rules.m_rulesSetPhases.at(phase)->m_rules) {
      if (auto* with_actions = dynamic_cast<lib::RuleWithActions*>(rule.get())) {
        visit(*with_actions);
      }
    }
  }
}

// The library takes a chain whose last link is missing and then never runs it.
bool ChainsAreComplete(lib::RulesSet& rules, std::vector<RuleError>* errors) {
  const std::size_t before = errors->size();
  ForEachRule(rules, [errors](lib::RuleWithActions& starter) {
    const lib::RuleWithActions* link = &starter;
    while (link->m_chainedRuleChild) link = link->m_chainedRuleChild.get();
    if (link->isChained()) {
      errors->push_back(
          {*link->getFileName(), link->getLineNumber(),
           "rule " + std::to_string(starter.m_ruleId) + " ends with `chain`, but no rule follows"});
    }
  });
  return errors->size() == before;
}

// A rule that skips to a marker which is not behind it skips all that follow in
// its phase, and the library does not say so.
bool MarkersAreThere(lib::RulesSet& rules, std::vector<RuleError>* errors) {
  const std::size_t before = errors->size();
  for (int phase = 0; phase < lib::Phases::NUMBER_OF_PHASES; ++phase) {
    const auto& list = rules.m_rulesSetPhases.at(phase)->m_rules;
    std::set<std::string, std::less<>> markers;  // behind the rule
    for (auto at = list.rbegin(); at != list.rend(); ++at) {
      if (auto* marker = dynamic_cast<lib::RuleMarker*>(at->get())) {
        markers.insert(*marker->getName());
        continue;
      }
      auto* starter = dynamic_cast<lib::RuleWithActions*>(at->get());
      for (auto* rule = starter; rule != nullptr; rule = rule->m_chainedRuleChild.get()) {
        for (const auto* action : RuntimeActionsOf(*rule)) {
          if (!EqualWords(*action->m_name, "skipAfter") ||
              markers.contains(action->m_parser_payload)) {
            continue;
          }
          errors->push_back({*rule->getFileName(), rule->getLineNumber(),
                             "no SecMarker \"" + action->m_parser_payload + "\" behind rule " +
                                 std::to_string(starter->m_ruleId) +
                                 ": skipAfter would skip all rules that follow in its phase"});
        }
      }
    }
  }
  return errors->size() == before;
}

Rules Parse(const RuleSource& source, const std::string& path, std::vector<RuleError>* errors) {
  auto rules = std::make_shared<lib::RulesSet>();
  int loaded = -1;
  switch (source.kind) {
    case RuleSource::Kind::kFile:
      if (!CheckRuleFile(path, errors)) return nullptr;
      loaded = rules->loadFromUri(path.c_str());
      break;
    case RuleSource::Kind::kInline: {
      if (!CheckRules(source.text, source.file, source.line, errors)) return nullptr;
      // Empty lines in front make the library count from where the rules stand.
      const std::string text(static_cast<std::size_t>(std::max(source.line - 1, 0)), '\n');
      loaded = rules->load((text + source.text).c_str(), source.file);
      break;
    }
    case RuleSource::Kind::kRemote: {
      std::string text;
      std::string reason;
      if (!FetchRules(source.key, source.text, &text, &reason)) {
        errors->push_back({source.file, source.line,
                           "rules cannot be fetched from \"" + source.text + "\": " + reason});
        return nullptr;
      }
      if (!CheckRules(text, source.text, 1, errors)) return nullptr;
      loaded = rules->load(text.c_str(), source.text);
      break;
    }
  }
  if (loaded < 0) {
    errors->push_back(ParseLibraryError(rules->getParserError(), source));
    return nullptr;
  }
  if (!ChainsAreComplete(*rules, errors) || !ArmExcuses(*rules, errors) ||
      !ArmProse(*rules, errors)) {
    return nullptr;
  }
  // Loading goes through an inner merge, which empties the list but forgets why.
  lib::ConfigSet& types = rules->m_responseBodyTypeToBeInspected;
  types.m_clear = types.m_set && types.m_value.empty();
  ExpandTargetRanges(*rules);
  NoteInterruptions(*rules);
  ArmDeadlines(*rules);
  return rules;
}

void WarnOfCollections(lib::RulesSet& rules, std::vector<RuleWarning>* warnings) {
  ForEachRule(rules, [&rules, warnings](lib::RuleWithActions& starter) {
    if (rules.m_exceptions.contains(static_cast<int>(starter.m_ruleId))) return;
    for (auto* rule = &starter; rule != nullptr; rule = rule->m_chainedRuleChild.get()) {
      for (const auto* action : RuntimeActionsOf(*rule)) {
        if (!EqualWords(*action->m_name, "initcol") && !EqualWords(*action->m_name, "setsid") &&
            !EqualWords(*action->m_name, "setuid")) {
          continue;
        }
        warnings->push_back(
            {RuleWarning::Kind::kPersistentCollection, starter.m_ruleId, *rule->getFileName(),
             rule->getLineNumber(),
             "rule " + std::to_string(starter.m_ruleId) + " keeps a persistent collection (" +
                 *action->m_name +
                 "); each worker counts for itself, and a reload starts from nothing"});
        return;
      }
    }
  });
}

}  // namespace

struct RuleLoader::State {
  Engine::State* engine;
  std::string base_directory;
  // By absolute path. A null is a file that failed: said once.
  std::map<std::string, Rules> files;
  std::map<std::string, std::shared_ptr<AuditFile>> audit_files;
  std::map<std::string, std::shared_ptr<const AuditStorage>> storages;

  Rules Get(const RuleSource& source, std::vector<RuleError>* errors) {
    if (source.kind != RuleSource::Kind::kFile) return Parse(source, "", errors);
    const std::string path = AbsolutePath(base_directory, source.text);
    const auto known = files.find(path);
    if (known != files.end()) return known->second;
    return files[path] = Parse(source, path, errors);
  }

  bool SetUpAudit(RuleSet::State& set, std::vector<RuleError>* errors);
};

RuleLoader::RuleLoader(Engine& engine, std::string base_directory)
    : state_(new State{engine.state_, std::move(base_directory), {}, {}, {}}) {}
RuleLoader::~RuleLoader() = default;

std::size_t RuleLoader::files_parsed() const { return state_->files.size(); }

std::shared_ptr<const RuleSet> RuleLoader::Load(std::shared_ptr<const RuleSet> parent,
                                                std::span<const RuleSource> sources,
                                                std::vector<RuleError>* errors) {
  if (sources.empty()) return parent;
  auto set = std::make_unique<RuleSet::State>();
  bool good = true;
  const auto merge = [&](lib::RulesSet& from, const RuleSource& source) {
    if (set->rules->merge(&from) < 0) {
      errors->push_back(ParseLibraryError(set->rules->getParserError(), source));
      set->rules->m_parserError.str("");
      good = false;
    }
  };
  for (const RuleSource& source : sources) {
    const Rules rules = state_->Get(source, errors);
    if (!rules) {
      good = false;
      continue;
    }
    merge(*rules, source);
  }
  if (!good) return nullptr;

  set->audit_policy = AuditPolicy::Of(*set->rules->m_auditLog);
  if (!set->audit_policy.path.empty()) {
    set->audit_policy.path = AbsolutePath(state_->base_directory, set->audit_policy.path);
  }
  set->audit_policy.second_path =
      AbsolutePath(state_->base_directory, set->audit_policy.second_path);
  set->audit_policy.storage_directory =
      AbsolutePath(state_->base_directory, set->audit_policy.storage_directory);
  if (parent) {
    set->audit_policy.InheritFrom(parent->state_->audit_policy);
    merge(*parent->state_->rules, sources.front());
  }
  // From here on the policy decides; the library need not ask at each request.
  set->rules->m_auditLog->setStatus(AuditPolicy::Log::OffAuditLogStatus);
  if (!good || !MarkersAreThere(*set->rules, errors) || !state_->SetUpAudit(*set, errors))
    return nullptr;
  WarnOfCollections(*set->rules, &set->warnings);
  return std::shared_ptr<const RuleSet>(new RuleSet(std::move(set)));
}

bool RuleLoader::State::SetUpAudit(RuleSet::State& set, std::vector<RuleError>* errors) {
  const AuditPolicy& policy = set.audit_policy;
  const auto warn = [&set](RuleWarning::Kind kind, const char* text) {
    set.warnings.push_back({kind, 0, "", 0, text});
  };
  if (lib::DebugLog* debug = set.rules->m_debugLog;
      debug->isLogFileSet() && debug->getDebugLogLevel() > 0) {
    warn(RuleWarning::Kind::kDebugLog,
         "SecDebugLog is written by libmodsecurity itself: workers wait for each other, and it is "
         "not reopened");
  }
  if (policy.type == AuditPolicy::Log::HttpsAuditLogType) {
    warn(RuleWarning::Kind::kAuditHttps,
         "SecAuditLogType HTTPS is not supported, it would block the worker; no audit records are "
         "written");
  }
  if (!policy.MayWrite()) return true;
  if (policy.concurrent() ? policy.storage_directory.empty() : policy.path.empty()) {
    warn(RuleWarning::Kind::kAuditWithoutFile,
         policy.concurrent()
             ? "SecAuditEngine is on, but SecAuditLogStorageDir is missing: no audit records"
             : "SecAuditEngine is on, but SecAuditLog is missing: no audit records");
    return true;
  }
  std::shared_ptr<AuditFile> file;
  if (const std::string& path = policy.LinePath(); !path.empty()) {
    std::shared_ptr<AuditFile>& known = audit_files[path];
    if (!known) {
      auto opened = std::make_shared<AuditFile>(path, policy.FileMode());
      std::string error;
      if (!opened->Open(&error)) {
        errors->push_back({"", 0, "SecAuditLog: " + error});
        audit_files.erase(path);
        return false;
      }
      known = std::move(opened);
      engine->audit_files.push_back(known);
    }
    file = known;
  }
  if (policy.concurrent()) {
    auto& known = storages[policy.storage_directory];
    if (!known) {
      known = std::make_shared<const AuditStorage>(
          AuditStorage{policy.storage_directory, policy.DirectoryMode()});
      engine->storages.push_back(known);
    }
    set.storage = known;
  }
  set.audit.emplace(policy, std::move(file));
  return true;
}

}  // namespace framewall::waf
