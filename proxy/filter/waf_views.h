// What both adapters to waf/ need of an exchange: its head as views, its rules, its listener.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "proxy/exchange/exchange.h"
#include "waf/transaction.h"

namespace framewall::filter {

class FilterServices;

std::vector<waf::HeaderView> ViewsOf(const http::HeaderMap& fields);

// modsecurity_variable, with the values that they have when this is made.
class RuleVariables {
 public:
  explicit RuleVariables(exchange::Exchange& exchange);
  RuleVariables(const RuleVariables&) = delete;
  RuleVariables& operator=(const RuleVariables&) = delete;
  const std::vector<waf::VariableView>& views() const { return views_; }

 private:
  std::vector<std::string> values_;
  std::vector<waf::VariableView> views_;
};

// The request as it came. Views into the exchange, into `variables` and into this.
class RequestViews {
 public:
  RequestViews(const exchange::Exchange& exchange, const RuleVariables& variables);
  RequestViews(const RequestViews&) = delete;
  RequestViews& operator=(const RequestViews&) = delete;
  const waf::RequestView& view() const { return view_; }

 private:
  std::string client_;
  std::string server_;
  std::vector<waf::HeaderView> headers_;
  waf::RequestView view_;
};

// The rules of the exchange's location; null where modsecurity or SecRuleEngine is off.
std::shared_ptr<const waf::RuleSet> RulesOf(const exchange::Exchange& exchange,
                                            const FilterServices& services);

// What stays out of audit records and of what rules log; views into the configuration.
waf::SecretFields SecretFieldsOf(const exchange::Exchange& exchange);

// Unique over all workers.
std::string NewTransactionId();

// Rules that matched go to the error log and the metrics; a lost audit record does too.
class RuleLog final : public waf::TransactionListener {
 public:
  RuleLog(const exchange::Exchange& exchange, FilterServices& services)
      : exchange_(exchange), services_(services) {}
  void OnRuleMatch(const waf::RuleMatch& match) override;
  void OnAuditFailure(std::string_view message) override;
  // What interrupted: counted, and its line written as the connector does.
  void OnRefusal(const waf::Decision& decision);

 private:
  const exchange::Exchange& exchange_;
  FilterServices& services_;
};

}  // namespace framewall::filter
