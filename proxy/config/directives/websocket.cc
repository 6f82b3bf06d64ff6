// websocket_*: framewall's own directives for sockets after the 101.
#include <fmt/format.h>

#include <array>

#include "proxy/base/text.h"
#include "proxy/config/directives/directives.h"
#include "proxy/config/directives/rows.h"
#include "proxy/config/setters.h"

namespace framewall::config {
namespace {

constexpr auto kSocket = &LocationSettings::websocket;
using Socket = WebSocketSettings;

constexpr std::array<Word<OverInspectLimit>, 3> kOverLimit = {
    {{"refuse", OverInspectLimit::kRefuse},
     {"partial", OverInspectLimit::kPartial},
     {"pass", OverInspectLimit::kPass}}};
constexpr std::array<Word<SocketVerdict>, 3> kVerdicts = {{{"close", SocketVerdict::kClose},
                                                           {"drop", SocketVerdict::kDrop},
                                                           {"detect", SocketVerdict::kDetect}}};
constexpr std::array<Word<OtherUpgrades>, 2> kOther = {
    {{"ignore", OtherUpgrades::kIgnore}, {"pass", OtherUpgrades::kPass}}};
constexpr std::array<Word<UnknownExtensions>, 2> kExtensions = {
    {{"ignore", UnknownExtensions::kIgnore}, {"refuse", UnknownExtensions::kRefuse}}};

constexpr Range kOneAndMore{1};
constexpr Range kControl{0, 125};
constexpr Range kWindow{9, 15};
constexpr Range kConnections{0, 65535};

void ApplyInspect(BuildContext& context, const Directive& directive) {
  Socket& socket = context.settings->websocket;
  const std::string& word = directive.args[0];
  if (word != "both" && word != "client" && word != "upstream" && word != "off") {
    return ReportUnknownWord(context, directive, word, {"both", "client", "upstream", "off"});
  }
  socket.inspect_client = word == "both" || word == "client";
  socket.inspect_upstream = word == "both" || word == "upstream";
}

// "RATE [burst=N] [close]"; RATE is "N/s", with a size's suffix for octets, or "off".
template <SocketRate Socket::*kMember, bool kOctets>
void ApplyRate(BuildContext& context, const Directive& directive) {
  constexpr std::string_view kExpected =
      kOctets ? "off or SIZE/s [burst=SIZE] [close]" : "off or N/s [burst=N] [close]";
  const auto read = [](std::string_view text) -> std::optional<uint64_t> {
    return kOctets ? ParseSize(text) : ParseUnsigned(text);
  };
  SocketRate rate;
  const std::string_view first = directive.args[0];
  if (first == "off" && directive.args.size() == 1) {
    context.settings->websocket.*kMember = rate;
    return;
  }
  const auto number =
      first.ends_with("/s") ? read(first.substr(0, first.size() - 2)) : std::nullopt;
  if (!number || *number == 0 || *number > 1'000'000'000'000) {
    return ReportInvalidParameter(context, directive, first, kExpected);
  }
  rate.per_second = *number;
  rate.burst = *number;
  for (size_t i = 1; i < directive.args.size(); ++i) {
    const std::string& text = directive.args[i];
    if (const auto burst = AfterPrefix(text, "burst=")) {
      const auto value = read(*burst);
      if (!value || *value == 0 || *value > 1'000'000'000'000) {
        return ReportInvalidParameter(context, directive, text, kExpected);
      }
      rate.burst = *value;
    } else if (text == "close") {
      rate.close = true;
    } else {
      return ReportInvalidParameter(context, directive, text, kExpected);
    }
  }
  context.settings->websocket.*kMember = rate;
}

bool IsOriginPattern(std::string_view text) {
  if (text == "any" || text == "same" || text == "none") return true;
  const size_t scheme = text.find("://");
  if (scheme == text.npos || scheme == 0) return false;
  const std::string_view host = text.substr(scheme + 3);
  if (host.empty() || host.find('/') != host.npos) return false;
  const size_t star = host.find('*');
  return star == host.npos ||
         (star == 0 && host.starts_with("*.") && host.size() > 2 && host.find('*', 1) == host.npos);
}

void ApplyOrigins(BuildContext& context, const Directive& directive) {
  auto& origins = context.settings->websocket.origins;
  if (context.first_in_block) origins.clear();
  for (const std::string& text : directive.args) {
    if (!IsOriginPattern(text)) {
      return ReportInvalidParameter(context, directive, text,
                                    "any, same, none, https://HOST[:PORT] or https://*.DOMAIN");
    }
    if (text == "any") {
      if (directive.args.size() > 1) {
        return ReportInvalidParameter(context, directive, text, "any alone");
      }
      origins.clear();
      return;
    }
    origins.push_back(ToLower(text));
  }
}

void ApplyProtocols(BuildContext& context, const Directive& directive) {
  auto& protocols = context.settings->websocket.protocols;
  if (context.first_in_block) protocols.clear();
  for (const std::string& text : directive.args) {
    if (!IsToken(text)) {
      return ReportInvalidParameter(context, directive, text, "names of sub-protocols");
    }
    if (text == "any" && directive.args.size() == 1) {
      protocols.clear();
      return;
    }
    protocols.push_back(text);
  }
}

void ApplySchema(BuildContext& context, const Directive& directive) {
  Socket& socket = context.settings->websocket;
  const std::string& path = directive.args[0];
  if (path.empty()) return ReportInvalidParameter(context, directive, path, "off or a FILE");
  socket.schema = path == "off" ? std::string() : context.config.ConfPath(path);
  socket.schema_at = directive.at;
}

// Counted in a zone of its own, which all workers share.
void ApplyClientConnections(BuildContext& context, const Directive& directive) {
  constexpr std::string_view kZone = "websocket_client_connections";
  const auto number = ReadNumber(context, directive, directive.args[0], kConnections);
  if (!number) return;
  Socket& socket = context.settings->websocket;
  socket.client_connections = *number;
  auto& zones = context.config.http.limit_zones;
  for (const auto& zone : zones) {
    if (zone->name == kZone) socket.client_zone = zone->index;
  }
  if (*number == 0 || socket.client_zone >= 0) return;
  auto zone = std::make_unique<LimitZone>();
  zone->name = kZone;
  zone->size = 4 * 1024 * 1024;
  zone->at = directive.at;
  zone->index = socket.client_zone = static_cast<int>(zones.size());
  zones.push_back(std::move(zone));
}

void ApplyOtherUpgrades(BuildContext& context, const Directive& directive) {
  Enum<kOther, kSocket, &Socket::other_upgrades>(context, directive);
  if (context.settings->websocket.other_upgrades != OtherUpgrades::kPass) return;
  context.diagnostics.Warn(directive.at,
                           "\"websocket_other_upgrades pass\": what follows a 101 to another "
                           "protocol than WebSocket is not inspected");
}

constexpr ContextSet kHsl = kHttpServerLocation;

constexpr DirectiveSpec kRows[] = {
    One("websocket_inspect", kHsl, ApplyInspect,
        "both | client | upstream | off: whose messages the rules see where modsecurity is on; "
        "both unless set"),
    One("websocket_inspect_limit", kHsl, Size<kSocket, &Socket::inspect_limit>,
        "SIZE: the longest message that is inspected whole; 128k unless set"),
    One("websocket_inspect_over_limit", kHsl,
        Enum<kOverLimit, kSocket, &Socket::over_inspect_limit>,
        "refuse | partial | pass: a longer one is refused with 1009, judged by its beginning, or "
        "passed and logged; refuse unless set"),
    One("websocket_verdict", kHsl, Enum<kVerdicts, kSocket, &Socket::verdict>,
        "close | drop | detect: a refused message closes with 1008, is left out, or is logged "
        "only; close unless set"),
    One("websocket_max_message_size", kHsl, Size<kSocket, &Socket::max_message_size>,
        "SIZE: after inflating; 1009 over it; 1m unless set"),
    One("websocket_max_frame_size", kHsl, Size<kSocket, &Socket::max_frame_size>,
        "SIZE: of one frame; 0, unless set, is the message's limit"),
    One("websocket_max_control_size", kHsl, NumberIn<kControl, kSocket, &Socket::max_control_size>,
        "N: octets in a ping, pong or close; 125 unless set"),
    One("websocket_max_fragments", kHsl, NumberIn<kOneAndMore, kSocket, &Socket::max_fragments>,
        "N: frames of one message; 1024 unless set"),
    One("websocket_max_inflate_ratio", kHsl,
        NumberIn<kOneAndMore, kSocket, &Socket::max_inflate_ratio>,
        "N: octets out of one compressed octet, in long messages; 100 unless set"),
    One("websocket_allow_text", kHsl, Flag<kSocket, &Socket::allow_text>,
        "on | off: text messages of clients; on unless set"),
    One("websocket_allow_binary", kHsl, Flag<kSocket, &Socket::allow_binary>,
        "on | off: binary messages of clients; on unless set"),
    One("websocket_allow_null", kHsl, Flag<kSocket, &Socket::allow_null>,
        "on | off: U+0000 in clients' text; on unless set"),
    One("websocket_schema", kHsl, ApplySchema,
        "off | FILE: clients' messages are JSON that matches this JSON Schema (draft 2020-12), "
        "else websocket_verdict holds; off unless set"),
    List("websocket_origins", kHsl, {1, kMany}, ApplyOrigins,
         "any | [same] [none] [ORIGIN]...: pages that may open sockets; same: of this host, none: "
         "no Origin, https://*.DOMAIN: any host below it; any unless set"),
    List("websocket_protocols", kHsl, {1, kMany}, ApplyProtocols,
         "any | NAME...: sub-protocols that may be asked for; any unless set"),
    One("websocket_extensions", kHsl, Enum<kExtensions, kSocket, &Socket::unknown_extensions>,
        "ignore | refuse: a handshake that offers others than permessage-deflate; ignore unless "
        "set"),
    One("websocket_deflate", kHsl, Flag<kSocket, &Socket::client_deflate, &SocketDeflate::enabled>,
        "on | off: permessage-deflate with clients that offer it; on unless set"),
    One("websocket_deflate_context_takeover", kHsl,
        Flag<kSocket, &Socket::client_deflate, &SocketDeflate::context_takeover>,
        "on | off: compress across messages, about 310 kB for each socket; off unless set"),
    One("websocket_deflate_window_bits", kHsl,
        NumberIn<kWindow, kSocket, &Socket::client_deflate, &SocketDeflate::window_bits>,
        "9-15: the most that clients are granted; 15 unless set"),
    One("websocket_upstream_deflate", kHsl,
        Flag<kSocket, &Socket::upstream_deflate, &SocketDeflate::enabled>,
        "on | off: offer permessage-deflate to upstreams; off unless set"),
    One("websocket_upstream_deflate_context_takeover", kHsl,
        Flag<kSocket, &Socket::upstream_deflate, &SocketDeflate::context_takeover>,
        "on | off: compress across messages; off unless set"),
    {.name = "websocket_message_rate",
     .contexts = kHsl,
     .arity = {1, 3},
     .apply = ApplyRate<&Socket::message_rate, false>,
     .doc = "off | N/s [burst=N] [close]: messages of one client's socket; over it the client is "
            "read more slowly, or closed with 1008; 100/s burst=200 unless set"},
    {.name = "websocket_byte_rate",
     .contexts = kHsl,
     .arity = {1, 3},
     .apply = ApplyRate<&Socket::byte_rate, true>,
     .doc = "off | SIZE/s [burst=SIZE] [close]: octets of messages of one client's socket; off "
            "unless set"},
    {.name = "websocket_client_message_rate",
     .contexts = kHsl,
     .arity = {1, 3},
     .apply = ApplyRate<&Socket::client_message_rate, false>,
     .doc = "off | N/s [burst=N] [close]: messages of all sockets of a client address in a "
            "worker; 1000/s burst=2000 unless set"},
    One("websocket_client_connections", kHsl, ApplyClientConnections,
        "N: sockets of a client address at a time, over all workers; 503 over it; 0, unless set, "
        "is no limit"),
    One("websocket_message_timeout", kHsl, Time<kSocket, &Socket::message_timeout>,
        "TIME: for a message from its first octet to its last; 60s unless set"),
    One("websocket_close_timeout", kHsl, Time<kSocket, &Socket::close_timeout>,
        "TIME: for the answer to a close; 5s unless set"),
    One("websocket_ping_interval", kHsl, Time<kSocket, &Socket::ping_interval>,
        "TIME: pings of ours to both sides; 0, unless set, is none"),
    One("websocket_idle_timeout", kHsl, Time<kSocket, &Socket::idle_timeout>,
        "TIME: without a message of either side; pings do not count; 0, unless set, is no limit"),
    One("websocket_session_lifetime", kHsl, Time<kSocket, &Socket::session_lifetime>,
        "TIME: then the socket is closed with 1001; 0, unless set, is no limit"),
    One("websocket_worker_memory", kHsl, Size<kSocket, &Socket::worker_memory>,
        "SIZE: what unfinished messages hold in a worker; 1013 over it; 256m unless set"),
    One("websocket_client_memory", kHsl, Size<kSocket, &Socket::client_memory>,
        "SIZE: what unfinished messages of a client address hold in a worker; 1013 over it; 32m "
        "unless set"),
    One("websocket_other_upgrades", kHsl, ApplyOtherUpgrades,
        "ignore | pass: an Upgrade to anything but websocket; pass tunnels it uninspected; ignore "
        "unless set"),
};

}  // namespace

std::span<const DirectiveSpec> WebSocketDirectives() { return kRows; }

}  // namespace framewall::config
