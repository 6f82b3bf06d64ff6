#include "proxy/route/forwarded_address.h"

#include <vector>

#include "proxy/base/text.h"

namespace framewall::route {

IpAddress ForwardedAddress(const exchange::Exchange& exchange, const IpAddress& address,
                           const CidrSet& proxies, bool recursive) {
  if (proxies.empty() || !proxies.Contains(address)) return address;
  std::vector<IpAddress> hops;
  for (const http::Field& field : exchange.request.fields) {
    if (field.id != http::FieldId::kXForwardedFor) continue;
    ForEachListElement(field.value, [&](std::string_view hop) {
      hops.push_back(IpAddress::Parse(hop).value_or(IpAddress()));
    });
  }
  IpAddress found = address;
  for (auto hop = hops.rbegin(); hop != hops.rend(); ++hop) {
    if (hop->empty()) break;
    found = *hop;
    if (!recursive || !proxies.Contains(found)) break;
  }
  return found;
}

}  // namespace framewall::route
