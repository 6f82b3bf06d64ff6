#include "tests/rules/socket_carrier.h"

#include <chrono>
#include <set>
#include <utility>
#include <vector>

namespace framewall::rules_test {
namespace {

class Listener : public waf::TransactionListener {
 public:
  explicit Listener(std::set<std::int64_t>& fired) : fired_(fired) {}
  void OnRuleMatch(const waf::RuleMatch& match) override { fired_.insert(match.rule_id); }
  void OnAuditFailure(std::string_view) override {}

 private:
  std::set<std::int64_t>& fired_;
};

}  // namespace

DirectCarrier::DirectCarrier(waf::Engine& engine, std::shared_ptr<const waf::RuleSet> rules)
    : engine_(engine), rules_(std::move(rules)) {}

Outcome DirectCarrier::Carry(const SocketMessage& message) {
  Fields fields = message.handshake.headers;
  fields.insert(fields.end(), {{"Connection", "keep-alive, Upgrade"},
                               {"Upgrade", "websocket"},
                               {"Origin", "https://example.test"},
                               {"Sec-WebSocket-Version", "13"},
                               {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                               {"Sec-WebSocket-Extensions", "permessage-deflate"}});
  std::vector<waf::HeaderView> headers;
  for (const auto& [name, value] : fields) headers.push_back({name, value});
  waf::SocketView socket;
  socket.handshake = {"GET", message.handshake.target, "1.1",  "192.0.2.7", 4711, "192.0.2.1",
                      80,    "example.test",           headers};
  waf::MessageView view;
  view.direction = message.direction;
  view.kind = message.kind;
  view.payload = message.payload;
  view.number = 1;

  Outcome outcome;
  Listener listener(outcome.fired);
  waf::MessageInspection inspection(engine_, rules_, "message", &listener);
  waf::MessageLimits limits;
  limits.budget = std::chrono::seconds(10);
  const waf::Decision decision = inspection.Inspect(socket, view, limits);
  if (decision.interrupts()) {
    outcome.refused = true;
    outcome.status = decision.status;
    outcome.fired.insert(decision.rule_id);
  }
  inspection.Log();
  return outcome;
}

}  // namespace framewall::rules_test
