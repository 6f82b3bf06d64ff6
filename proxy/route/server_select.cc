#include "proxy/route/server_select.h"

#include <algorithm>

namespace framewall::route {
namespace {

bool IsWildcard(const SocketAddress& address) {
  const IpAddress ip = address.ip();
  const std::string_view bytes = ip.bytes();
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == 0; });
}

}  // namespace

ServerTable::ServerTable(const config::HttpConfig& http) {
  for (const auto& server : http.servers) {
    for (const config::ListenConfig& listen : server->listens) {
      auto found = std::find_if(addresses_.begin(), addresses_.end(), [&](const auto& known) {
        return known->address_ == listen.address;
      });
      if (found == addresses_.end()) {
        addresses_.push_back(std::make_unique<AddressServers>());
        found = std::prev(addresses_.end());
        (*found)->address_ = listen.address;
        (*found)->default_ = server.get();
      }
      AddressServers& address = **found;
      if (listen.default_server) address.default_ = server.get();
      address.ssl_ = address.ssl_ || listen.ssl;
      address.http2_ = address.http2_ || listen.http2;
      address.proxy_protocol_ = address.proxy_protocol_ || listen.proxy_protocol;
      for (const config::ServerName& name : server->names) address.AddName(*server, name);
    }
  }
}

const AddressServers* ServerTable::Find(const SocketAddress& local) const {
  const AddressServers* wildcard = nullptr;
  for (const auto& address : addresses_) {
    if (address->address_ == local) return address.get();
    if (local.is_unix() || address->address_.is_unix()) continue;
    if (address->address_.port() != local.port() || !IsWildcard(address->address_)) continue;
    // A dual-stack socket (ipv6only=off) takes IPv4 too, but an IPv4 wildcard is nearer.
    const bool same_family = address->address_.family() == local.family();
    if (same_family || wildcard == nullptr) wildcard = address.get();
  }
  return wildcard;
}

void AddressServers::AddName(const config::ServerConfig& server, const config::ServerName& name) {
  using Kind = config::ServerName::Kind;
  switch (name.kind) {
    case Kind::kExact:
      exact_.emplace(name.name, &server);
      break;
    case Kind::kLeadingWildcard:
      leading_.emplace(name.name, &server);
      if (name.also_exact) exact_.emplace(name.name, &server);
      break;
    case Kind::kTrailingWildcard:
      trailing_.emplace(name.name, &server);
      break;
    case Kind::kRegex:
      regexes_.emplace_back(&name, &server);
      break;
  }
}

const config::ServerConfig& AddressServers::Find(std::string_view host,
                                                 exchange::Exchange* exchange) const {
  if (const auto found = exact_.find(host); found != exact_.end()) return *found->second;
  if (!leading_.empty()) {
    for (size_t dot = host.find('.'); dot != std::string_view::npos;
         dot = host.find('.', dot + 1)) {
      const auto found = leading_.find(host.substr(dot + 1));
      if (found != leading_.end()) return *found->second;
    }
  }
  if (!trailing_.empty()) {
    for (size_t dot = host.rfind('.'); dot != std::string_view::npos && dot > 0;
         dot = host.rfind('.', dot - 1)) {
      const auto found = trailing_.find(host.substr(0, dot));
      if (found != trailing_.end()) return *found->second;
    }
  }
  if (!host.empty()) {
    for (const auto& [name, server] : regexes_) {
      if (exchange == nullptr) {
        if (name->regex->Matches(host)) return *server;
        continue;
      }
      config::RegexUse use;
      use.regex = name->regex;
      use.capture_slots = name->capture_slots;
      if (exchange->MatchRegex(use, host)) return *server;
    }
  }
  return *default_;
}

}  // namespace framewall::route
