#include "proxy/filter/limit_zone.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstring>
#include <new>

#include "proxy/base/check.h"
#include "proxy/base/clock.h"
#include "proxy/base/digest.h"
#include "proxy/base/log.h"

namespace framewall::filter {
namespace {

constexpr size_t kLine = 64;
constexpr size_t kFirstKeyPart = 16;  // an IPv6 address
constexpr size_t kNextKeyPart = 60;

}  // namespace

// In front of the table. Zeroes, but for `lock` and `hash_key`, are an empty table.
struct alignas(kLine) LimitZone::Header {
  SharedLock lock;
  std::array<uint64_t, 2> hash_key{};
  // Somebody is inside. Still set when the lock is ours: he died there.
  std::atomic<uint32_t> busy = 0;
  uint32_t epoch = 0;
  Ref newest = 0;
  Ref oldest = 0;
  Ref free = 0;       // given back
  uint32_t used = 0;  // slots 1 to `used` were taken at least once; pages behind are untouched
  uint32_t free_count = 0;
  int64_t swept_ms = 0;
};

// A state with the begin of its key, more of a key, or free.
union LimitZone::Slot {
  struct Head {
    Ref next;  // of the bucket
    Ref newer;
    Ref older;
    Ref more;  // of the key
    uint32_t hash;
    uint32_t key_size;
    LimitState state;
    char key[kFirstKeyPart];
  } head;
  struct Rest {
    Ref more;
    char key[kNextKeyPart];
  } rest;
};

int64_t LimitClockMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             CachedNow().steady.time_since_epoch())
      .count();
}

Result<std::shared_ptr<LimitZone>> LimitZone::Make(const config::LimitZone& setting) {
  static_assert(sizeof(Slot) == kLine);
  static_assert(std::atomic<uint32_t>::is_always_lock_free);
  std::shared_ptr<LimitZone> zone(new LimitZone);
  zone->name_ = setting.name;
  zone->key_text_ = setting.key.source;
  zone->size_ = setting.size;
  zone->is_request_zone_ = setting.is_request_zone;
  FW_ASSIGN(zone->memory_, SharedMemory::Map(setting.size));

  FW_CHECK(setting.size > sizeof(Header) + 16 * kLine);
  const size_t room = setting.size - sizeof(Header);
  constexpr size_t kMostSlots = size_t{1} << 30;
  const size_t wanted = std::min(room / (kLine + sizeof(uint32_t)), kMostSlots);
  zone->bucket_count_ = static_cast<uint32_t>(std::bit_floor(wanted));
  const size_t bucket_octets = (zone->bucket_count_ * sizeof(uint32_t) + kLine - 1) / kLine * kLine;
  zone->slot_count_ = static_cast<uint32_t>(std::min((room - bucket_octets) / kLine, kMostSlots));

  char* base = static_cast<char*>(zone->memory_.data());
  zone->header_ = new (base) Header;
  FillRandom(reinterpret_cast<char*>(zone->header_->hash_key.data()),
             sizeof(zone->header_->hash_key));
  // Fresh pages are zero, which is what an empty bucket and an untouched slot look like.
  zone->buckets_ = reinterpret_cast<uint32_t*>(base + sizeof(Header));
  zone->slots_ = reinterpret_cast<Slot*>(base + sizeof(Header) + bucket_octets);
  return zone;
}

bool LimitZone::Fits(const config::LimitZone& setting) const {
  return name_ == setting.name && size_ == setting.size && key_text_ == setting.key.source &&
         is_request_zone_ == setting.is_request_zone;
}

uint32_t LimitZone::Hash(std::string_view key) const {
  return static_cast<uint32_t>(SipHash(header_->hash_key, key));
}

void LimitZone::Clear() {
  std::memset(buckets_, 0, bucket_count_ * sizeof(uint32_t));
  header_->newest = header_->oldest = header_->free = 0;
  header_->used = header_->free_count = 0;
  ++header_->epoch;
}

LimitZone::Slot& LimitZone::At(Ref ref) const { return slots_[ref - 1]; }

LimitZone::Ref& LimitZone::Bucket(uint32_t hash) const {
  return buckets_[hash & (bucket_count_ - 1)];
}

size_t LimitZone::SlotsFor(size_t key_size) {
  if (key_size <= kFirstKeyPart) return 1;
  return 1 + (key_size - kFirstKeyPart + kNextKeyPart - 1) / kNextKeyPart;
}

// Requires: there is one.
LimitZone::Ref LimitZone::TakeSlot() {
  if (header_->free == 0) return ++header_->used;
  const Ref ref = header_->free;
  header_->free = At(ref).rest.more;
  --header_->free_count;
  return ref;
}

void LimitZone::GiveSlot(Ref ref) {
  At(ref).rest.more = header_->free;
  header_->free = ref;
  ++header_->free_count;
}

void LimitZone::Unlink(Ref ref) {
  const Slot::Head& head = At(ref).head;
  (head.newer != 0 ? At(head.newer).head.older : header_->newest) = head.older;
  (head.older != 0 ? At(head.older).head.newer : header_->oldest) = head.newer;
}

