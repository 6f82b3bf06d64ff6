#include "proxy/filter/realip.h"

#include <optional>

#include "proxy/base/parse.h"
#include "proxy/base/text.h"
#include "proxy/filter/access.h"

namespace framewall::filter {
namespace {

using Rules = config::AccessList;

bool IsTrusted(const Rules& rules, const SocketAddress& address) {
  return FirstThatFits(rules, address) != nullptr;
}

// "1.2.3.4", "::1", "1.2.3.4:567", "[::1]:80"; a port of 0 is none.
std::optional<SocketAddress> ParseHop(std::string_view text) {
  if (const auto ip = IpAddress::Parse(text)) return SocketAddress::FromIp(*ip, 0);
  std::string_view host;
  std::string_view port;
  if (text.starts_with('[')) {
    const size_t close = text.find("]:");
    if (close == std::string_view::npos) return std::nullopt;
    host = text.substr(1, close - 1);
    port = text.substr(close + 2);
  } else {
    const size_t colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  const auto number = ParseUnsigned(port);
  const auto ip = IpAddress::Parse(host);
  if (!number || *number < 1 || *number > 65535 || !ip) return std::nullopt;
  return SocketAddress::FromIp(*ip, static_cast<uint16_t>(*number));
}

enum class Walk : uint8_t {
  kStopped,  // at a hop that is no proxy of ours, or at one that cannot be read
  kThrough,  // every hop of the list was believed
};

// Follows the list from its end, from `address` on: each hop is believed when the one before it is
// trusted. `moved` tells whether `address` changed.
Walk FollowHops(const Rules& trusted, std::string_view list, bool recursive, SocketAddress& address,
                bool& moved) {
  do {
    if (!IsTrusted(trusted, address)) return Walk::kStopped;
    const size_t last = list.find_last_not_of(" ,");
    list = list.substr(0, last == std::string_view::npos ? 0 : last + 1);
    const size_t before = list.find_last_of(" ,");
    const size_t begin = before == std::string_view::npos ? 0 : before + 1;
    const auto hop = ParseHop(list.substr(begin));
    if (!hop) return Walk::kStopped;
    address = *hop;
    moved = true;
    list = list.substr(0, begin);
  } while (recursive && !list.empty());
  return Walk::kThrough;
}

bool FollowForwardedFor(const Rules& trusted, const http::HeaderMap& fields, bool recursive,
                        SocketAddress& address) {
  bool moved = false;
  // The last line is the nearest hop's.
  for (size_t i = fields.size(); i-- > 0;) {
    const http::Field& field = fields.at(i);
    if (field.id != http::FieldId::kXForwardedFor) continue;
    if (FollowHops(trusted, field.value, recursive, address, moved) == Walk::kStopped) break;
    if (!recursive) break;
  }
  return moved;
}

}  // namespace

Verdict ApplyRealIp(Exchange& exchange) {
  const config::RealIpSettings& settings = exchange.settings().real_ip;
  if (settings.from == nullptr) return Verdict::Continue();
  // The server's settings have found it already; as in nginx, the location's do not look again.
  if (!(exchange.client_address == exchange.connection.peer)) return Verdict::Continue();

  SocketAddress address = exchange.connection.peer;
  bool moved = false;
  if (settings.header == "proxy_protocol") {
    const exchange::ProxyProtocolInfo& info = exchange.connection.proxy_protocol;
    if (!info.present || info.source.empty()) return Verdict::Continue();
    moved = IsTrusted(*settings.from, address);
    address = info.source;
  } else if (EqualsIgnoreCase(settings.header, "X-Forwarded-For")) {
    moved =
        FollowForwardedFor(*settings.from, exchange.request.fields, settings.recursive, address);
  } else if (const http::Field* field = exchange.request.fields.Find(settings.header)) {
    FollowHops(*settings.from, field->value, settings.recursive, address, moved);
  }
  if (moved) exchange.client_address = address;
  return Verdict::Continue();
}

}  // namespace framewall::filter
