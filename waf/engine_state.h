// What an Engine holds. For the .cc files of this room alone.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "waf/audit_log.h"
#include "waf/engine.h"
#include "waf/library.h"

namespace framewall::waf {

struct Engine::State {
  explicit State(std::string_view product);

  lib::ModSecurity library;

  // Of every rule set alive; those that are gone are forgotten on the next use.
  std::vector<std::weak_ptr<AuditFile>> audit_files;
  std::vector<std::weak_ptr<const AuditStorage>> storages;
};

}  // namespace framewall::waf
