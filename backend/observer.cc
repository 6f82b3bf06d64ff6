#include "backend/observer.h"

#include <string>
#include <utility>

#include "proxy/base/log.h"
#include "proxy/metrics/exposition.h"

namespace framewall::backend {
namespace {

constexpr size_t kMostOperations = 160;
constexpr size_t kMostStatuses = 640;  // operation × status
constexpr size_t kMostCodes = 32;

}  // namespace

Result<std::unique_ptr<Metrics>> Metrics::Make() {
  std::unique_ptr<Metrics> made(new Metrics());
  metrics::RegistryBuilder builder;
  made->requests_ = builder.AddCounter("framewall_backend_requests_total", "Requests answered.",
                                       {"operation", "status"}, kMostStatuses);
  made->durations_ = builder.AddHistogram(
      "framewall_backend_request_duration_seconds", "From a request's first octet to its end.",
      metrics::Buckets::Latency(), {"operation"}, kMostOperations);
  made->gone_ =
      builder.AddCounter("framewall_backend_clients_gone_total",
                         "Requests whose client left first.", {"operation"}, kMostOperations);
  made->closed_ =
      builder.AddCounter("framewall_backend_sockets_closed_total",
                         "WebSockets that are over, by close code.", {"code"}, kMostCodes);
  const metrics::GaugeId connections =
      builder.AddGauge("framewall_backend_connections", "HTTP connections now.");
  const metrics::GaugeId sockets = builder.AddGauge("framewall_backend_sockets", "WebSockets now.");
  const metrics::CounterId overloads = builder.AddCounter(
      "framewall_backend_overloads_total", "Connections refused above connection_limit.");
  FW_ASSIGN(made->registry_, std::move(builder).Build(/*slots=*/1));
  made->connections_ = made->registry_->GetGauge(connections);
  made->sockets_ = made->registry_->GetGauge(sockets);
  made->overloads_ = made->registry_->GetCounter(overloads);
  return made;
}

std::string Metrics::Exposition() const {
  std::string text = metrics::Exposition(*registry_);
  for (const Sample& sample : samples_) {
    text.append("# HELP ").append(sample.name).append(" ").append(sample.help).append("\n");
    text.append("# TYPE ").append(sample.name).append(" ").append(sample.kind).append("\n");
    text.append(sample.name).append(" ").append(std::to_string(sample.value())).append("\n");
  }
  return text;
}

void Metrics::OnCall(const server::Call& call, const server::Route* route, int status, bool gone,
                     int64_t microseconds) {
  const std::string_view operation = route == nullptr ? "none" : route->operation;
  if (gone) {
    registry_->GetCounter(gone_, {operation}).Add();
  } else {
    registry_->GetCounter(requests_, {operation, std::to_string(status)}).Add();
    registry_->GetHistogram(durations_, {operation}).Observe(static_cast<uint64_t>(microseconds));
  }
  const Log& log = MainLog();
  if (!log.Enabled(LogLevel::kInfo)) return;
  // Without the query: tickets stand there.
  std::string line(call.head().method_name);
  line.append(" ").append(call.path()).append(" ").append(std::to_string(status));
  if (gone) line += " (client gone)";
  line.append(" ").append(std::to_string(microseconds)).append(" us, operation: ");
  line.append(operation).append(", client: ").append(call.client_address());
  if (call.identity().known()) line.append(", user: ").append(call.identity().user);
  line.append(", request: ").append(call.request_id());
  log.Write(LogLevel::kInfo, line);
}

void Metrics::OnConnections(size_t now) { connections_.Set(static_cast<int64_t>(now)); }
void Metrics::OnSockets(size_t now) { sockets_.Set(static_cast<int64_t>(now)); }
void Metrics::OnSocketClosed(uint16_t code) {
  registry_->GetCounter(closed_, {std::to_string(code)}).Add();
}
void Metrics::OnOverload() { overloads_.Add(); }

}  // namespace framewall::backend
