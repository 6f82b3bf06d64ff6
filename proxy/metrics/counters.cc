// The mapping: header (the lock), then for each family its directory of label sets, then block 0
// and one block for each slot. Directories only grow: a record is written whole before the count
// that makes it visible, so a reader needs no lock and a writer's death leaves nothing half done.
//
// Every worker can write all of it, and one may be in an attacker's hands: counts and lengths are
// bounded wherever they are read, so that the worst is a wrong number.
#include "proxy/metrics/counters.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <utility>

#include "proxy/base/check.h"
#include "proxy/base/text.h"
#include "proxy/base/utf8.h"

namespace framewall::metrics {
namespace {

constexpr size_t kCacheLine = 64;
constexpr size_t kMaxKey = 254;
// Stands between the values of a key; no octet of UTF-8.
constexpr char kSeparator = '\xff';
constexpr std::string_view kOther = "(other)";

constexpr size_t RoundUp(size_t size) { return (size + kCacheLine - 1) / kCacheLine * kCacheLine; }

bool IsName(std::string_view name, bool allows_colon) {
  const auto is_inner = [&](char c) {
    return IsAlpha(c) || IsDigit(c) || c == '_' || (allows_colon && c == ':');
  };
  return !name.empty() && !IsDigit(name[0]) && std::all_of(name.begin(), name.end(), is_inner);
}

using KeyBuffer = std::array<char, kMaxKey>;

// Appends `value`, made fit to print, in at most `room` octets. Returns how many.
size_t AppendValue(std::string_view value, char* out, size_t room) {
  if (value.size() > room) {
    while (room > 0 && (static_cast<uint8_t>(value[room]) & 0xc0) == 0x80) --room;
    value = value.substr(0, room);
  }
  bool has_high = false;
  for (size_t i = 0; i < value.size(); ++i) {
    const auto octet = static_cast<uint8_t>(value[i]);
    has_high = has_high || octet >= 0x80;
    out[i] = octet < 0x20 || octet == 0x7f ? '?' : value[i];
  }
  if (has_high && !IsValidUtf8(value)) {
    for (size_t i = 0; i < value.size(); ++i) {
      if (static_cast<uint8_t>(out[i]) >= 0x80) out[i] = '?';
    }
  }
  return value.size();
}

std::string_view MakeKey(Registry::LabelValues labels, KeyBuffer& buffer) {
  const size_t share = (kMaxKey - (labels.size() - 1)) / labels.size();
  size_t length = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (i > 0) buffer[length++] = kSeparator;
    length += AppendValue(labels[i], buffer.data() + length, share);
  }
  return {buffer.data(), length};
}

}  // namespace

struct Registry::Header {
  SharedLock lock;
};

struct Registry::Record {
  uint16_t length;
  char key[kMaxKey];
};

struct alignas(kCacheLine) Registry::Directory {
  uint32_t count;  // atomic: records that may be read

  // They follow.
  Record* records() { return reinterpret_cast<Record*>(this + 1); }

  size_t Published(size_t capacity) {
    const uint32_t published = std::atomic_ref<uint32_t>(count).load(std::memory_order_acquire);
    return std::min<size_t>(published, capacity);
  }
  static size_t SizeFor(size_t capacity) {
    return RoundUp(sizeof(Directory) + capacity * sizeof(Record));
  }
};

Registry::Registry(SharedMemory memory, std::vector<Family> families, size_t blocks,
                   size_t block_cells, size_t blocks_offset)
    : memory_(std::move(memory)),
      families_(std::move(families)),
      blocks_(blocks),
      block_cells_(block_cells),
      blocks_offset_(blocks_offset),
      block_(Block(0)),
      indexes_(families_.size()),
      is_taken_(blocks) {
  new (memory_.data()) Header;
  is_taken_[0] = true;
  for (const Family& family : families_) {
    const std::vector<std::string_view> other(family.labels.size(), kOther);
    KeyBuffer buffer;
    AddSet(family, other.empty() ? std::string_view() : MakeKey(other, buffer));
  }
}

