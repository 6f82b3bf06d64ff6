// zlib's states, lent for as long as a message needs one. A worker has one pool for all its
// connections; it is not for threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

struct z_stream_s;

namespace framewall::ws {

class ZlibPool;

// What an inflate state takes: 7 kB, and its window of 15 bits.
inline constexpr size_t kInflateStateOctets = 40960;
size_t DeflateStateOctets(int window_bits, int mem_level);

// A state's owner for the time being; gives it back when it goes.
template <class State>
class ZlibLease {
 public:
  ZlibLease() = default;
  ZlibLease(ZlibPool* pool, std::unique_ptr<State> state) : pool_(pool), state_(std::move(state)) {}
  ZlibLease(ZlibLease&&) noexcept = default;
  ZlibLease& operator=(ZlibLease&& other) noexcept {
    Release();
    pool_ = other.pool_;
    state_ = std::move(other.state_);
    return *this;
  }
  ~ZlibLease() { Release(); }

  void Release();
  explicit operator bool() const { return state_ != nullptr; }
  State* operator->() const { return state_.get(); }

 private:
  ZlibPool* pool_ = nullptr;
  std::unique_ptr<State> state_;
};

// A raw inflate state with a window of 15 bits, fresh.
struct InflateState {
  InflateState();
  ~InflateState();
  InflateState(const InflateState&) = delete;
  InflateState& operator=(const InflateState&) = delete;
  std::unique_ptr<z_stream_s> stream;
};
using InflateLease = ZlibLease<InflateState>;

// A raw deflate state, fresh.
struct DeflateState {
  DeflateState(int window_bits, int level, int mem_level);
  ~DeflateState();
  DeflateState(const DeflateState&) = delete;
  DeflateState& operator=(const DeflateState&) = delete;
  std::unique_ptr<z_stream_s> stream;
  int window_bits;
  int level;
  int mem_level;
};
using DeflateLease = ZlibLease<DeflateState>;

class ZlibPool {
 public:
  struct Statistic {
    size_t inflate_lent = 0;
    size_t inflate_idle = 0;
    size_t deflate_lent = 0;
    size_t deflate_idle = 0;
    size_t octets = 0;  // of all of them, about
  };

  // Idle states beyond these numbers are freed. A deflate state is lent for one call unless there
  // is context takeover, so few are ever needed.
  static constexpr size_t kMostIdleInflate = 16;
  static constexpr size_t kMostIdleDeflate = 4;

  ZlibPool();
  // Requires: everything lent has come back.
  ~ZlibPool();
  ZlibPool(const ZlibPool&) = delete;
  ZlibPool& operator=(const ZlibPool&) = delete;

  InflateLease BorrowInflate();
  // Requires: window_bits 9..15, level 1..9, mem_level 1..9.
  DeflateLease BorrowDeflate(int window_bits, int level, int mem_level);

  Statistic statistic() const;

 private:
  template <class State>
  friend class ZlibLease;
  void GiveBack(std::unique_ptr<InflateState> state);
  void GiveBack(std::unique_ptr<DeflateState> state);

  std::vector<std::unique_ptr<InflateState>> idle_inflate_;
  std::vector<std::unique_ptr<DeflateState>> idle_deflate_;
  size_t inflate_lent_ = 0;
  size_t deflate_lent_ = 0;
  size_t deflate_lent_octets_ = 0;
};

template <class State>
void ZlibLease<State>::Release() {
  if (state_ != nullptr) pool_->GiveBack(std::move(state_));
}

}  // namespace framewall::ws
