// Something of ours that runs between two rules, whatever they say. For the .cc files of this room
// alone.
#pragma once

#include <memory>
#include <string>

#include "waf/library.h"

namespace framewall::waf {

class Step : public lib::Rule {
 public:
  // Reports the place of a rule beside it.
  explicit Step(const lib::Rule& place)
      : lib::Rule(std::make_unique<std::string>(*place.getFileName()), place.getLineNumber()) {
    setPhase(place.getPhase());
  }
  bool evaluate(lib::Transaction* transaction) override = 0;
  bool evaluate(lib::Transaction* transaction, std::shared_ptr<lib::RuleMessage>) override {
    return evaluate(transaction);
  }
};

}  // namespace framewall::waf
