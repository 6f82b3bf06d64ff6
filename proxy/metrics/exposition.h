// Prometheus's text format 0.0.4, summed over all workers.
#pragma once

#include <string>
#include <string_view>

#include "proxy/metrics/counters.h"

namespace framewall::metrics {

inline constexpr std::string_view kExpositionType = "text/plain; version=0.0.4; charset=utf-8";

// Appends every family with HELP and TYPE. "(other)" appears once something fell into it.
void AppendExposition(std::string& out, const Registry& registry);
std::string Exposition(const Registry& registry);

}  // namespace framewall::metrics
