#include "proxy/tls/session_cache.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <utility>

#include "proxy/base/digest.h"
#include "proxy/base/parse.h"
#include "proxy/base/text.h"

namespace framewall::tls {
namespace {

constexpr size_t kWays = 4;             // positions per bucket
constexpr size_t kPerBucket = 4 * 256;  // octets of ring per bucket: a session is about 256
constexpr size_t kMaxId = 32;

class Locked {
 public:
  explicit Locked(SharedLock& lock) : lock_(lock) { lock_.Lock(); }
  ~Locked() { lock_.Unlock(); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  SharedLock& lock_;
};

}  // namespace

struct SharedSessionCache::Header {
  SharedLock lock;
  std::array<uint64_t, 2> key;  // clients choose ids: the hash is keyed
  // Octets ever written, from 1, so that 0 is "none" in the index. Positions modulo the ring.
  uint64_t head = 1;
};

struct SharedSessionCache::Record {
  int64_t expires;
  uint32_t length;
  uint32_t id_length;
  char id[kMaxId];
  char* session() { return reinterpret_cast<char*>(this + 1); }
  const char* session() const { return reinterpret_cast<const char*>(this + 1); }
};

Result<std::shared_ptr<SharedSessionCache>> SharedSessionCache::Create(size_t size) {
  FW_ASSIGN(SharedMemory memory, SharedMemory::Map(std::max(size, kMinSize)));
  return std::shared_ptr<SharedSessionCache>(new SharedSessionCache(std::move(memory)));
}

SharedSessionCache::SharedSessionCache(SharedMemory memory) : memory_(std::move(memory)) {
  char* base = static_cast<char*>(memory_.data());
  header_ = new (base) Header;
  FillRandom(reinterpret_cast<char*>(header_->key.data()), sizeof header_->key);
  const size_t rest = memory_.size() - sizeof(Header);
  buckets_ = std::max<size_t>(1, rest / (kPerBucket + kWays * sizeof(uint64_t)));
  index_ = reinterpret_cast<uint64_t*>(base + sizeof(Header));  // zeroed by the kernel
  ring_ = reinterpret_cast<char*>(index_ + buckets_ * kWays);
  ring_size_ = (rest - buckets_ * kWays * sizeof(uint64_t)) & ~size_t{7};
}

uint64_t* SharedSessionCache::Bucket(std::string_view id) {
  return index_ + (SipHash(header_->key, id) % buckets_) * kWays;
}

const SharedSessionCache::Record* SharedSessionCache::RecordAt(uint64_t position,
                                                               std::string_view id) const {
  if (position == 0 || position >= header_->head) return nullptr;
  if (header_->head - position > ring_size_) return nullptr;  // overwritten
  const size_t offset = (position - 1) % ring_size_;
  if (offset + sizeof(Record) > ring_size_) return nullptr;
  const auto* record = reinterpret_cast<const Record*>(ring_ + offset);
  // A process may have died while it wrote: trust no length.
  if (record->id_length != id.size() || record->length > kMaxSession ||
      offset + sizeof(Record) + record->length > ring_size_) {
    return nullptr;
  }
  return std::memcmp(record->id, id.data(), id.size()) == 0 ? record : nullptr;
}

void SharedSessionCache::Store(std::string_view id, std::string_view session,
                               int64_t expires_unix_seconds) {
  if (id.empty() || id.size() > kMaxId || session.empty() || session.size() > kMaxSession) return;
  const size_t need = (sizeof(Record) + session.size() + 7) & ~size_t{7};
  const Locked locked(header_->lock);
  uint64_t position = header_->head;
  const size_t offset = (position - 1) % ring_size_;
  if (offset + need > ring_size_) position += ring_size_ - offset;  // no record wraps around
  header_->head = position + need;
  auto* record = reinterpret_cast<Record*>(ring_ + (position - 1) % ring_size_);
  record->expires = expires_unix_seconds;
  record->length = static_cast<uint32_t>(session.size());
  record->id_length = static_cast<uint32_t>(id.size());
  std::memcpy(record->id, id.data(), id.size());
  std::memcpy(record->session(), session.data(), session.size());

  // Where the same id was, or else over the oldest.
  uint64_t* bucket = Bucket(id);
  uint64_t* place = std::min_element(bucket, bucket + kWays);
  for (uint64_t* way = bucket; way != bucket + kWays; ++way) {
    if (*way != 0 && RecordAt(*way, id) != nullptr) place = way;
  }
  *place = position;
}

std::string SharedSessionCache::Find(std::string_view id, int64_t now_unix_seconds) {
  if (id.empty() || id.size() > kMaxId) return {};
  const Locked locked(header_->lock);
  uint64_t* bucket = Bucket(id);
  for (uint64_t* way = bucket; way != bucket + kWays; ++way) {
    const Record* record = RecordAt(*way, id);
    if (record == nullptr) continue;
    if (record->expires <= now_unix_seconds) return {};
    return std::string(record->session(), record->length);
  }
  return {};
}

void SharedSessionCache::Remove(std::string_view id) {
  if (id.empty() || id.size() > kMaxId) return;
  const Locked locked(header_->lock);
  uint64_t* bucket = Bucket(id);
  for (uint64_t* way = bucket; way != bucket + kWays; ++way) {
    if (RecordAt(*way, id) != nullptr) *way = 0;
  }
}

Result<SessionCacheSetting> ParseSessionCache(std::string_view words) {
  SessionCacheSetting setting;
  for (const std::string_view word : Split(words, ' ')) {
    if (word.empty()) continue;
    const auto invalid = [&] {
      return OperatorError("invalid session cache \"" + std::string(word) + "\"");
    };
    if (word == "off") {
      setting.kind = SessionCacheSetting::Kind::kOff;
    } else if (word == "none") {
      setting.kind = SessionCacheSetting::Kind::kNone;
    } else if (word == "builtin") {
      setting.kind = SessionCacheSetting::Kind::kUse;
      setting.builtin = true;
    } else if (word.starts_with("builtin:")) {
      const auto size = ParseUnsigned(word.substr(8));
      if (!size || *size > INT32_MAX) return invalid();
      setting.kind = SessionCacheSetting::Kind::kUse;
      setting.builtin = true;
      setting.builtin_size = static_cast<long>(*size);
    } else if (word.starts_with("shared:")) {
      const std::string_view rest = word.substr(7);
      const size_t colon = rest.find(':');
      if (colon == std::string_view::npos || colon == 0) return invalid();
      const auto size = ParseSize(rest.substr(colon + 1));
      if (!size) return invalid();
      if (*size < SharedSessionCache::kMinSize) {
        return OperatorError("session cache \"" + std::string(word) + "\" is too small");
      }
      setting.kind = SessionCacheSetting::Kind::kUse;
      setting.shared_name = rest.substr(0, colon);
      setting.shared_size = *size;
    } else {
      return invalid();
    }
  }
  return setting;
}

}  // namespace framewall::tls
