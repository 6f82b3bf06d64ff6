// Counters of all processes: each worker increments its own block in shared memory, any process
// sums the blocks. Nothing is sent, nothing is locked on the way, nothing is lost with a worker.
//
//   RegistryBuilder builder;
//   const CounterId requests =
//       builder.AddCounter("framewall_requests_total", "Requests answered.", {"status"}, 64);
//   FW_ASSIGN(auto registry, std::move(builder).Build(/*slots=*/32));    // master, before the fork
//   auto slot = registry->AcquireSlot();                                 // master, for each worker
//   registry->UseSlot(*slot);                                            // worker, after the fork
//   registry->GetCounter(requests, {"200"}).Add();
//   registry->ReleaseSlot(*slot);                                        // master, worker is dead
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/base/shared_memory.h"
#include "proxy/metrics/histogram.h"

namespace framewall::metrics {

enum class Kind { kCounter, kGauge, kHistogram };

// What Add* gave; tells families apart by kind, so that a gauge is never taken for a counter.
struct CounterId {
  uint32_t family = 0;
};
struct GaugeId {
  uint32_t family = 0;
};
struct HistogramId {
  uint32_t family = 0;
};

// One counter of this process: only grows. Cheap to copy; valid as long as the registry, before
// and after a fork. One without a registry counts nothing.
class Counter {
 public:
  Counter() = default;
  void Add(uint64_t amount = 1) const {
    if (block_ == nullptr) return;
    std::atomic_ref<uint64_t>((*block_)[cell_]).fetch_add(amount, std::memory_order_relaxed);
  }

 private:
  friend class Registry;
  Counter(uint64_t* const* block, size_t cell) : block_(block), cell_(cell) {}
  uint64_t* const* block_ = nullptr;
  size_t cell_ = 0;
};

// One gauge of this process; what is shown is the sum over the living.
class Gauge {
 public:
  Gauge() = default;
  void Add(int64_t amount) const {
    if (block_ == nullptr) return;
    std::atomic_ref<uint64_t>((*block_)[cell_])
        .fetch_add(static_cast<uint64_t>(amount), std::memory_order_relaxed);
  }
  void Set(int64_t value) const {
    if (block_ == nullptr) return;
    std::atomic_ref<uint64_t>((*block_)[cell_])
        .store(static_cast<uint64_t>(value), std::memory_order_relaxed);
  }

 private:
  friend class Registry;
  Gauge(uint64_t* const* block, size_t cell) : block_(block), cell_(cell) {}
  uint64_t* const* block_ = nullptr;
  size_t cell_ = 0;
};

// A metric with its label names. A label set is one value for each name; the sets of a family
// appear while the proxy runs, up to `capacity`.
struct Family {
  std::string name;
  std::string help;
  Kind kind = Kind::kCounter;
  std::vector<std::string> labels;
  size_t capacity = 1;
  std::optional<Buckets> buckets;  // histograms only

  // Filled by Build: octets from the start of the mapping, cells from the start of a block.
  size_t directory_offset = 0;
  size_t first_cell = 0;
  size_t cells_per_set = 1;
};

class Registry {
 public:
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;
  ~Registry();

  // Master, before a fork. Nothing where all are taken; the worker then shares block 0 with the
  // master, which is right for counters, while its gauges stay when it dies.
  std::optional<size_t> AcquireSlot();
  // Master, after the worker's death. Counters and histograms stay, gauges become 0.
  void ReleaseSlot(size_t slot);
  // Worker, first thing after the fork. Until then a process counts in block 0.
  void UseSlot(size_t slot);

  // `labels` in the order of the names. The first use of a set in the house takes a lock, the
  // first in a process reads shared memory, later ones one hash table; keep the handle where that
  // is still too much. Where the family is full the set becomes "(other)" in every label. Values
  // are cut to their share of 254 octets; controls and what is no UTF-8 become "?".
  // Requires: as many labels as names. One thread per process.
  using LabelValues = std::span<const std::string_view>;
  Counter GetCounter(CounterId id, LabelValues labels = {});
  Gauge GetGauge(GaugeId id, LabelValues labels = {});
  Histogram GetHistogram(HistogramId id, LabelValues labels = {});
  Counter GetCounter(CounterId id, std::initializer_list<std::string_view> labels) {
    return GetCounter(id, LabelValues(labels.begin(), labels.size()));
  }
  Gauge GetGauge(GaugeId id, std::initializer_list<std::string_view> labels) {
    return GetGauge(id, LabelValues(labels.begin(), labels.size()));
  }
  Histogram GetHistogram(HistogramId id, std::initializer_list<std::string_view> labels) {
    return GetHistogram(id, LabelValues(labels.begin(), labels.size()));
  }

  // For readers, in any process. Sums over all blocks.
  uint64_t Total(CounterId id) const;  // over all label sets
  int64_t Total(GaugeId id) const;
  const std::vector<Family>& families() const { return families_; }
  // Label sets so far. Set 0 of a family with labels is "(other)".
  size_t SetCount(const Family& family) const;
  // One for each label name; views into shared memory that never change.
  std::vector<std::string_view> SetLabels(const Family& family, size_t set) const;
  // Cell `cell` of the set. Requires: set < SetCount, cell < cells_per_set.
  uint64_t Sum(const Family& family, size_t set, size_t cell = 0) const;

 private:
  friend class RegistryBuilder;
  struct Header;
  struct Directory;
  struct Record;
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  // What this process has seen of a family's directory.
  struct Index {
    size_t seen = 0;
    std::unordered_map<std::string, size_t, TextHash, std::equal_to<>> sets;
  };

  Registry(SharedMemory memory, std::vector<Family> families, size_t blocks, size_t block_cells,
           size_t blocks_offset);
  size_t CellOf(uint32_t family, LabelValues labels);
  size_t FindOrAddSet(uint32_t family, std::string_view key);
  std::optional<size_t> FindSet(uint32_t family, std::string_view key);
  void AddSet(const Family& family, std::string_view key);
  uint64_t TotalOf(uint32_t family) const;
  Header& header() const;
  Directory& DirectoryOf(const Family& family) const;
  std::string_view KeyOf(const Family& family, size_t set) const;
  uint64_t* Block(size_t block) const;

  SharedMemory memory_;
  std::vector<Family> families_;
  size_t blocks_;
  size_t block_cells_;
  size_t blocks_offset_;
  uint64_t* block_;  // this process's; handles point here
  std::vector<Index> indexes_;
  std::vector<bool> is_taken_;  // the master's: by block
};

// Defines all families, once, in the master. Names are ours and checked: a wrong or a double one
// is a bug.
class RegistryBuilder {
 public:
  CounterId AddCounter(std::string name, std::string help, std::vector<std::string> labels = {},
                       size_t capacity = 0);
  GaugeId AddGauge(std::string name, std::string help, std::vector<std::string> labels = {},
                   size_t capacity = 0);
  HistogramId AddHistogram(std::string name, std::string help, Buckets buckets,
                           std::vector<std::string> labels = {}, size_t capacity = 0);

  // Maps the memory. `slots`: workers that live at a time, those that drain included. Fails where
  // the system gives no memory.
  Result<std::unique_ptr<Registry>> Build(size_t slots) &&;

 private:
  uint32_t Add(Family family);
  std::vector<Family> families_;
};

}  // namespace framewall::metrics
