// Histograms with fixed buckets: how often a value was at most each bound.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace framewall::metrics {

// Upper bounds in whole units (microseconds, octets), so that sums stay exact. The last bucket,
// without a bound, is implied.
class Buckets {
 public:
  // `units_per_one`: units in one of what is exposed: 1'000'000 for microseconds shown as seconds.
  // Requires: `bounds` is not empty and ascends; `units_per_one` > 0.
  Buckets(std::vector<uint64_t> bounds, uint64_t units_per_one);

  // 1 ms to 60 s in microseconds, shown as seconds: response and upstream times.
  static Buckets Latency();
  // 64 octets to 16 MiB: messages and bodies.
  static Buckets Size();

  // The first bucket whose bound is at least `value`; bounds().size() where there is none.
  size_t Find(uint64_t value) const;
  const std::vector<uint64_t>& bounds() const { return bounds_; }
  uint64_t units_per_one() const { return units_per_one_; }
  // What a histogram takes in a worker's block: the buckets, the unbounded one and the sum.
  size_t cells() const { return bounds_.size() + 2; }

 private:
  std::vector<uint64_t> bounds_;
  uint64_t units_per_one_;
};

// One histogram of this process. Cheap to copy; comes from Registry::GetHistogram and does not
// outlive the registry. One without a registry observes nothing.
class Histogram {
 public:
  Histogram() = default;
  // `value` in the units of the buckets.
  void Observe(uint64_t value) const {
    if (block_ == nullptr) return;
    uint64_t* cells = *block_ + first_cell_;
    Increase(cells[buckets_->Find(value)], 1);
    Increase(cells[buckets_->bounds().size() + 1], value);
  }

 private:
  friend class Registry;
  Histogram(uint64_t* const* block, size_t first_cell, const Buckets* buckets)
      : block_(block), first_cell_(first_cell), buckets_(buckets) {}
  static void Increase(uint64_t& cell, uint64_t amount) {
    std::atomic_ref<uint64_t>(cell).fetch_add(amount, std::memory_order_relaxed);
  }

  uint64_t* const* block_ = nullptr;
  size_t first_cell_ = 0;
  const Buckets* buckets_ = nullptr;
};

}  // namespace framewall::metrics
