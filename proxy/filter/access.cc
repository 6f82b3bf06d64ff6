#include "proxy/filter/access.h"

namespace framewall::filter {

const config::AccessRule* FirstThatFits(const config::AccessList& list,
                                        const SocketAddress& address) {
  if (address.is_unix()) {
    return list.first_for_unix ? &list.rules[*list.first_for_unix] : nullptr;
  }
  const uint32_t number = list.networks.Find(address.ip());
  return number == NetworkMap::kNone ? nullptr : &list.rules[number];
}

Verdict CheckAccess(Exchange& exchange) {
  const config::AccessList* list = exchange.settings().access.list;
  if (list == nullptr) return Verdict::Continue();
  const config::AccessRule* rule = FirstThatFits(*list, exchange.client_address);
  if (rule == nullptr) return Verdict::Continue();
  if (rule->allow) return Verdict::Satisfied();
  if (exchange.settings().core.satisfy == config::Satisfy::kAll) {
    exchange.LogError(LogLevel::kError, "access forbidden by rule");
  }
  return Verdict::Respond(403);
}

}  // namespace framewall::filter
