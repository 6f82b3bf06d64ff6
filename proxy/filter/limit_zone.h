// Zones of limit_req and limit_conn: tables of states by key in shared memory, fixed in size, made
// in the master before the fork.
//
// A state is a cell of 64 octets, a long key takes further ones, so a zone of 1m holds about 15
// thousand short keys. Nothing in a table is trusted to be whole after the death of a process that
// was writing in it: then the table starts again empty.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"
#include "proxy/base/shared_memory.h"
#include "proxy/config/model/http.h"

namespace framewall::filter {

struct LimitState {
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::min();
  // limit_req: thousandths of a request above the rate, as of `last_ms`.
  int64_t excess = 0;
  // limit_req: of the last request that counted. limit_conn: when the owner was last known to live.
  int64_t last_ms = kNever;
  // limit_conn: the process whose exchanges are counted, and how many.
  int32_t owner = 0;
  uint32_t count = 0;
};

// Milliseconds of the cached steady clock, which all processes of a machine share.
int64_t LimitClockMs();

class LimitZone {
 public:
  // Names a state while the zone is locked; 0 is none.
  using Ref = uint32_t;

  // Requires: `size` holds at least a few cells (the configuration asks for 32k).
  static Result<std::shared_ptr<LimitZone>> Make(const config::LimitZone& setting);

  const std::string& name() const { return name_; }
  bool is_request_zone() const { return is_request_zone_; }
  // The same table serves both: nothing but a rate may differ.
  bool Fits(const config::LimitZone& setting) const;
  // Of a key: with a secret of this table, so that a client cannot choose what collides.
  uint32_t Hash(std::string_view key) const;
  size_t capacity() const { return slot_count_; }

  // The table, locked as long as this lives.
  class Access {
   public:
    explicit Access(LimitZone& zone);
    ~Access();
    Access(const Access&) = delete;
    Access& operator=(const Access&) = delete;

    // The first state of `key`, or the next one behind `after`.
    Ref Find(std::string_view key, uint32_t hash, Ref after = 0) const;
    // A new state, the newest; 0 where it does not fit. A key may have several.
    Ref Insert(std::string_view key, uint32_t hash);
    void Remove(Ref ref);
    void MakeNewest(Ref ref);
    Ref oldest() const;
    // The next newer one; 0 behind the newest.
    Ref newer(Ref ref) const;
    LimitState& state(Ref ref);
    // Could this key ever fit?
    bool MayFit(std::string_view key) const;
    // Counts how often the table was emptied: what was remembered of it before is void.
    uint32_t epoch() const;
    // When limit_conn last looked for dead owners.
    int64_t& swept_ms();

   private:
    LimitZone& zone_;
  };

 private:
  friend class Access;
  struct Header;
  union Slot;

  LimitZone() = default;
  void Clear();
  Slot& At(Ref ref) const;
  Ref& Bucket(uint32_t hash) const;
  Ref TakeSlot();
  void GiveSlot(Ref ref);
  void Unlink(Ref ref);
  void LinkNewest(Ref ref);
  bool KeyIs(const Slot& slot, std::string_view key) const;
  static size_t SlotsFor(size_t key_size);

  std::string name_;
  std::string key_text_;
  uint64_t size_ = 0;
  bool is_request_zone_ = false;
  SharedMemory memory_;
  Header* header_ = nullptr;
  Ref* buckets_ = nullptr;
  Slot* slots_ = nullptr;
  uint32_t bucket_count_ = 0;  // a power of two
  uint32_t slot_count_ = 0;
};

// All zones of a configuration, by LimitZone::index.
class LimitZones {
 public:
  // `previous` (may be null) lends tables whose name, size and key are the same: a reload forgets
  // nothing of them. nginx refuses to reload where only the key has changed; here that table starts
  // empty.
  static Result<std::unique_ptr<LimitZones>> Make(const config::HttpConfig& http,
                                                  const LimitZones* previous);

  LimitZone& zone(int index) const { return *zones_[static_cast<size_t>(index)]; }
  const std::vector<std::shared_ptr<LimitZone>>& all() const { return zones_; }

 private:
  // Shared with the configuration before, in the master, while its workers drain.
  std::vector<std::shared_ptr<LimitZone>> zones_;
};

}  // namespace framewall::filter
