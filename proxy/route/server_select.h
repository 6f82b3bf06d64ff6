// Which server answers: by the address that was reached, then by name (server_name).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "proxy/base/address.h"
#include "proxy/config/model/http.h"
#include "proxy/exchange/exchange.h"

namespace framewall::route {

// The servers of one listening address. Points into the Config.
class AddressServers {
 public:
  // Order as in nginx: exact, longest "*.name", longest "name.*", first regex, default. `host` is
  // lower case without port. Named captures of a regex are set in `exchange` where given.
  const config::ServerConfig& Find(std::string_view host, exchange::Exchange* exchange) const;
  const config::ServerConfig& default_server() const { return *default_; }
  // Options of the address, joined over the servers that listen on it.
  bool ssl() const { return ssl_; }
  bool http2() const { return http2_; }
  bool proxy_protocol() const { return proxy_protocol_; }

 private:
  friend class ServerTable;
  void AddName(const config::ServerConfig& server, const config::ServerName& name);

  SocketAddress address_;
  const config::ServerConfig* default_ = nullptr;
  bool ssl_ = false;
  bool http2_ = false;
  bool proxy_protocol_ = false;
  std::unordered_map<std::string_view, const config::ServerConfig*> exact_;
  std::unordered_map<std::string_view, const config::ServerConfig*> leading_;
  std::unordered_map<std::string_view, const config::ServerConfig*> trailing_;
  std::vector<std::pair<const config::ServerName*, const config::ServerConfig*>> regexes_;
};

class ServerTable {
 public:
  explicit ServerTable(const config::HttpConfig& http);
  // `local` is the address a connection reached: an exact listen wins over a wildcard of its port.
  // Null where nothing listens there.
  const AddressServers* Find(const SocketAddress& local) const;

 private:
  std::vector<std::unique_ptr<AddressServers>> addresses_;
};

}  // namespace framewall::route
