#include "proxy/server/worker.h"

#include <signal.h>
#include <unistd.h>

#include <list>
#include <memory>
#include <unordered_map>

#include "proxy/base/text.h"
#include "proxy/event/listener.h"
#include "proxy/event/signal.h"
#include "proxy/event/timer.h"
#include "proxy/filter/jwt_keys.h"
#include "proxy/filter/limit_conn.h"
#include "proxy/filter/password_checks.h"
#include "proxy/route/geoip2_reload.h"
#include "proxy/route/map_table.h"
#include "proxy/server/connection.h"
#include "proxy/server/loaded_resources.h"
#include "proxy/server/redis_clients.h"
#include "proxy/server/services.h"
#include "proxy/server/subrequest.h"
#include "proxy/upstream/runtime.h"

namespace framewall::server {
namespace {

// Out of descriptors, accepting rests this long.
constexpr Milliseconds kAcceptRest{500};

class Worker {
 public:
  explicit Worker(const WorkerInputs& inputs)
      : inputs_(inputs),
        config_(*inputs.config),
        resources_(static_cast<LoadedResources&>(*inputs.resources)),
        metrics_(PrepareRegistry(inputs)),
        maps_(config_, resources_.geoip2.get()),
        variables_(config_, maps_),
        servers_(config_.http),
        passwords_(std::make_unique<filter::PasswordChecks>(loop_)),
        geoip2_reload_(loop_, config_, *resources_.geoip2),
        upstreams_(loop_, config_, resources_.upstream_state.get(), resources_.client_tls.get()),
        jwt_keys_(*resources_.jwt_key_files, services_.filters),
        accept_timer_(loop_, [this] { ResumeAccepting(); }),
        shutdown_timer_(loop_, [this] { ForceClose(false); }) {
    services_.config = &config_;
    services_.loop = &loop_;
    services_.variables = &variables_;
    services_.servers = &servers_;
    for (const auto& server : config_.http.servers) {
      services_.locations.push_back(std::make_unique<route::LocationTree>(server->root));
    }
    services_.upstreams = &upstreams_;
    services_.access_logs = resources_.access_logs.get();
    services_.metrics = &metrics_;
    services_.filters.loop = &loop_;
    services_.filters.passwords = passwords_.get();
    passwords_->count = [this](std::string_view outcome) { metrics_.PasswordChecked(outcome); };
    services_.filters.limit_zones = resources_.limit_zones.get();
    filter::ForgetDeadConnections(*resources_.limit_zones, ::getpid());
    services_.filters.jwt_keys = &jwt_keys_;
    services_.filters.rule_sets = &resources_.rule_sets;
    services_.filters.schemas = &resources_.schemas;
    services_.filters.engine = resources_.engine;
    services_.filters.count_rule = [this](int64_t rule_id, bool refused) {
      metrics_.RuleCounted(rule_id, refused);
    };
    services_.filters.count_limit = [this](int zone, filter::LimitCount what) {
      const auto& setting = *config_.http.limit_zones[static_cast<size_t>(zone)];
      metrics_.LimitCounted(zone, setting.name, what);
    };
    limit_redis_ = MakeLimitRedis(loop_, config_, resources_.redis_tls);
    services_.filters.limit_redis = limit_redis_.get();
    services_.filters.audit_lost = [this] { metrics_.AuditRecordLost(); };
    services_.filters.start_subrequest = [this](const config::ServerConfig& server,
                                                const exchange::SubrequestOptions& options,
                                                exchange::SubrequestCallback callback) {
      return StartClientlessSubrequest(services_, server, options, std::move(callback));
    };
    services_.on_closed = [this](Connection* connection) { Forget(connection); };
    if (resources_.engine != nullptr) resources_.engine->SeedWorker();
    if (services_.access_logs != nullptr) services_.access_logs->StartWorker(loop_);
    hooks_.choose = [this](std::string_view name, event::Stream& stream) {
      return ChooseContext(name, stream);
    };
    hooks_.certificates = [this](const tls::ServerTlsContext& context, event::Stream& stream) {
      return CertificatesFor(context, stream);
    };
  }