Registry::~Registry() = default;

std::optional<size_t> Registry::AcquireSlot() {
  const auto free = std::find(is_taken_.begin(), is_taken_.end(), false);
  if (free == is_taken_.end()) return std::nullopt;
  *free = true;
  return static_cast<size_t>(free - is_taken_.begin());
}

void Registry::ReleaseSlot(size_t slot) {
  FW_CHECK(slot > 0 && slot < blocks_ && is_taken_[slot]);
  is_taken_[slot] = false;
  for (const Family& family : families_) {
    if (family.kind != Kind::kGauge) continue;
    uint64_t* cells = Block(slot) + family.first_cell;
    for (size_t i = 0; i < family.capacity; ++i) {
      std::atomic_ref<uint64_t>(cells[i]).store(0, std::memory_order_relaxed);
    }
  }
}

void Registry::UseSlot(size_t slot) {
  FW_CHECK(slot < blocks_);
  block_ = Block(slot);
}

Counter Registry::GetCounter(CounterId id, LabelValues labels) {
  return {&block_, CellOf(id.family, labels)};
}

Gauge Registry::GetGauge(GaugeId id, LabelValues labels) {
  return {&block_, CellOf(id.family, labels)};
}

Histogram Registry::GetHistogram(HistogramId id, LabelValues labels) {
  return {&block_, CellOf(id.family, labels), &*families_[id.family].buckets};
}

size_t Registry::CellOf(uint32_t family_index, LabelValues labels) {
  const Family& family = families_[family_index];
  FW_CHECK(labels.size() == family.labels.size());
  if (labels.empty()) return family.first_cell;
  KeyBuffer buffer;
  const size_t set = FindOrAddSet(family_index, MakeKey(labels, buffer));
  return family.first_cell + set * family.cells_per_set;
}

size_t Registry::FindOrAddSet(uint32_t family_index, std::string_view key) {
  const Family& family = families_[family_index];
  if (const auto set = FindSet(family_index, key)) return *set;
  if (SetCount(family) == family.capacity) return 0;
  header().lock.Lock();
  // Another process may have been faster.
  auto set = FindSet(family_index, key);
  if (!set && SetCount(family) < family.capacity) {
    AddSet(family, key);
    set = FindSet(family_index, key);
  }
  header().lock.Unlock();
  return set.value_or(0);
}

// Looks in this process's index, which first learns what other processes added.
std::optional<size_t> Registry::FindSet(uint32_t family_index, std::string_view key) {
  const Family& family = families_[family_index];
  Index& index = indexes_[family_index];
  if (const auto known = index.sets.find(key); known != index.sets.end()) return known->second;
  const size_t published = SetCount(family);
  if (index.seen >= published) return std::nullopt;
  for (; index.seen < published; ++index.seen) {
    index.sets.emplace(KeyOf(family, index.seen), index.seen);
  }
  const auto known = index.sets.find(key);
  return known == index.sets.end() ? std::nullopt : std::optional(known->second);
}

// Requires: the lock, or nobody else yet; room in the family.
void Registry::AddSet(const Family& family, std::string_view key) {
  Directory& directory = DirectoryOf(family);
  const size_t set = directory.Published(family.capacity);
  Record& record = directory.records()[set];
  record.length = static_cast<uint16_t>(key.size());
  if (!key.empty()) std::memcpy(record.key, key.data(), key.size());
  std::atomic_ref<uint32_t>(directory.count)
      .store(static_cast<uint32_t>(set + 1), std::memory_order_release);
}

uint64_t Registry::Total(CounterId id) const { return TotalOf(id.family); }
int64_t Registry::Total(GaugeId id) const { return static_cast<int64_t>(TotalOf(id.family)); }

uint64_t Registry::TotalOf(uint32_t family_index) const {
  const Family& family = families_[family_index];
  uint64_t total = 0;
  for (size_t set = 0; set < SetCount(family); ++set) total += Sum(family, set);
  return total;
}

