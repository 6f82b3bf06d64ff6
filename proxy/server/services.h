// What a worker lends to its connections: the configuration made ready to serve.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "proxy/config/model/http.h"
#include "proxy/event/loop.h"
#include "proxy/exchange/variables.h"
#include "proxy/filter/services.h"
#include "proxy/observe/access_log.h"
#include "proxy/route/location_tree.h"
#include "proxy/route/server_select.h"
#include "proxy/server/socket_clients.h"
#include "proxy/server/worker_metrics.h"
#include "proxy/ws/zlib_pool.h"

namespace framewall::upstream {
class Runtime;
}

namespace framewall::server {

class Connection;

struct Services {
  const config::Config* config = nullptr;
  event::EventLoop* loop = nullptr;
  const exchange::Variables* variables = nullptr;
  const route::ServerTable* servers = nullptr;
  // By ServerConfig::index.
  std::vector<std::unique_ptr<route::LocationTree>> locations;
  upstream::Runtime* upstreams = nullptr;
  observe::AccessLogs* access_logs = nullptr;
  filter::FilterServices filters;
  WorkerMetrics* metrics = nullptr;
  // Of WebSockets: what their clients hold, and zlib's states in turn.
  SocketClients sockets;
  ws::ZlibPool deflate;
  // The worker drains: connections close as soon as they are idle.
  bool draining = false;
  // Gives a closed connection back to the worker, who retires it.
  std::function<void(Connection*)> on_closed;
};

}  // namespace framewall::server
