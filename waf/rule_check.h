// Checks the statements of rules, one after the other as libmodsecurity would
// read them, and says at which line each fault is: the library names another
// line, or none, or has nothing to say.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "waf/rule_set.h"
#include "waf/rule_text.h"

namespace framewall::waf {

// One for all the files that a source includes.
class RuleChecker {
 public:
  explicit RuleChecker(std::vector<RuleError>* errors) : errors_(errors) {}

  // `statement` stands in `file`.
  void Check(const RuleStatement& statement, const std::string& file);

 private:
  void CheckRule(const RuleStatement& statement);
  void CheckChain(const RuleStatement& statement);
  void CheckDefaultAction(const RuleStatement& statement);
  void CheckUpdate(const RuleStatement& statement);
  void CheckSetting(const RuleStatement& statement);
  void Fault(int line, std::string message) { faults_.push_back({line, std::move(message)}); }

  struct Place {
    std::string file;
    int line = 0;
  };

  std::vector<RuleError>* errors_;
  std::vector<RuleFault> faults_;  // of the statement at hand
  std::string file_;
  // Does the next rule belong to the one before? Unknown behind a faulty one.
  enum class Chain { kNone, kOpen, kUnknown } chain_ = Chain::kNone;
  std::string chain_name_;
  std::map<std::string, Place, std::less<>> ids_;
  std::map<std::string, Place, std::less<>> default_actions_;  // by phase
  bool remote_failure_decided_ = false;
};

}  // namespace framewall::waf
