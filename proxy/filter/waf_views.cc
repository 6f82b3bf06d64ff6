#include "proxy/filter/waf_views.h"

#include "proxy/base/digest.h"
#include "proxy/base/encoding.h"
#include "proxy/filter/services.h"

namespace framewall::filter {
namespace {

std::string_view VersionDigits(http::Version version) {
  switch (version) {
    case http::Version::kHttp10:
      return "1.0";
    case http::Version::kHttp11:
      return "1.1";
    case http::Version::kHttp2:
      return "2.0";
  }
  return "1.1";
}

}  // namespace

std::vector<waf::HeaderView> ViewsOf(const http::HeaderMap& fields) {
  std::vector<waf::HeaderView> views;
  views.reserve(fields.size() + 4);
  for (const http::Field& field : fields) views.push_back({field.name, field.value});
  return views;
}

RuleVariables::RuleVariables(exchange::Exchange& exchange) {
  const auto& variables = exchange.settings().waf.variables;
  values_.resize(variables.size());
  views_.reserve(variables.size());
  for (size_t i = 0; i < variables.size(); ++i) {
    exchange.ExpandTo(variables[i].second, values_[i]);
    views_.push_back({variables[i].first, values_[i]});
  }
}

RequestViews::RequestViews(const exchange::Exchange& exchange, const RuleVariables& variables)
    : client_(exchange.client_address.ip().ToText()),
      server_(exchange.connection.local.ip().ToText()),
      headers_(ViewsOf(exchange.request.fields)) {
  view_.method = exchange.request.method_name;
  view_.target = exchange.request.target;
  view_.http_version = VersionDigits(exchange.request.version);
  view_.client_address = client_;
  view_.client_port = exchange.client_address.port();
  view_.server_address = server_;
  view_.server_port = exchange.connection.local.port();
  view_.hostname = exchange.host;
  view_.headers = headers_;
  view_.variables = variables.views();
}

std::shared_ptr<const waf::RuleSet> RulesOf(const exchange::Exchange& exchange,
                                            const FilterServices& services) {
  if (!exchange.settings().waf.enabled || services.engine == nullptr) return nullptr;
  const auto id = static_cast<size_t>(exchange.location->id);
  if (services.rule_sets == nullptr || id >= services.rule_sets->size()) return nullptr;
  const auto& rules = (*services.rule_sets)[id];
  if (rules == nullptr || rules->engine_mode() == waf::EngineMode::kOff) return nullptr;
  return rules;
}

waf::SecretFields SecretFieldsOf(const exchange::Exchange& exchange) {
  const config::WafSettings& settings = exchange.settings().waf;
  waf::SecretFields fields;
  fields.on = settings.audit_mask;
  fields.defaults = settings.audit_mask_defaults;
  fields.names = settings.audit_mask_fields;
  fields.arguments = exchange.config.http.masked_arguments;
  return fields;
}

std::string NewTransactionId() { return HexEncode(RandomBytes(16)); }

void RuleLog::OnRuleMatch(const waf::RuleMatch& match) {
  if (services_.count_rule) services_.count_rule(match.rule_id, false);
  if (exchange_.settings().waf.use_error_log && exchange_.log().Enabled(LogLevel::kInfo)) {
    exchange_.LogError(LogLevel::kInfo, match.LogLine());
  }
}

void RuleLog::OnAuditFailure(std::string_view message) {
  if (services_.audit_lost) services_.audit_lost();
  exchange_.LogError(LogLevel::kError, "ModSecurity: audit record lost: " + std::string(message));
}

void RuleLog::OnRefusal(const waf::Decision& decision) {
  if (services_.count_rule) services_.count_rule(decision.rule_id, true);
  if (exchange_.settings().waf.use_error_log && !decision.log_line.empty()) {
    exchange_.LogError(LogLevel::kError, decision.log_line);
  }
}

}  // namespace framewall::filter
