// TLS sessions in memory shared by all workers: `ssl_session_cache shared:NAME:SIZE`.
//
// A ring of records and an index of positions into it. A new session overwrites the oldest; a
// record that has been overwritten is recognised by its position, so nothing is ever searched or
// freed. All in one mapping made before the fork.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/base/result.h"
#include "proxy/base/shared_memory.h"

namespace framewall::tls {

class SharedSessionCache {
 public:
  static constexpr size_t kMinSize = 8 * 4096;
  static constexpr size_t kMaxSession = 4096;  // longer ones are not kept, as in nginx

  // Requires: `size` >= kMinSize.
  static Result<std::shared_ptr<SharedSessionCache>> Create(size_t size);

  void Store(std::string_view id, std::string_view session, int64_t expires_unix_seconds);
  // Empty where it is unknown or expired.
  std::string Find(std::string_view id, int64_t now_unix_seconds);
  void Remove(std::string_view id);

 private:
  struct Header;
  struct Record;
  explicit SharedSessionCache(SharedMemory memory);
  uint64_t* Bucket(std::string_view id);
  // Null where `position` is no longer, or never was, a record of `id`.
  const Record* RecordAt(uint64_t position, std::string_view id) const;

  SharedMemory memory_;
  Header* header_;
  uint64_t* index_;
  size_t buckets_;
  char* ring_;
  size_t ring_size_;
};

// The value of `ssl_session_cache`, a sequence of words, taken apart. Errors in nginx's words.
struct SessionCacheSetting {
  enum class Kind { kOff, kNone, kUse } kind = Kind::kNone;
  bool builtin = false;
  long builtin_size = -1;
  std::string shared_name;  // empty: no shared zone
  size_t shared_size = 0;
};
Result<SessionCacheSetting> ParseSessionCache(std::string_view words);

}  // namespace framewall::tls