size_t Registry::SetCount(const Family& family) const {
  return DirectoryOf(family).Published(family.capacity);
}

std::vector<std::string_view> Registry::SetLabels(const Family& family, size_t set) const {
  if (family.labels.empty()) return {};
  std::vector<std::string_view> values = Split(KeyOf(family, set), kSeparator);
  values.resize(family.labels.size());
  return values;
}

uint64_t Registry::Sum(const Family& family, size_t set, size_t cell) const {
  const size_t index = family.first_cell + set * family.cells_per_set + cell;
  uint64_t sum = 0;
  for (size_t block = 0; block < blocks_; ++block) {
    sum += std::atomic_ref<uint64_t>(Block(block)[index]).load(std::memory_order_relaxed);
  }
  return sum;
}

Registry::Header& Registry::header() const { return *static_cast<Header*>(memory_.data()); }

Registry::Directory& Registry::DirectoryOf(const Family& family) const {
  return *reinterpret_cast<Directory*>(static_cast<char*>(memory_.data()) +
                                       family.directory_offset);
}

std::string_view Registry::KeyOf(const Family& family, size_t set) const {
  const Record& record = DirectoryOf(family).records()[set];
  return {record.key, std::min<size_t>(record.length, kMaxKey)};
}

uint64_t* Registry::Block(size_t block) const {
  char* start = static_cast<char*>(memory_.data()) + blocks_offset_;
  return reinterpret_cast<uint64_t*>(start) + block * block_cells_;
}

CounterId RegistryBuilder::AddCounter(std::string name, std::string help,
                                      std::vector<std::string> labels, size_t capacity) {
  return {Add({std::move(name), std::move(help), Kind::kCounter, std::move(labels), capacity, {}})};
}

GaugeId RegistryBuilder::AddGauge(std::string name, std::string help,
                                  std::vector<std::string> labels, size_t capacity) {
  return {Add({std::move(name), std::move(help), Kind::kGauge, std::move(labels), capacity, {}})};
}

HistogramId RegistryBuilder::AddHistogram(std::string name, std::string help, Buckets buckets,
                                          std::vector<std::string> labels, size_t capacity) {
  return {Add({std::move(name), std::move(help), Kind::kHistogram, std::move(labels), capacity,
               std::move(buckets)})};
}

uint32_t RegistryBuilder::Add(Family family) {
  FW_CHECK(IsName(family.name, /*allows_colon=*/true));
  for (const Family& other : families_) FW_CHECK(other.name != family.name);
  for (const std::string& label : family.labels) FW_CHECK(IsName(label, /*allows_colon=*/false));
  FW_CHECK(family.labels.size() <= 16);
  FW_CHECK(family.labels.empty() == (family.capacity == 0));
  ++family.capacity;  // set 0: the only one, or "(other)"
  family.cells_per_set = family.buckets ? family.buckets->cells() : 1;
  families_.push_back(std::move(family));
  return static_cast<uint32_t>(families_.size() - 1);
}

Result<std::unique_ptr<Registry>> RegistryBuilder::Build(size_t slots) && {
  size_t offset = RoundUp(sizeof(Registry::Header));
  size_t cells = 0;
  for (Family& family : families_) {
    family.directory_offset = offset;
    offset += Registry::Directory::SizeFor(family.capacity);
    family.first_cell = cells;
    cells += family.capacity * family.cells_per_set;
  }
  // Blocks start on a cache line each: workers do not slow one another.
  const size_t block_cells = RoundUp(cells * sizeof(uint64_t)) / sizeof(uint64_t);
  const size_t blocks = slots + 1;
  FW_ASSIGN(SharedMemory memory,
            SharedMemory::Map(offset + blocks * block_cells * sizeof(uint64_t)));
  return std::unique_ptr<Registry>(
      new Registry(std::move(memory), std::move(families_), blocks, block_cells, offset));
}

}  // namespace framewall::metrics