void LimitZone::LinkNewest(Ref ref) {
  Slot::Head& head = At(ref).head;
  head.newer = 0;
  head.older = header_->newest;
  (head.older != 0 ? At(head.older).head.newer : header_->oldest) = ref;
  header_->newest = ref;
}

bool LimitZone::KeyIs(const Slot& slot, std::string_view key) const {
  if (slot.head.key_size != key.size()) return false;
  const std::string_view first = key.substr(0, kFirstKeyPart);
  if (std::memcmp(slot.head.key, first.data(), first.size()) != 0) return false;
  key.remove_prefix(first.size());
  for (Ref more = slot.head.more; !key.empty(); more = At(more).rest.more) {
    const std::string_view part = key.substr(0, kNextKeyPart);
    if (std::memcmp(At(more).rest.key, part.data(), part.size()) != 0) return false;
    key.remove_prefix(part.size());
  }
  return true;
}

LimitZone::Access::Access(LimitZone& zone) : zone_(zone) {
  zone_.header_->lock.Lock();
  if (zone_.header_->busy.exchange(1) != 0) {
    zone_.Clear();
    MainLog().Write(LogLevel::kAlert, "a process died while it wrote in zone \"" + zone_.name_ +
                                          "\", which starts again empty");
  }
}

LimitZone::Access::~Access() {
  zone_.header_->busy.store(0);
  zone_.header_->lock.Unlock();
}

LimitZone::Ref LimitZone::Access::Find(std::string_view key, uint32_t hash, Ref after) const {
  Ref ref = after != 0 ? zone_.At(after).head.next : zone_.Bucket(hash);
  for (; ref != 0; ref = zone_.At(ref).head.next) {
    const Slot& slot = zone_.At(ref);
    if (slot.head.hash == hash && zone_.KeyIs(slot, key)) return ref;
  }
  return 0;
}

LimitZone::Ref LimitZone::Access::Insert(std::string_view key, uint32_t hash) {
  const size_t left = zone_.header_->free_count + (zone_.slot_count_ - zone_.header_->used);
  if (SlotsFor(key.size()) > left) return 0;
  const Ref ref = zone_.TakeSlot();
  Slot::Head& head = zone_.At(ref).head;
  head.hash = hash;
  head.key_size = static_cast<uint32_t>(key.size());
  head.state = LimitState{};
  head.more = 0;
  const std::string_view first = key.substr(0, kFirstKeyPart);
  std::memcpy(head.key, first.data(), first.size());
  key.remove_prefix(first.size());
  for (Ref* link = &head.more; !key.empty();) {
    const Ref more = zone_.TakeSlot();
    const std::string_view part = key.substr(0, kNextKeyPart);
    std::memcpy(zone_.At(more).rest.key, part.data(), part.size());
    zone_.At(more).rest.more = 0;
    *link = more;
    link = &zone_.At(more).rest.more;
    key.remove_prefix(part.size());
  }
  Ref& bucket = zone_.Bucket(hash);
  head.next = bucket;
  bucket = ref;
  zone_.LinkNewest(ref);
  return ref;
}

void LimitZone::Access::Remove(Ref ref) {
  const Slot::Head head = zone_.At(ref).head;
  Ref* link = &zone_.Bucket(head.hash);
  while (*link != ref) link = &zone_.At(*link).head.next;
  *link = head.next;
  zone_.Unlink(ref);
  zone_.GiveSlot(ref);
  for (Ref more = head.more; more != 0;) {
    const Ref next = zone_.At(more).rest.more;
    zone_.GiveSlot(more);
    more = next;
  }
}

void LimitZone::Access::MakeNewest(Ref ref) {
  zone_.Unlink(ref);
  zone_.LinkNewest(ref);
}

LimitZone::Ref LimitZone::Access::oldest() const { return zone_.header_->oldest; }

LimitZone::Ref LimitZone::Access::newer(Ref ref) const { return zone_.At(ref).head.newer; }

LimitState& LimitZone::Access::state(Ref ref) { return zone_.At(ref).head.state; }

bool LimitZone::Access::MayFit(std::string_view key) const {
  return SlotsFor(key.size()) <= zone_.slot_count_;
}

uint32_t LimitZone::Access::epoch() const { return zone_.header_->epoch; }

int64_t& LimitZone::Access::swept_ms() { return zone_.header_->swept_ms; }

Result<std::unique_ptr<LimitZones>> LimitZones::Make(const config::HttpConfig& http,
                                                     const LimitZones* previous) {
  auto zones = std::make_unique<LimitZones>();
  for (const auto& setting : http.limit_zones) {
    std::shared_ptr<LimitZone> zone;
    if (previous != nullptr) {
      for (const auto& old : previous->zones_) {
        if (old->Fits(*setting)) zone = old;
      }
    }
    if (zone == nullptr) {
      FW_ASSIGN(zone, LimitZone::Make(*setting));
    }
    zones->zones_.push_back(std::move(zone));
  }
  return zones;
}

}  // namespace framewall::filter
