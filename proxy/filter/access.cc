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
  const config::AccessList* list = exchange.settings().access.list;
  if (list == nullptr) return Verdict::Continue();
  const SocketAddress& client = exchange.client_address;
  std::optional<size_t> found;
  if (client.is_unix()) {
    found = list->first_for_unix;
  } else if (const uint32_t number = list->networks.Find(client.ip());
             number != NetworkMap::kNone) {
    found = number;
  }
  if (!found) return Verdict::Continue();
  if (list->rules[*found].allow) return Verdict::Satisfied();
  if (exchange.settings().core.satisfy == config::Satisfy::kAll) {
    exchange.LogError(LogLevel::kError, "access forbidden by rule");
  }
  return Verdict::Respond(403);
}

}  // namespace framewall::filter