  int Run() {
    quit_ = std::make_unique<event::Signal>(loop_, SIGQUIT, [this] { Drain(); });
    winch_ = std::make_unique<event::Signal>(loop_, SIGWINCH, [this] {
      if (inputs_.single_process) Drain();
    });
    term_ = std::make_unique<event::Signal>(loop_, SIGTERM, [this] { Terminate(); });
    interrupt_ = std::make_unique<event::Signal>(loop_, SIGINT, [this] { Terminate(); });
    reopen_ = std::make_unique<event::Signal>(loop_, SIGUSR1, [this] {
      MainLog().Write(LogLevel::kNotice, "reopening logs");
      resources_.ReopenLogs();
      if (inputs_.logs_reopened) inputs_.logs_reopened();
    });
    if (inputs_.signals_handled) inputs_.signals_handled();
    for (const ListenSocket& socket : inputs_.listeners) {
      listeners_.push_back(std::make_unique<event::Listener>(
          loop_, socket.fd, config_.events.multi_accept,
          [this, address = socket.address](int fd, const SocketAddress& peer) {
            Accept(fd, address, peer);
          },
          [this](int system_errno) { OnExhausted(system_errno); }));
    }
    loop_.Run();
    CloseAll();
    // While signals still have their handlers: a hash under way is waited for.
    passwords_.reset();
    if (services_.access_logs != nullptr) services_.access_logs->Flush();
    if (inputs_.signals_unhandled) inputs_.signals_unhandled();
    return 0;
  }

 private:
  static metrics::Registry* PrepareRegistry(const WorkerInputs& inputs) {
    if (inputs.registry != nullptr && !inputs.single_process) {
      inputs.registry->UseSlot(static_cast<size_t>(inputs.metrics_slot));
    }
    return inputs.registry;
  }

  void Accept(int fd, const SocketAddress& listened, const SocketAddress& peer) {
    metrics_.ConnectionAccepted();
    const SocketAddress local = LocalAddress(fd, listened);
    const route::AddressServers* servers = servers_.Find(local);
    if (servers == nullptr) servers = servers_.Find(listened);
    if (servers == nullptr) {
      ::close(fd);
      return;
    }
    metrics_.ConnectionHandled();
    AcceptContext accept;
    accept.servers = servers;
    if (servers->ssl()) {
      accept.tls = resources_.tls->ForServer(servers->default_server().index);
      accept.tls_hooks = &hooks_;
      if (accept.tls == nullptr) accept.tls = AnyContext(*servers);
    }
    SocketAddress peer_address = peer;
    auto connection = std::make_unique<Connection>(services_, accept, fd, local, peer_address,
                                                   ++connection_number_);
    Connection* key = connection.get();
    connections_.emplace(key, std::move(connection));
    if (IsFull()) {
      if (!said_full_) {
        said_full_ = true;
        MainLog().Write(LogLevel::kAlert, std::to_string(config_.events.worker_connections) +
                                              " worker_connections are not enough");
      }
      PauseAccepting();
    }
  }

  const tls::ServerTlsContext* AnyContext(const route::AddressServers& servers) const {
    for (const auto& server : config_.http.servers) {
      const tls::ServerTlsContext* context = resources_.tls->ForServer(server->index);
      for (const config::ListenConfig& listen : server->listens) {
        if (context != nullptr && servers_.Find(listen.address) == &servers) return context;
      }
    }
    return nullptr;
  }

  // A wildcard socket reaches many addresses; which one decides the servers.
  static SocketAddress LocalAddress(int fd, const SocketAddress& listened) {
    if (listened.is_unix()) return listened;
    sockaddr_storage storage{};
    socklen_t length = sizeof(storage);
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return listened;
    return SocketAddress::FromSockaddr(reinterpret_cast<const sockaddr*>(&storage), length);
  }

  const tls::ServerTlsContext* ChooseContext(std::string_view name, event::Stream& stream) {
    const route::AddressServers* servers = servers_.Find(stream.local_address());
    if (servers == nullptr) return nullptr;
    const config::ServerConfig& server = servers->Find(ToLower(name), nullptr);
    return resources_.tls->ForServer(server.index);
  }

