#include "proxy/filter/access.h"

namespace framewall::filter {
namespace {

bool Fits(const config::AccessRule& rule, bool is_unix, const IpAddress& ip) {
  switch (rule.match) {
    case config::AccessRule::Match::kAll:
      return true;
    case config::AccessRule::Match::kUnix:
      return is_unix;
    case config::AccessRule::Match::kNetwork:
      return !is_unix && rule.network.Contains(ip);
  }
  return false;
}

}  // namespace

bool AddressFits(const config::AccessRule& rule, const SocketAddress& address) {
  return Fits(rule, address.is_unix(), address.ip());
}

Verdict CheckAccess(Exchange& exchange) {
  const auto& rules = exchange.settings().access.rules;
  if (rules.empty()) return Verdict::Continue();
  const bool is_unix = exchange.client_address.is_unix();
  const IpAddress ip = exchange.client_address.ip();
  for (const config::AccessRule& rule : rules) {
    if (!Fits(rule, is_unix, ip)) continue;
    if (rule.allow) return Verdict::Satisfied();
    if (exchange.settings().core.satisfy == config::Satisfy::kAll) {
      exchange.LogError(LogLevel::kError, "access forbidden by rule");
    }
    return Verdict::Respond(403);
  }
  return Verdict::Continue();
}

}  // namespace framewall::filter
