// How the runner gets a message to the rules. Straight to the inspection here;
// through the relay, in fragments and compressed, elsewhere: both must say the same.
#pragma once

#include <memory>
#include <string>

#include "tests/rules/case_file.h"
#include "tests/rules/run_case.h"
#include "waf/engine.h"
#include "waf/message.h"
#include "waf/rule_set.h"

namespace framewall::rules_test {

struct SocketMessage {
  Request handshake;  // a browser's GET; what makes it a handshake is added
  std::string payload;
  waf::MessageDirection direction = waf::MessageDirection::kClientToUpstream;
  waf::MessageKind kind = waf::MessageKind::kText;
};

class SocketCarrier {
 public:
  virtual ~SocketCarrier() = default;
  virtual Outcome Carry(const SocketMessage& message) = 0;
};

// One waf::MessageInspection a message.
class DirectCarrier final : public SocketCarrier {
 public:
  DirectCarrier(waf::Engine& engine, std::shared_ptr<const waf::RuleSet> rules);
  Outcome Carry(const SocketMessage& message) override;

 private:
  waf::Engine& engine_;
  std::shared_ptr<const waf::RuleSet> rules_;
};

}  // namespace framewall::rules_test
