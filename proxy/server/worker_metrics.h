// What a worker counts: connections, requests, upstreams, verdicts of rules. Sums over workers are
// read by stub_status and the metrics page.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/content/status_page.h"
#include "proxy/exchange/exchange.h"
#include "proxy/filter/services.h"
#include "proxy/metrics/counters.h"

namespace framewall::server {

// Made once in the master; outlives every reload. `slots`: workers alive at a time.
Result<std::unique_ptr<metrics::Registry>> MakeRegistry(size_t slots);
// The master's: of how many generations workers are alive.
void SetWorkerGenerations(metrics::Registry& registry, size_t generations);

class WorkerMetrics {
 public:
  // `registry` may be null (tests): then nothing is counted.
  explicit WorkerMetrics(metrics::Registry* registry);

  void ConnectionAccepted();
  void ConnectionHandled();
  void ConnectionClosed();
  // A connection moves between reading a request, writing a response and waiting.
  enum class State : uint8_t { kNone, kReading, kWriting, kWaiting };
  void Move(State from, State to);
  // The log phase of an exchange.
  void RequestDone(const exchange::Exchange& exchange);
  void SocketOpened();
  void SocketClosed();
  // A message that passed.
  void SocketMessage(bool from_client, uint64_t octets, uint64_t wire_octets);
  void SocketRefused(bool from_client);
  void RuleCounted(int64_t rule_id, bool refused);
  void AuditRecordLost();
  void PasswordChecked(std::string_view outcome);
  // Of a zone of limit_req, by config::LimitZone::index.
  void LimitCounted(int zone, std::string_view name, filter::LimitCount what);
  // This worker drains in an old generation.
  void Draining();

  content::ConnectionTotals Totals() const;
  std::string Exposition() const;

 private:
  const metrics::Gauge& GaugeOf(State state) const;

  metrics::Registry* registry_;
  metrics::Counter accepted_;
  metrics::Counter handled_;
  metrics::Gauge active_;
  metrics::Gauge reading_;
  metrics::Gauge writing_;
  metrics::Gauge waiting_;
  metrics::Counter requests_;
  metrics::Histogram request_time_;
  metrics::Gauge sockets_open_;
  metrics::Counter sockets_;
  struct SocketCounters {
    metrics::Counter messages, payload, wire, refused;
  };
  SocketCounters from_client_;
  SocketCounters from_upstream_;
  // Handles found before: by server, then status.
  struct StatusCounter {
    int status;
    metrics::Counter counter;
  };
  std::vector<std::vector<StatusCounter>> by_server_;
  // By zone, then LimitCount; made when first needed.
  static constexpr size_t kLimitCounts = 4;
  std::vector<std::optional<std::array<metrics::Counter, kLimitCounts>>> by_zone_;
};

}  // namespace framewall::server
