#include "proxy/metrics/histogram.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "proxy/base/check.h"

namespace framewall::metrics {

Buckets::Buckets(std::vector<uint64_t> bounds, uint64_t units_per_one)
    : bounds_(std::move(bounds)), units_per_one_(units_per_one) {
  FW_CHECK(!bounds_.empty() && units_per_one_ > 0);
  FW_CHECK(std::is_sorted(bounds_.begin(), bounds_.end(), std::less_equal<>()));
}

Buckets Buckets::Latency() {
  return Buckets({1'000, 2'500, 5'000, 10'000, 25'000, 50'000, 100'000, 250'000, 500'000, 1'000'000,
                  2'500'000, 5'000'000, 10'000'000, 30'000'000, 60'000'000},
                 1'000'000);
}

Buckets Buckets::Size() {
  return Buckets({64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216}, 1);
}

size_t Buckets::Find(uint64_t value) const {
  return static_cast<size_t>(std::lower_bound(bounds_.begin(), bounds_.end(), value) -
                             bounds_.begin());
}

}  // namespace framewall::metrics
