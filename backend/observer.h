// What the program counts, and a line of the log for each request at level info.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/server/services.h"
#include "proxy/metrics/counters.h"

namespace framewall::backend {

// One registry for the program. Rooms that count something themselves get counters from here.
class Metrics final : public server::Observer {
 public:
  static Result<std::unique_ptr<Metrics>> Make();

  // Asked whenever somebody reads the metrics. `kind`: "gauge" or "counter"; `name` and `help` as
  // Prometheus has them.
  struct Sample {
    std::string name;
    std::string help;
    std::string kind;
    std::function<uint64_t()> value;
  };
  void Add(Sample sample) { samples_.push_back(std::move(sample)); }

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

  std::vector<Sample> samples_;
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
