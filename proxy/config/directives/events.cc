// The events block.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "proxy/config/directives/directives.h"
#include "proxy/config/setters.h"

namespace framewall::config {
namespace {

// libevent chooses epoll by itself; asking for another method changes nothing.
void ApplyUse(BuildContext& context, const Directive& directive) {
  constexpr std::array<std::string_view, 3> kKnown = {"epoll", "poll", "select"};
  const std::string& method = directive.args[0];
  if (method == "epoll") return;
  if (std::find(kKnown.begin(), kKnown.end(), method) == kKnown.end()) {
    context.Error(directive, fmt::format("invalid event type \"{}\", epoll was expected", method));
    return;
  }
  context.diagnostics.Warn(directive.at,
                           fmt::format("\"use {}\" has no effect: epoll is used", method));
}

constexpr DirectiveSpec kRows[] = {
    {.name = "worker_connections",
     .contexts = kEvents,
     .arity = {1, 1},
     .apply = NumberIn<Range{1}, &EventsConfig::worker_connections>,
     .doc = "NUMBER: connections a worker holds, to clients and upstreams; 512 unless set"},
    {.name = "multi_accept",
     .contexts = kEvents,
     .arity = {1, 1},
     .apply = Flag<&EventsConfig::multi_accept>,
     .doc = "on | off: accept all waiting connections at once; off unless set"},
    {.name = "use",
     .contexts = kEvents,
     .arity = {1, 1},
     .apply = ApplyUse,
     .doc = "epoll: the event method; there is no other"},
};

}  // namespace

std::span<const DirectiveSpec> EventsDirectives() { return kRows; }

}  // namespace framewall::config
