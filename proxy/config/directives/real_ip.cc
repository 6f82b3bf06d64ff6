// Which peers are proxies of ours, and where they say who the client is.
#include <fmt/format.h>

#include "proxy/base/text.h"
#include "proxy/config/directives/directives.h"
#include "proxy/config/directives/rows.h"
#include "proxy/config/host_port.h"
#include "proxy/config/setters.h"

namespace framewall::config {
namespace {

constexpr auto kRealIp = &LocationSettings::real_ip;

void ApplyFrom(BuildContext& context, const Directive& directive) {
  AccessList*& list = context.settings->real_ip.from;
  if (context.first_in_block || list == nullptr) {
    list = &context.config.http.access_lists.emplace_back();
  }
  std::vector<AccessRule>& from = list->rules;
  const std::string& text = directive.args[0];
  AccessRule rule{.allow = true};
  if (text == "unix:") {
    rule.match = AccessRule::Match::kUnix;
    from.push_back(rule);
    return;
  }
  rule.match = AccessRule::Match::kNetwork;
  bool host_bits_set = false;
  if (const auto network = Cidr::Parse(text, &host_bits_set)) {
    if (host_bits_set) {
      context.diagnostics.Warn(directive.at,
                               fmt::format("low address bits of {} are meaningless", text));
    }
    rule.network = *network;
    from.push_back(rule);
    return;
  }
  if (text.find('/') != std::string::npos) {
    ReportInvalidParameter(context, directive, text, "ADDRESS | ADDRESS/BITS | NAME | unix:");
    return;
  }
  const auto where = ParseHostPort(text, false);
  const auto addresses =
      where ? ResolveHostPort(*where, 0) : Result<std::vector<SocketAddress>>(where.error());
  if (!addresses) {
    context.Error(directive,
                  fmt::format("{} in set_real_ip_from \"{}\"", addresses.error().message, text));
    return;
  }
  for (const SocketAddress& address : *addresses) {
    const auto network = Cidr::Parse(address.ip().ToText());
    if (!network) continue;
    rule.network = *network;
    from.push_back(rule);
  }
}

void ApplyHeader(BuildContext& context, const Directive& directive) {
  const std::string& text = directive.args[0];
  if (!IsToken(text)) {
    ReportInvalidParameter(context, directive, text, "FIELD | proxy_protocol");
    return;
  }
  context.settings->real_ip.header = text;
}

constexpr DirectiveSpec kRows[] = {
    List("set_real_ip_from", kHttpServerLocation, {1, 1}, ApplyFrom,
         "ADDRESS | NETWORK | NAME | unix: of a proxy that is believed"),
    One("real_ip_header", kHttpServerLocation, ApplyHeader,
        "FIELD | proxy_protocol: where it says who the client is; X-Real-IP unless set"),
    One("real_ip_recursive", kHttpServerLocation, Flag<kRealIp, &RealIpSettings::recursive>,
        "on | off: the last address that is no proxy of ours, not just the last; off unless set"),
};

}  // namespace

std::span<const DirectiveSpec> RealIpDirectives() { return kRows; }

}  // namespace framewall::config