  // ssl_certificate with variables: the names are expanded as of the handshake.
  Result<std::vector<tls::CertificatePair>> CertificatesFor(const tls::ServerTlsContext& context,
                                                            event::Stream& stream) {
    const config::ServerConfig* server = nullptr;
    for (const auto& one : config_.http.servers) {
      if (resources_.tls->ForServer(one->index) == &context) server = one.get();
    }
    if (server == nullptr) {
      return Error{ErrorKind::kOther, ErrorSource::kInternal, "no server for a TLS context", 0};
    }
    exchange::ConnectionInfo info;
    info.peer = stream.peer_address();
    info.local = stream.local_address();
    info.tls = stream.tls();
    exchange::Exchange exchange(config_, variables_, info);
    exchange.server = server;
    exchange.location = &server->root;
    const config::TlsSettings& settings = server->settings.tls;
    std::vector<tls::CertificatePair> pairs;
    for (size_t i = 0; i < settings.certificates.size(); ++i) {
      const auto expand = [&](const config::Template& text) {
        const std::string_view value = exchange.Expand(text);
        return value.starts_with("data:") ? std::string(value) : config_.ConfPath(value);
      };
      pairs.push_back({expand(settings.certificates[i]), expand(settings.certificate_keys[i])});
    }
    return pairs;
  }

  void OnExhausted(int system_errno) {
    MainLog().Write(LogLevel::kCrit, "accept() failed", nullptr, system_errno);
    PauseAccepting();
    accept_timer_.Set(kAcceptRest);
  }

  void PauseAccepting() {
    paused_ = true;
    for (const auto& listener : listeners_) listener->Pause();
  }

  // Listening sockets are connections in nginx's count too.
  bool IsFull() const {
    return connections_.size() + listeners_.size() >= config_.events.worker_connections;
  }

  void ResumeAccepting() {
    if (IsFull()) return;  // the next connection that closes resumes
    paused_ = false;
    for (const auto& listener : listeners_) listener->Resume();
  }

  void Forget(Connection* connection) {
    const auto found = connections_.find(connection);
    if (found == connections_.end()) return;
    metrics_.ConnectionClosed();
    loop_.Retire(std::move(found->second));
    connections_.erase(found);
    if (paused_ && !accept_timer_.active() && !services_.draining) {
      said_full_ = false;
      ResumeAccepting();
    }
    if (services_.draining && connections_.empty()) loop_.Stop();
  }

  void Drain() {
    if (services_.draining) return;
    MainLog().Write(LogLevel::kNotice, "gracefully shutting down");
    services_.draining = true;
    metrics_.Draining();
    listeners_.clear();
    // Ours of the shared sockets: where nobody else holds them the address is free, and nobody
    // waits in a backlog that is never read.
    for (const ListenSocket& socket : inputs_.listeners) ::close(socket.fd);
    upstreams_.Shut();
    // Drain may close the connection and so change the table.
    std::vector<Connection*> all;
    for (const auto& entry : connections_) all.push_back(entry.first);
    for (Connection* connection : all) connection->Drain();
    if (connections_.empty()) return loop_.Stop();
    if (config_.main.worker_shutdown_timeout.count() > 0) {
      shutdown_timer_.Set(config_.main.worker_shutdown_timeout);
    }
  }

  void ForceClose(bool at_once) {
    std::vector<Connection*> all;
    for (const auto& entry : connections_) all.push_back(entry.first);
    for (Connection* connection : all) connection->ForceClose(at_once);
  }

  void Terminate() {
    listeners_.clear();
    loop_.Stop();
  }

  // At the very end: open exchanges are logged, nothing is waited for.
  void CloseAll() {
    jwt_keys_.Cancel();
    ForceClose(true);
    loop_.RunOnce(Milliseconds(0));
  }

  const WorkerInputs& inputs_;
  const config::Config& config_;
  LoadedResources& resources_;
  event::EventLoop loop_;
  WorkerMetrics metrics_;
  route::MapTable maps_;
  exchange::Variables variables_;
  route::ServerTable servers_;
  std::unique_ptr<filter::PasswordChecks> passwords_;
  route::Geoip2Reload geoip2_reload_;
  upstream::Runtime upstreams_;
  tls::ServerTlsHooks hooks_;
  std::unique_ptr<filter::LimitRedis> limit_redis_;
  Services services_;
  filter::JwtKeys jwt_keys_;
  std::vector<std::unique_ptr<event::Listener>> listeners_;
  std::unordered_map<Connection*, std::unique_ptr<Connection>> connections_;
  event::Timer accept_timer_;
  event::Timer shutdown_timer_;
  std::unique_ptr<event::Signal> quit_, winch_, term_, interrupt_, reopen_;
  uint64_t connection_number_ = 0;
  bool paused_ = false;
  bool said_full_ = false;
};

}  // namespace

int RunWorker(const WorkerInputs& inputs) {
  Worker worker(inputs);
  return worker.Run();
}

}  // namespace framewall::server
