// Rules as text: cutting and checking them ends, whatever they are, and each
// statement lies within the text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "waf/rule_check.h"
#include "waf/rule_text.h"

using framewall::waf::RuleAction;
using framewall::waf::RuleChecker;
using framewall::waf::RuleError;
using framewall::waf::RuleFault;
using framewall::waf::RuleReader;
using framewall::waf::RuleStatement;
using framewall::waf::RuleWord;

namespace {

void Demand(bool holds) {
  if (!holds) std::abort();
}

void DemandWithin(std::string_view whole, std::string_view part) {
  if (part.empty()) return;
  Demand(part.data() >= whole.data());
  Demand(part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  RuleReader reader(text, 1);
  RuleStatement statement;
  std::vector<RuleFault> faults;
  std::vector<RuleError> errors;
  RuleChecker checker(&errors);
  int line = 1;
  std::size_t statements = 0;
  while (reader.Next(&statement, &faults)) {
    Demand(++statements <= size);
    Demand(statement.line >= line);
    line = statement.line;
    DemandWithin(text, statement.name);
    for (const RuleWord& word : statement.words) DemandWithin(text, word.text);
    for (const RuleAction& action : statement.actions) {
      DemandWithin(text, action.name);
      DemandWithin(text, action.value);
      Demand(action.line >= statement.line);
    }
    Demand(!statement.faulty || !faults.empty());
    checker.Check(statement, "fuzz");
  }
  return 0;
}
