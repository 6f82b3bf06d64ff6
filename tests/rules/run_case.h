// Takes one case through the engine as the gateway would.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "tests/rules/case_file.h"
#include "waf/engine.h"
#include "waf/rule_set.h"

namespace framewall::rules_test {

struct Outcome {
  bool refused = false;
  int status = 200;
  std::set<std::int64_t> fired;
};

Outcome RunCase(waf::Engine& engine, const std::shared_ptr<const waf::RuleSet>& rules,
                const Case& one);

// What is wrong with `outcome`, or nothing.
std::string Complaint(const Case& one, const Outcome& outcome);

}  // namespace framewall::rules_test
