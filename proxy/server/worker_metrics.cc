#include "proxy/server/worker_metrics.h"

#include <array>

#include "proxy/metrics/exposition.h"

namespace framewall::server {
namespace {

using exchange::UpstreamRecord;

// Ids of the families, the same in every process: they are made before the first fork.
struct Families {
  metrics::CounterId accepted;
  metrics::CounterId handled;
  metrics::GaugeId active;
  metrics::GaugeId reading;
  metrics::GaugeId writing;
  metrics::GaugeId waiting;
  metrics::CounterId requests_all;
  metrics::CounterId requests;
  metrics::HistogramId request_time;
  metrics::CounterId upstream_requests;
  metrics::CounterId upstream_failures;
  metrics::HistogramId upstream_time;
  metrics::CounterId waf_verdicts;
  metrics::CounterId audit_lost;
  metrics::CounterId passwords;
  metrics::GaugeId draining;
  metrics::GaugeId generations;
  metrics::GaugeId sockets_open;
  metrics::CounterId sockets;
  metrics::CounterId messages;
  metrics::CounterId payload;
  metrics::CounterId wire;
  metrics::CounterId messages_refused;
  metrics::CounterId limits;
  metrics::CounterId limits_without_redis;
};
Families families;

}  // namespace

Result<std::unique_ptr<metrics::Registry>> MakeRegistry(size_t slots) {
  metrics::RegistryBuilder builder;
  families.accepted =
      builder.AddCounter("framewall_connections_accepted_total", "Connections accepted.");
  families.handled =
      builder.AddCounter("framewall_connections_handled_total", "Connections handled.");
  families.active = builder.AddGauge("framewall_connections_active", "Open client connections.");
  families.reading =
      builder.AddGauge("framewall_connections_reading", "Connections reading a request head.");
  families.writing =
      builder.AddGauge("framewall_connections_writing", "Connections serving a request.");
  families.waiting = builder.AddGauge("framewall_connections_waiting", "Idle connections.");
  families.requests_all =
      builder.AddCounter("framewall_http_requests_all_total", "Requests, of all servers.");
  families.requests =
      builder.AddCounter("framewall_http_requests_total", "Requests by server and status.",
                         {"server", "status"}, 1024);
  families.request_time = builder.AddHistogram("framewall_http_request_duration_seconds",
                                               "From the first octet of a request to its log line.",
                                               metrics::Buckets::Latency());
  families.upstream_requests =
      builder.AddCounter("framewall_upstream_requests_total",
                         "Attempts by upstream address and status.", {"address", "status"}, 1024);
  families.upstream_failures = builder.AddCounter(
      "framewall_upstream_failures_total", "Attempts that brought no response.", {"address"}, 256);
  families.upstream_time = builder.AddHistogram("framewall_upstream_response_duration_seconds",
                                                "Attempts, from connect to the last octet.",
                                                metrics::Buckets::Latency(), {"address"}, 256);
  families.waf_verdicts = builder.AddCounter(
      "framewall_waf_verdicts_total", "Rules that matched or refused.", {"rule", "verdict"}, 2048);
  families.audit_lost = builder.AddCounter("framewall_waf_audit_records_lost_total",
                                           "Audit records that could not be written.");
  families.passwords = builder.AddCounter(
      "framewall_password_checks_total",
      "Passwords of auth_basic: right, wrong, remembered, or refused as too many waited.",
      {"outcome"}, 8);
  families.draining = builder.AddGauge("framewall_workers_draining",
                                       "Workers of old configurations that finish their requests.");
  families.generations =
      builder.AddGauge("framewall_worker_generations",
                       "Generations of workers that are alive: 1, and those that still drain.");
  families.sockets_open = builder.AddGauge("framewall_websocket_sessions", "Open WebSockets.");
  families.sockets = builder.AddCounter("framewall_websocket_sessions_total", "WebSockets opened.");
  families.messages = builder.AddCounter("framewall_websocket_messages_total",
                                         "Messages passed, by who sent them.", {"from"}, 2);
  families.payload = builder.AddCounter("framewall_websocket_payload_bytes_total",
                                        "Octets of messages passed, inflated.", {"from"}, 2);
  families.wire =
      builder.AddCounter("framewall_websocket_wire_bytes_total",
                         "Octets of messages passed, as they came, compressed.", {"from"}, 2);
  families.messages_refused =
      builder.AddCounter("framewall_websocket_messages_refused_total",
                         "Messages refused by rules, policy or protocol.", {"from"}, 2);
  families.limits = builder.AddCounter("framewall_limit_decisions_total",
                                       "Requests and messages by zone of limit_req and outcome "
                                       "(passed, delayed, refused).",
                                       {"zone", "outcome"}, 384);
  families.limits_without_redis = builder.AddCounter(
      "framewall_limit_redis_down_total",
      "Decisions that the zone's redis_down took, without its Redis.", {"zone"}, 128);
  return std::move(builder).Build(slots);
}

void SetWorkerGenerations(metrics::Registry& registry, size_t generations) {
  registry.GetGauge(families.generations).Set(static_cast<int64_t>(generations));
}

WorkerMetrics::WorkerMetrics(metrics::Registry* registry) : registry_(registry) {
  if (registry_ == nullptr) return;
  accepted_ = registry_->GetCounter(families.accepted);
  handled_ = registry_->GetCounter(families.handled);
  active_ = registry_->GetGauge(families.active);
  reading_ = registry_->GetGauge(families.reading);
  writing_ = registry_->GetGauge(families.writing);
  waiting_ = registry_->GetGauge(families.waiting);
  requests_ = registry_->GetCounter(families.requests_all);
  request_time_ = registry_->GetHistogram(families.request_time);
  sockets_open_ = registry_->GetGauge(families.sockets_open);
  sockets_ = registry_->GetCounter(families.sockets);
  for (SocketCounters* side : {&from_client_, &from_upstream_}) {
    const std::array<std::string_view, 1> from = {side == &from_client_ ? "client" : "upstream"};
    side->messages = registry_->GetCounter(families.messages, from);
    side->payload = registry_->GetCounter(families.payload, from);
    side->wire = registry_->GetCounter(families.wire, from);
    side->refused = registry_->GetCounter(families.messages_refused, from);
  }
}

void WorkerMetrics::ConnectionAccepted() { accepted_.Add(); }

void WorkerMetrics::ConnectionHandled() {
  handled_.Add();
  active_.Add(1);
}

void WorkerMetrics::ConnectionClosed() { active_.Add(-1); }

const metrics::Gauge& WorkerMetrics::GaugeOf(State state) const {
  return state == State::kReading ? reading_ : state == State::kWriting ? writing_ : waiting_;
}

void WorkerMetrics::Move(State from, State to) {
  if (from != State::kNone) GaugeOf(from).Add(-1);
  if (to != State::kNone) GaugeOf(to).Add(1);
}

void WorkerMetrics::RequestDone(const exchange::Exchange& exchange) {
  if (registry_ == nullptr) return;
  requests_.Add();
  const auto spent =
      std::chrono::duration_cast<std::chrono::microseconds>(CachedNow().steady - exchange.started);
  request_time_.Observe(static_cast<uint64_t>(std::max<int64_t>(0, spent.count())));

  const int status = exchange.status_for_log();
  const size_t server =
      exchange.server == nullptr ? 0 : static_cast<size_t>(exchange.server->index);
  if (by_server_.size() <= server) by_server_.resize(server + 1);
  const StatusCounter* known = nullptr;
  for (const StatusCounter& one : by_server_[server]) {
    if (one.status == status) known = &one;
  }
  if (known == nullptr) {
    const std::string name = exchange.server == nullptr ? "" : exchange.server->primary_name();
    const std::string code = std::to_string(status);
    const std::array<std::string_view, 2> labels = {name, code};
    by_server_[server].push_back({status, registry_->GetCounter(families.requests, labels)});
    known = &by_server_[server].back();
  }
  known->counter.Add();

  for (const UpstreamRecord& record : exchange.upstream) {
    const std::array<std::string_view, 1> address = {record.address};
    if (record.status == 0) registry_->GetCounter(families.upstream_failures, address).Add();
    const std::string code = std::to_string(record.status);
    const std::array<std::string_view, 2> labels = {record.address, code};
    registry_->GetCounter(families.upstream_requests, labels).Add();
    if (record.response_ms >= 0) {
      registry_->GetHistogram(families.upstream_time, address)
          .Observe(static_cast<uint64_t>(record.response_ms) * 1000);
    }
  }
}

void WorkerMetrics::SocketOpened() {
  sockets_.Add();
  sockets_open_.Add(1);
}

void WorkerMetrics::SocketClosed() { sockets_open_.Add(-1); }

void WorkerMetrics::SocketMessage(bool from_client, uint64_t octets, uint64_t wire_octets) {
  SocketCounters& side = from_client ? from_client_ : from_upstream_;
  side.messages.Add();
  side.payload.Add(octets);
  side.wire.Add(wire_octets);
}

void WorkerMetrics::SocketRefused(bool from_client) {
  (from_client ? from_client_ : from_upstream_).refused.Add();
}

void WorkerMetrics::RuleCounted(int64_t rule_id, bool refused) {
  if (registry_ == nullptr) return;
  const std::string id = std::to_string(rule_id);
  const std::array<std::string_view, 2> labels = {id, refused ? "refused" : "matched"};
  registry_->GetCounter(families.waf_verdicts, labels).Add();
}

void WorkerMetrics::PasswordChecked(std::string_view outcome) {
  if (registry_ != nullptr) registry_->GetCounter(families.passwords, {outcome}).Add();
}

void WorkerMetrics::AuditRecordLost() {
  if (registry_ != nullptr) registry_->GetCounter(families.audit_lost).Add();
}

void WorkerMetrics::LimitCounted(int zone, std::string_view name, filter::LimitCount what) {
  if (registry_ == nullptr) return;
  const auto place = static_cast<size_t>(zone);
  if (by_zone_.size() <= place) by_zone_.resize(place + 1);
  if (!by_zone_[place]) {
    const auto of = [&](std::string_view outcome) {
      const std::array<std::string_view, 2> labels = {name, outcome};
      return registry_->GetCounter(families.limits, labels);
    };
    const std::array<std::string_view, 1> label = {name};
    by_zone_[place] = {of("passed"), of("delayed"), of("refused"),
                       registry_->GetCounter(families.limits_without_redis, label)};
  }
  (*by_zone_[place])[static_cast<size_t>(what)].Add();
}

void WorkerMetrics::Draining() {
  if (registry_ != nullptr) registry_->GetGauge(families.draining).Set(1);
}

content::ConnectionTotals WorkerMetrics::Totals() const {
  content::ConnectionTotals totals;
  if (registry_ == nullptr) return totals;
  const auto of = [this](metrics::GaugeId id) {
    return static_cast<uint64_t>(std::max<int64_t>(0, registry_->Total(id)));
  };
  totals.active = of(families.active);
  totals.accepted = registry_->Total(families.accepted);
  totals.handled = registry_->Total(families.handled);
  totals.requests = registry_->Total(families.requests_all);
  totals.reading = of(families.reading);
  totals.writing = of(families.writing);
  totals.waiting = of(families.waiting);
  return totals;
}

std::string WorkerMetrics::Exposition() const {
  return registry_ == nullptr ? std::string() : metrics::Exposition(*registry_);
}

}  // namespace framewall::server
