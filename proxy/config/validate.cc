#include "proxy/config/validate.h"

#include <fmt/format.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "proxy/base/text.h"
#include "proxy/config/directives/directives.h"
#include "proxy/config/identity.h"

namespace framewall::config {
namespace {

void AddDefaultListens(Config& config) {
  for (auto& server : config.http.servers) {
    if (!server->listens.empty()) continue;
    server->listens.push_back(DefaultListen());
    server->listens.back().at = server->at;
  }
}

// All servers that listen on one address, in the order of the file.
struct AddressUse {
  SocketAddress address;
  bool ssl = false;
  const ListenConfig* socket_options = nullptr;
  const ServerConfig* default_server = nullptr;  // the first unless one says so
  bool has_named_default = false;
  std::vector<const ServerConfig*> servers;
};

AddressUse& UseOf(std::vector<AddressUse>& uses, const SocketAddress& address) {
  for (AddressUse& use : uses) {
    if (use.address == address) return use;
  }
  AddressUse& use = uses.emplace_back();
  use.address = address;
  return use;
}

void AddListen(const ServerConfig& server, const ListenConfig& listen, AddressUse& use,
               Diagnostics& diagnostics) {
  if (!use.servers.empty() && use.servers.back() == &server) {
    diagnostics.Error(listen.at, fmt::format("a duplicate listen {}", listen.text));
    return;
  }
  use.servers.push_back(&server);
  use.ssl = use.ssl || listen.ssl;
  if (listen.has_socket_options) {
    if (use.socket_options != nullptr) {
      diagnostics.Error(listen.at,
                        fmt::format("duplicate listen options for {}", use.address.ToText()));
    }
    use.socket_options = &listen;
  }
  if (use.default_server == nullptr) use.default_server = &server;
  if (!listen.default_server) return;
  if (use.has_named_default) {
    diagnostics.Error(listen.at,
                      fmt::format("a duplicate default server for {}", use.address.ToText()));
  }
  use.has_named_default = true;
  use.default_server = &server;
}

// A server without server_name has the empty name, which a request without Host asks for.
void CheckNames(const AddressUse& use, Diagnostics& diagnostics) {
  std::set<std::pair<ServerName::Kind, std::string>> taken;
  const auto take = [&](ServerName::Kind kind, const std::string& name) {
    return taken.emplace(kind, name).second;
  };
  const auto warn = [&](const ServerConfig& server, std::string_view name) {
    diagnostics.Warn(server.at, fmt::format("conflicting server name \"{}\" on {}, ignored", name,
                                            use.address.ToText()));
  };
  for (const ServerConfig* server : use.servers) {
    if (server->names.empty() && !take(ServerName::Kind::kExact, "")) warn(*server, "");
    for (const ServerName& name : server->names) {
      if (name.kind == ServerName::Kind::kRegex) continue;
      bool is_new = take(name.kind, name.name);
      if (name.also_exact) is_new = take(ServerName::Kind::kExact, name.name) && is_new;
      if (!is_new) warn(*server, name.source);
    }
  }
}

// An address with `ssl` needs a certificate at its default server, unless that refuses handshakes;
// then every other server there has one or refuses too.
void CheckCertificates(const AddressUse& use, Diagnostics& diagnostics) {
  if (!use.ssl) return;
  const auto missing = [&](const ServerConfig& server) {
    diagnostics.Error(server.at,
                      "no \"ssl_certificate\" is defined for the \"listen ... ssl\" directive");
  };
  const TlsSettings& of_default = use.default_server->settings.tls;
  if (!of_default.certificates.empty()) return;
  if (!of_default.reject_handshake) {
    missing(*use.default_server);
    return;
  }
  for (const ServerConfig* server : use.servers) {
    const TlsSettings& tls = server->settings.tls;
    if (tls.certificates.empty() && !tls.reject_handshake) missing(*server);
  }
}

void CheckCertificateKeys(const ServerConfig& server, Diagnostics& diagnostics) {
  const TlsSettings& tls = server.settings.tls;
  const SourceLocation& at = tls.at.file.empty() ? server.at : tls.at;
  if (tls.certificate_keys.size() < tls.certificates.size()) {
    diagnostics.Error(at,
                      fmt::format("no \"ssl_certificate_key\" is defined for certificate \"{}\"",
                                  tls.certificates.back().source));
  }
}

void CheckServers(const Config& config, Diagnostics& diagnostics) {
  std::vector<AddressUse> uses;
  for (const auto& server : config.http.servers) {
    CheckCertificateKeys(*server, diagnostics);
    for (const ListenConfig& listen : server->listens) {
      AddListen(*server, listen, UseOf(uses, listen.address), diagnostics);
    }
  }
  for (const AddressUse& use : uses) {
    CheckNames(use, diagnostics);
    CheckCertificates(use, diagnostics);
  }
}

// Upgrade goes on with HTTP/1.1 alone, and nginx's default is 1.0.
void CheckUpgrades(const LocationConfig& location, Diagnostics& diagnostics) {
  const ProxySettings& proxy = location.settings.proxy;
  if (location.content == ContentKind::kProxy && !proxy.http11) {
    for (const HeaderLine& line : proxy.set_header) {
      if (!EqualsIgnoreCase(line.name, "Upgrade")) continue;
      diagnostics.Warn(location.at,
                       "\"proxy_set_header Upgrade\" without \"proxy_http_version 1.1\": WebSocket "
                       "handshakes are sent as HTTP/1.1 all the same");
      break;
    }
  }
  for (const auto& inner : location.locations) CheckUpgrades(*inner, diagnostics);
}

// auth_jwt without keys refuses everybody. A server whose locations all have their own is not
// meant.
void CheckTokenKeys(const LocationConfig& location, Diagnostics& diagnostics) {
  const JwtSettings& jwt = location.settings.jwt;
  const bool is_asked =
      location.match != LocationConfig::Match::kServer || location.locations.empty();
  if (is_asked && jwt.enabled() && jwt.keys.empty()) {
    diagnostics.Warn(location.at,
                     "\"auth_jwt\" is on, but neither \"auth_jwt_key_file\" nor "
                     "\"auth_jwt_key_request\" is set: nobody may pass");
  }
  for (const auto& inner : location.locations) CheckTokenKeys(*inner, diagnostics);
}

void CheckVariables(const Config& config, const VariableCatalog& catalog,
                    Diagnostics& diagnostics) {
  for (const VariableName& name : config.variables.names()) {
    const bool is_builtin = catalog.IsBuiltin(name.name);
    if (name.kind == VariableKind::kReferenced) {
      if (!is_builtin) {
        diagnostics.Error(name.first, fmt::format("unknown \"{}\" variable", name.name));
      }
    } else if (is_builtin && !catalog.IsChangeable(name.name)) {
      diagnostics.Error(name.first, fmt::format("the duplicate \"{}\" variable", name.name));
    }
  }
}

}  // namespace

void Validate(Config& config, const VariableCatalog* variables, Diagnostics& diagnostics) {
  AddDefaultListens(config);
  BuildAccessLists(config);
  ResolveProxyPasses(config, diagnostics);
  SpreadIdentity(config);
  ResolveRedis(config, diagnostics);
  ResolveLimitZones(config, diagnostics);
  CheckServers(config, diagnostics);
  CollectMaskedArguments(config);
  for (const auto& server : config.http.servers) {
    CheckUpgrades(server->root, diagnostics);
    CheckTokenKeys(server->root, diagnostics);
  }
  if (variables != nullptr) CheckVariables(config, *variables, diagnostics);
}

}  // namespace framewall::config
