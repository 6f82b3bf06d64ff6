// What a RuleSet holds. For the .cc files of this room alone.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "waf/audit_log.h"
#include "waf/engine_state.h"
#include "waf/library.h"
#include "waf/rule_set.h"

namespace framewall::waf {

// "Text/HTML; charset=utf-8" is "text/html".
std::string MediaType(std::string_view content_type);

struct RuleSet::State {
  // The library takes it non-const everywhere; nothing changes it after loading.
  std::unique_ptr<lib::RulesSet> rules = std::make_unique<lib::RulesSet>();
  // What this level and its parents say of the audit log, with paths made whole.
  AuditPolicy audit_policy;
  std::optional<AuditLog> audit;
  std::shared_ptr<const AuditStorage> storage;
  std::vector<RuleWarning> warnings;
};

}  // namespace framewall::waf
