#include "tests/rules/run_case.h"

#include <span>
#include <vector>

#include "waf/transaction.h"

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

std::vector<waf::HeaderView> Views(const Fields& fields) {
  std::vector<waf::HeaderView> views;
  for (const auto& [name, value] : fields) views.push_back({name, value});
  return views;
}

std::span<const std::byte> Bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

waf::Decision Walk(waf::Transaction& transaction, const Case& one) {
  const auto headers = Views(one.request.headers);
  waf::Decision decision =
      transaction.ProcessRequestHead({one.request.method, one.request.target, "1.1", "192.0.2.7",
                                      4711, "192.0.2.1", 80, "example.test", headers});
  if (decision.interrupts()) return decision;
  if (!one.request.body.empty()) {
    decision = transaction.AppendRequestBody(Bytes(one.request.body));
    if (decision.interrupts()) return decision;
  }
  decision = transaction.ProcessRequestBody();
  if (decision.interrupts() || !one.has_response) return decision;

  const auto response_headers = Views(one.response.headers);
  decision =
      transaction.ProcessResponseHeaders({one.response.status, "HTTP/1.1", response_headers});
  if (decision.interrupts()) return decision;
  decision = transaction.AppendResponseBody(Bytes(one.response.body));
  if (decision.interrupts()) return decision;
  return transaction.ProcessResponseBody();
}

}  // namespace

Outcome RunCase(waf::Engine& engine, const std::shared_ptr<const waf::RuleSet>& rules,
                const Case& one) {
  Outcome outcome;
  Listener listener(outcome.fired);
  waf::Transaction transaction(engine, rules, "case", &listener);
  const waf::Decision decision = Walk(transaction, one);
  if (decision.interrupts()) {
    outcome.refused = true;
    outcome.status = decision.status;
    outcome.fired.insert(decision.rule_id);
  }
  transaction.ProcessLogging();
  return outcome;
}

std::string Complaint(const Case& one, const Outcome& outcome) {
  std::string text;
  for (const std::int64_t id : one.fires) {
    if (!outcome.fired.contains(id)) text += "; " + std::to_string(id) + " did not fire";
  }
  for (const std::int64_t id : one.silent) {
    if (outcome.fired.contains(id)) text += "; " + std::to_string(id) + " fired";
  }
  if (outcome.refused && one.refused == 0) text += "; refused";
  if (!outcome.refused && one.refused != 0) text += "; not refused";
  if (outcome.refused && one.refused > 0 && outcome.status != one.refused) {
    text += "; refused with " + std::to_string(outcome.status);
  }
  if (text.empty()) return text;
  text += " (fired:";
  for (const std::int64_t id : outcome.fired) text += " " + std::to_string(id);
  return text.substr(2) + ")";
}

}  // namespace framewall::rules_test
