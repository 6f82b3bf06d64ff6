// What a worker has for its upstreams: groups with their pools, TLS sessions, resolvers.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/config/model/http.h"
#include "proxy/event/loop.h"
#include "proxy/event/resolver.h"
#include "proxy/tls/context.h"
#include "proxy/upstream/client_tls.h"
#include "proxy/upstream/group.h"
#include "proxy/upstream/shared_state.h"

namespace framewall::upstream {

// What an upper room derives from a location's settings once, and finds again here.
class LocationPlan {
 public:
  virtual ~LocationPlan() = default;
};

class Runtime {
 public:
  // All outlive it. `shared` and `client_tls` may be null: no metrics and no TLS then (tests).
  Runtime(event::EventLoop& loop, const config::Config& config, SharedState* shared,
          const ClientTls* client_tls);
  ~Runtime();

  event::EventLoop& loop() { return loop_; }

  Group& GroupOf(const config::UpstreamConfig& upstream) {
    return *groups_[static_cast<size_t>(upstream.index)];
  }
  // For a proxy_pass with names: the upstream block "api", or what another proxy_pass implied.
  // Null where there is none. `port` 0: none was written, `default_port` is the scheme's.
  Group* FindGroup(std::string_view host, uint16_t port, uint16_t default_port);

  // Null where the location has no `resolver`.
  event::Resolver* ResolverFor(const config::ResolverSettings& settings);

  // Null where the configuration has no TLS there.
  const tls::ClientTlsContext* TlsFor(const config::LocationConfig& location) const;
  // Null where too many are remembered (names that clients choose).
  tls::SessionSlot* SessionFor(const tls::ClientTlsContext& context, std::string_view peer,
                               std::string_view name);

  // Empty until it is filled.
  std::unique_ptr<LocationPlan>& PlanOf(const config::LocationConfig& location);

  // The worker is about to end: idle connections are closed, none are kept from now on.
  void Shut();
  size_t idle_connections() const;

 private:
  event::EventLoop& loop_;
  const config::Config& config_;
  const ClientTls* client_tls_;
  std::vector<std::unique_ptr<Group>> groups_;
  std::vector<std::unique_ptr<LocationPlan>> plans_;
  std::map<std::string, std::unique_ptr<event::Resolver>> resolvers_;
  std::map<std::string, tls::SessionSlot> sessions_;
};

}  // namespace framewall::upstream
