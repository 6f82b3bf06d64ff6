// What the program counts, and a line of the log for each request at level info.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "backend/server/services.h"
#include "proxy/metrics/counters.h"

namespace framewall::backend {

// One registry for the program. Rooms that count something themselves get counters from here.
class Metrics final : public server::Observer {
 public:
  static Result<std::unique_ptr<Metrics>> Make();

  // Prometheus's text format.
  std::string Exposition() const;

  void OnCall(const server::Call& call, const server::Route* route, int status, bool gone,
              int64_t microseconds) override;
  void OnConnections(size_t now) override;
  void OnSockets(size_t now) override;
  void OnSocketClosed(uint16_t code) override;
  void OnOverload() override;

 private:
  Metrics() = default;

  std::unique_ptr<metrics::Registry> registry_;
  metrics::CounterId requests_;
  metrics::HistogramId durations_;
  metrics::CounterId gone_;
  metrics::CounterId closed_;
  metrics::Gauge connections_;
  metrics::Gauge sockets_;
  metrics::Counter overloads_;
};

}  // namespace framewall::backend
