#include "proxy/upstream/runtime.h"

#include <chrono>
#include <utility>

#include "proxy/base/text.h"
#include "proxy/upstream/peer_pool.h"

namespace framewall::upstream {
namespace {

constexpr size_t kMostSessions = 4096;

}  // namespace

Runtime::Runtime(event::EventLoop& loop, const config::Config& config, SharedState* shared,
                 const ClientTls* client_tls)
    : loop_(loop), config_(config), client_tls_(client_tls) {
  for (const auto& upstream : config.http.upstreams) {
    const SharedGroup none;
    auto group = std::make_unique<Group>(*upstream,
                                         shared != nullptr ? shared->group(upstream->index) : none);
    if (upstream->keepalive > 0) group->SetPool(std::make_unique<PeerPool>(loop, *upstream));
    groups_.push_back(std::move(group));
  }
  plans_.resize(static_cast<size_t>(config.http.location_count));
}

Runtime::~Runtime() = default;

Group* Runtime::FindGroup(std::string_view host, uint16_t port, uint16_t default_port) {
  const uint16_t wanted = port != 0 ? port : default_port;
  for (const auto& upstream : config_.http.upstreams) {
    bool found = false;
    if (!upstream->implied) {
      found = port == 0 && EqualsIgnoreCase(upstream->name, host);
    } else {
      // Its name is "host" or "host:port", as its proxy_pass has it.
      std::string_view name = upstream->name;
      uint16_t its_port = upstream->default_port;
      const size_t colon = name.rfind(':');
      if (colon != name.npos) {
        if (const auto number = ParseUnsigned(name.substr(colon + 1)); number && *number < 65536) {
          its_port = static_cast<uint16_t>(*number);
          name = name.substr(0, colon);
        }
      }
      found = its_port == wanted && EqualsIgnoreCase(name, host);
    }
    if (found) return groups_[static_cast<size_t>(upstream->index)].get();
  }
  return nullptr;
}

event::Resolver* Runtime::ResolverFor(const config::ResolverSettings& settings) {
  if (settings.servers.empty()) return nullptr;
  std::string key;
  for (const SocketAddress& server : settings.servers) key.append(server.ToText()).append(" ");
  if (settings.valid) key.append(std::to_string(settings.valid->count()));
  key.append(settings.ipv4 ? " 4" : "").append(settings.ipv6 ? " 6" : "");
  std::unique_ptr<event::Resolver>& resolver = resolvers_[key];
  if (resolver == nullptr) {
    event::ResolverOptions options;
    options.servers = settings.servers;
    if (settings.valid) {
      options.valid = std::chrono::duration_cast<std::chrono::seconds>(*settings.valid);
    }
    options.ipv4 = settings.ipv4;
    options.ipv6 = settings.ipv6;
    resolver = std::make_unique<event::Resolver>(loop_, options);
  }
  return resolver.get();
}

const tls::ClientTlsContext* Runtime::TlsFor(const config::LocationConfig& location) const {
  return client_tls_ == nullptr ? nullptr : client_tls_->ForLocation(location.id);
}

tls::SessionSlot* Runtime::SessionFor(const tls::ClientTlsContext& context, std::string_view peer,
                                      std::string_view name) {
  std::string key = std::to_string(reinterpret_cast<uintptr_t>(&context));
  key.append(" ").append(peer).append(" ").append(name);
  const auto known = sessions_.find(key);
  if (known != sessions_.end()) return &known->second;
  if (sessions_.size() >= kMostSessions) return nullptr;
  return &sessions_[std::move(key)];
}

std::unique_ptr<LocationPlan>& Runtime::PlanOf(const config::LocationConfig& location) {
  const auto index = static_cast<size_t>(location.id);
  if (index >= plans_.size()) plans_.resize(index + 1);
  return plans_[index];
}

void Runtime::Shut() {
  for (const auto& group : groups_) {
    if (group->pool() != nullptr) group->pool()->Shut();
  }
}

size_t Runtime::idle_connections() const {
  size_t count = 0;
  for (const auto& group : groups_) {
    if (group->pool() != nullptr) count += group->pool()->idle_count();
  }
  return count;
}

}  // namespace framewall::upstream
