// What stands in an upstream block.
#include <fmt/format.h>

#include <utility>

#include "proxy/config/directives/directives.h"
#include "proxy/config/directives/rows.h"
#include "proxy/config/host_port.h"
#include "proxy/config/setters.h"

namespace framewall::config {
namespace {

constexpr std::string_view kServerParameters =
    "ADDRESS [weight=N] [max_conns=N] [max_fails=N] [fail_timeout=TIME] [backup] [down]";

bool TakesBackup(BalancerKind kind) {
  return kind == BalancerKind::kRoundRobin || kind == BalancerKind::kLeastConn;
}

// One parameter after the address. False: it was reported.
bool ReadServerParameter(BuildContext& context, const Directive& directive, UpstreamServer& server,
                         std::string_view text) {
  const auto number = [&](std::string_view value, uint64_t least, int& target) {
    const auto parsed = ParseUnsigned(value);
    if (!parsed || *parsed < least || *parsed > 0x7fffffff) {
      ReportInvalidParameter(context, directive, text, kServerParameters);
      return false;
    }
    target = static_cast<int>(*parsed);
    return true;
  };
  if (const auto weight = AfterPrefix(text, "weight=")) return number(*weight, 1, server.weight);
  if (const auto conns = AfterPrefix(text, "max_conns="))
    return number(*conns, 0, server.max_conns);
  if (const auto fails = AfterPrefix(text, "max_fails="))
    return number(*fails, 0, server.max_fails);
  if (const auto timeout = AfterPrefix(text, "fail_timeout=")) {
    const auto time = ParseTime(*timeout);
    if (!time) {
      ReportInvalidParameter(context, directive, text, kServerParameters);
      return false;
    }
    server.fail_timeout = *time;
    return true;
  }
  if (text == "backup") {
    if (!TakesBackup(context.upstream->balancer)) {
      context.Error(directive, "balancing method does not support parameter \"backup\"");
      return false;
    }
    server.backup = true;
    return true;
  }
  if (text == "down") {
    server.down = true;
    return true;
  }
  ReportInvalidParameter(context, directive, text, kServerParameters);
  return false;
}

void ApplyServer(BuildContext& context, const Directive& directive) {
  const std::string& text = directive.args[0];
  UpstreamServer server;
  server.name = text;
  server.at = directive.at;
  for (size_t i = 1; i < directive.args.size(); ++i) {
    if (!ReadServerParameter(context, directive, server, directive.args[i])) return;
  }
  const auto where = ParseHostPort(text, false);
  auto addresses =
      where ? ResolveHostPort(*where, 80) : Result<std::vector<SocketAddress>>(where.error());
  if (!addresses) {
    context.Error(directive, fmt::format("{} in upstream \"{}\"", addresses.error().message, text));
    return;
  }
  server.addresses = std::move(*addresses);
  context.upstream->servers.push_back(std::move(server));
}

void Choose(BuildContext& context, const Directive& directive, BalancerKind kind) {
  if (context.upstream->balancer != BalancerKind::kRoundRobin) {
    context.diagnostics.Warn(directive.at, "load balancing method redefined");
  }
  context.upstream->balancer = kind;
  if (TakesBackup(kind)) return;
  // nginx refuses this only where the method comes first; configurations that get by with it start.
  for (const UpstreamServer& server : context.upstream->servers) {
    if (!server.backup) continue;
    context.diagnostics.Warn(server.at,
                             "balancing method does not support parameter \"backup\", which is "
                             "used when all others fail");
  }
}

template <BalancerKind kKind>
void Balancer(BuildContext& context, const Directive& directive) {
  Choose(context, directive, kKind);
}

void ApplyHash(BuildContext& context, const Directive& directive) {
  auto key = ReadTemplate(context, directive, directive.args[0]);
  if (!key) return;
  BalancerKind kind = BalancerKind::kHash;
  if (directive.args.size() > 1) {
    if (directive.args[1] != "consistent") {
      ReportInvalidParameter(context, directive, directive.args[1], "KEY [consistent]");
      return;
    }
    kind = BalancerKind::kConsistentHash;
  }
  context.upstream->hash_key = std::move(*key);
  Choose(context, directive, kind);
}

void ApplyRandom(BuildContext& context, const Directive& directive) {
  BalancerKind kind = BalancerKind::kRandom;
  if (!directive.args.empty()) {
    if (directive.args[0] != "two") {
      ReportInvalidParameter(context, directive, directive.args[0], "[two [least_conn]]");
      return;
    }
    kind = BalancerKind::kRandomTwoLeastConn;
  }
  if (directive.args.size() > 1 && directive.args[1] != "least_conn") {
    ReportInvalidParameter(context, directive, directive.args[1], "[two [least_conn]]");
    return;
  }
  Choose(context, directive, kind);
}

void ApplyZone(BuildContext& context, const Directive& directive) {
  UpstreamConfig& upstream = *context.upstream;
  if (directive.args[0].empty()) {
    context.Error(directive, "invalid zone name \"\"");
    return;
  }
  upstream.zone_name = directive.args[0];
  if (directive.args.size() == 1) return;
  const auto size = ParseSize(directive.args[1]);
  if (!size) {
    context.Error(directive, fmt::format("invalid zone size \"{}\"", directive.args[1]));
    return;
  }
  if (*size < 8 * 4096) {
    context.Error(directive, fmt::format("zone \"{}\" is too small, 32k and more was expected",
                                         directive.args[0]));
    return;
  }
  upstream.zone_size = *size;
}

constexpr DirectiveSpec kRows[] = {
    {.name = "server",
     .contexts = kUpstream,
     .arity = {1, kMany},
     .apply = ApplyServer,
     .repeatable = true,
     .doc = kServerParameters},
    {.name = "least_conn",
     .contexts = kUpstream,
     .apply = Balancer<BalancerKind::kLeastConn>,
     .doc = "the server with the fewest connections for its weight"},
    {.name = "ip_hash",
     .contexts = kUpstream,
     .apply = Balancer<BalancerKind::kIpHash>,
     .doc = "the same server for the same client network"},
    {.name = "hash",
     .contexts = kUpstream,
     .arity = {1, 2},
     .apply = ApplyHash,
     .doc = "KEY [consistent]: the same server for the same key"},
    {.name = "random",
     .contexts = kUpstream,
     .arity = {0, 2},
     .apply = ApplyRandom,
     .doc = "[two [least_conn]]: any server, or the less busy of two"},
    {.name = "zone",
     .contexts = kUpstream,
     .arity = {1, 2},
     .apply = ApplyZone,
     .doc = "NAME [SIZE]: state of the servers shared by the workers"},
    One("keepalive", kUpstream, NumberIn<Range{1, 1 << 20}, &UpstreamConfig::keepalive>,
        "NUMBER: idle connections kept by each worker"),
    One("keepalive_requests", kUpstream, Number<&UpstreamConfig::keepalive_requests>,
        "NUMBER: requests on one connection; 1000 unless set"),
    One("keepalive_timeout", kUpstream, Time<&UpstreamConfig::keepalive_timeout>,
        "TIME: how long an idle connection stays; 60s unless set"),
    One("keepalive_time", kUpstream, Time<&UpstreamConfig::keepalive_time>,
        "TIME: age after which a connection is closed once idle; 1h unless set"),
};

}  // namespace

std::span<const DirectiveSpec> UpstreamDirectives() { return kRows; }

}  // namespace framewall::config
